// Package sender is an LMS on the sending side: it builds deliveries in the canonical envelope
// (R48 to R52), signs them with HMAC-SHA256 over the raw body (R24), posts them with the
// retries an LMS makes, and can stream a varied mix of them for a demonstration.
package sender
