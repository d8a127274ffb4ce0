package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Verdict is what became of a delivery.
type Verdict string

// The verdicts.
const (
	VerdictAccepted  Verdict = "accepted"  // brought at least one new completion or enrollment
	VerdictDuplicate Verdict = "duplicate" // brought only known ones
	VerdictIgnored   Verdict = "ignored"   // reported nothing that is to be processed
	VerdictRejected  Verdict = "rejected"  // not authenticated or not permitted
	VerdictUnmapped  Verdict = "unmapped"  // authentic, but needs an admin to be understood
	VerdictTest      Verdict = "test"      // a connection test or a rehearsal
)

func (v Verdict) valid() bool {
	switch v {
	case VerdictAccepted, VerdictDuplicate, VerdictIgnored, VerdictRejected, VerdictUnmapped, VerdictTest:
		return true
	default:
		return false
	}
}

// Delivery is one inbound HTTP request with its verdict.
type Delivery struct {
	// ID is a UUIDv7 from NewDeliveryID and is never used twice; Append makes one for "".
	ID                       string
	Tenant, Source, Platform string
	// ReceivedAt is kept to the microsecond, in UTC; zero means now.
	ReceivedAt               time.Time
	Method, Path, RemoteAddr string
	// Header is stored as given: the caller has redacted it.
	Header http.Header
	// Body holds the raw bytes exactly as received.
	Body    []byte
	Verdict Verdict
	// Reason says why, for people; it names fields, never values.
	Reason string
}

// NewDeliveryID makes an id for a delivery: a UUIDv7, so that ids sort by time.
func NewDeliveryID() string {
	// The only error is an unreadable random source, and then crypto/rand has ended the process.
	return uuid.Must(uuid.NewV7()).String()
}

const deliveryColumns = `id, tenant, source, platform, received_at, method, path, remote_addr, header, verdict, reason`

// scanDelivery reads deliveryColumns, and whatever is selected behind them into rest.
func scanDelivery(row scanner, rest ...any) (Delivery, error) {
	var (
		d          Delivery
		receivedAt int64
		header     string
	)
	columns := []any{&d.ID, &d.Tenant, &d.Source, &d.Platform, &receivedAt,
		&d.Method, &d.Path, &d.RemoteAddr, &header, &d.Verdict, &d.Reason}
	if err := row.Scan(append(columns, rest...)...); err != nil {
		return Delivery{}, err
	}
	d.ReceivedAt = instant(receivedAt)
	if err := json.Unmarshal([]byte(header), &d.Header); err != nil {
		return Delivery{}, fmt.Errorf("stored header: %w", err)
	}
	return d, nil
}

// Delivery reads one delivery of a tenant; ErrNotFound if there is none.
func (j *Journal) Delivery(ctx context.Context, tenant, id string) (Delivery, error) {
	d, err := one(ctx, j, j.read, func(row scanner) (Delivery, error) {
		var body []byte
		d, err := scanDelivery(row, &body)
		d.Body = body
		return d, err
	}, `SELECT `+deliveryColumns+`, body FROM deliveries WHERE id = ? AND tenant = ?`, id, tenant)
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery %s: %w", id, err)
	}
	return d, nil
}

// Unannounced lists, oldest first and without bodies, deliveries of all tenants with verdict
// unmapped that no training admin has been told of.
func (j *Journal) Unannounced(ctx context.Context, limit int) ([]Delivery, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (Delivery, error) { return scanDelivery(row) },
		`SELECT `+deliveryColumns+` FROM deliveries
		WHERE verdict = 'unmapped' AND announced_at IS NULL ORDER BY received_at, id LIMIT ?`, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list unannounced deliveries: %w", err)
	}
	return found, nil
}

// Announced records that a training admin has been told of the delivery.
func (j *Journal) Announced(ctx context.Context, tenant, id string) error {
	_, err := j.exec(ctx, `UPDATE deliveries SET announced_at = ?
		WHERE id = ? AND tenant = ? AND announced_at IS NULL`, micros(j.now()), id, tenant)
	if err != nil {
		return fmt.Errorf("mark delivery %s announced: %w", id, err)
	}
	return nil
}
