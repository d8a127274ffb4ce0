package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"countersign/internal/training"
)

// Stored is a completion as the journal keeps it. It holds personal data.
type Stored struct {
	Fingerprint training.Fingerprint
	Completion  training.Completion
	// DeliveryID is the delivery that brought it first.
	DeliveryID string
	ReceivedAt time.Time
	State      training.State
	// FailureClass and FailureDetail are the last projected failure, "" when there is none.
	FailureClass  training.FailureClass
	FailureDetail string
	// RecordID is the training record in the QMS, "" until it is known.
	RecordID  string
	UpdatedAt time.Time
	// Override is what people have decided about this completion only.
	Override Override
	// Enrichment is the document of what its LMS said beyond the event, nil where nothing was looked up.
	Enrichment []byte
}

// Override is what the latest decisions put in place of what the event and the settings say.
type Override struct {
	// RecordID is the training record to use, EmployeeID the employee; "" for none.
	RecordID, EmployeeID string
	// Submit is true where the record is to be submitted for approval.
	Submit bool
}

// Completion reads one completion of a tenant; ErrNotFound if there is none.
func (j *Journal) Completion(ctx context.Context, tenant string, fp training.Fingerprint) (Stored, error) {
	s, err := one(ctx, j, j.read, scanStored,
		selectStored()+` WHERE tenant = ? AND fingerprint = ?`, tenant, string(fp))
	if err != nil {
		return Stored{}, fmt.Errorf("read completion %s: %w", fp, err)
	}
	return s, nil
}

// selectStored reads completions c as scanStored wants them.
func selectStored() string {
	return `SELECT fingerprint, completion, delivery_id, received_at, state,
		failure_class, failure_detail, record_id, updated_at,
		` + latest("record_id", training.ActionUseRecord) + `, ` + latest("employee_id", training.ActionUseEmployee) + `,
		` + latest("action", training.ActionSubmit) + `,
		(SELECT e.document FROM enrichments e WHERE e.tenant = c.tenant AND e.fingerprint = c.fingerprint)
	FROM completions c`
}

// latest is what the latest decision with this action says in a column, ” if there is none. It is a look
// into the key of decisions, which most completions have none of.
func latest(column string, action training.Action) string {
	return `coalesce((SELECT d.` + column + ` FROM decisions d WHERE d.tenant = c.tenant AND d.fingerprint = c.fingerprint
		AND d.action = '` + string(action) + `' ORDER BY d.round DESC LIMIT 1), '')`
}

func scanStored(row scanner) (Stored, error) {
	var (
		s                     Stored
		document, submit      string
		receivedAt, updatedAt int64
	)
	if err := row.Scan(&s.Fingerprint, &document, &s.DeliveryID, &receivedAt, &s.State,
		&s.FailureClass, &s.FailureDetail, &s.RecordID, &updatedAt,
		&s.Override.RecordID, &s.Override.EmployeeID, &submit, &s.Enrichment); err != nil {
		return Stored{}, err
	}
	if err := json.Unmarshal([]byte(document), &s.Completion); err != nil {
		return Stored{}, fmt.Errorf("stored completion: %w", err)
	}
	s.Override.Submit = submit != ""
	s.ReceivedAt, s.UpdatedAt = instant(receivedAt), instant(updatedAt)
	return s, nil
}

const countStates = `SELECT state, count(*) FROM completions WHERE ` + started + ` GROUP BY state
	UNION ALL SELECT 'QUEUED', count(*) FROM completions WHERE ` + queued + ` HAVING count(*) > 0
	UNION ALL SELECT state, CAST(sum(n) AS BIGINT) FROM endings GROUP BY state HAVING sum(n) > 0`

// Counts is how many completions of all tenants are in each state; states without any are
// missing. Its cost follows the open work, not the history.
func (j *Journal) Counts(ctx context.Context) (map[training.State]int, error) {
	type count struct {
		state training.State
		n     int
	}
	found, err := list(ctx, j, j.read, func(row scanner) (count, error) {
		var c count
		err := row.Scan(&c.state, &c.n)
		return c, err
	}, countStates)
	if err != nil {
		return nil, fmt.Errorf("count completions: %w", err)
	}
	counts := make(map[training.State]int, len(found))
	for _, c := range found {
		counts[c.state] = c.n
	}
	return counts, nil
}

// exists reports ErrNotFound when the tenant has no such completion.
func (j *Journal) exists(ctx context.Context, from querier, k key) error {
	_, err := one(ctx, j, from, scanKey,
		`SELECT tenant, fingerprint FROM completions WHERE tenant = ? AND fingerprint = ?`, k.tenant, string(k.fingerprint))
	return err
}
