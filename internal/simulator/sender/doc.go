// Package sender is the other side of every LMS source: fifteen platforms as they send. A Profile
// writes what its LMS writes about a finished course, and about what is none; a Credential proves where it
// comes from; an LMS posts it with the platform's patience, retries on the platform's schedule, gives up, and is
// switched off where the platform switches integrations off.
//
// It is written from what is known of the platforms and uses nothing of the product: no adapter, no verifier. What is
// known says one of these marks in a profile's comments: DOCUMENTED by the vendor, OBSERVED in captures and public
// receivers, SEED in the texts this project began with, DESIGN where nobody knows and we chose. A choice is the one that
// is hardest on the receiver and still likely.
package sender
