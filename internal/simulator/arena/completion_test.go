package arena_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/training"
)

// TestLifecycle_R107 is the table of the contract's section 4, cell by cell.
func TestLifecycle_R107_R108(t *testing.T) {
	const (
		completed = training.RecordCompleted
		pending   = training.RecordPendingApproval
	)
	type cell struct {
		status int
		reason string
		after  training.RecordStatus
	}
	same := func(from training.RecordStatus, reason string) [4]cell {
		c := cell{409, reason, from}
		return [4]cell{c, c, c, c}
	}
	open := func(from training.RecordStatus) [4]cell {
		return [4]cell{{200, "", completed}, {200, "", from}, {200, "", pending}, {409, "INVALID_TRANSITION", from}}
	}
	columns := []struct {
		training string
		sent     training.RecordStatus
	}{{plain, completed}, {approved, completed}, {approved, pending}, {plain, pending}}
	rows := map[training.RecordStatus][4]cell{
		training.RecordAssigned:   open(training.RecordAssigned),
		training.RecordInProgress: open(training.RecordInProgress),
		pending:                   same(pending, "ALREADY_PENDING"),
		completed:                 same(completed, "ALREADY_COMPLETED"),
		training.RecordExpired:    same(training.RecordExpired, "RECORD_EXPIRED"),
		training.RecordCancelled:  same(training.RecordCancelled, "RECORD_CANCELLED"),
	}
	r := newRig(t)
	for from, cells := range rows {
		for i, column := range columns {
			t.Run(fmt.Sprintf("%s_%s_%s", from, column.sent, column.training), func(t *testing.T) {
				want := cells[i]
				id := r.record(column.training, from)
				status, body := r.complete(id, completion(t, column.sent, nil))
				require.Equal(t, want.status, status, body)
				require.Equal(t, want.reason, reason(t, body))
				require.Equal(t, want.after, r.status(id))
				changes := 0
				if want.after != from {
					changes = 1
				}
				require.Len(t, r.sim.Changes(id), changes, "effective changes")
			})
		}
	}
}

// TestSilentCauses_R106 is section 5: 200, and nothing has happened.
func TestSilentCauses_R106(t *testing.T) {
	cases := []struct {
		name     string
		training string
		edits    map[string]any
		prepare  func(r *rig, id string)
	}{
		{name: "no employee id", training: plain, edits: map[string]any{"employeeId": nil}},
		{name: "empty employee id", training: plain, edits: map[string]any{"employeeId": ""}},
		{name: "no completion date", training: plain, edits: map[string]any{"completionDate": nil}},
		{name: "empty completion date", training: plain, edits: map[string]any{"completionDate": ""}},
		{name: "no status", training: plain, edits: map[string]any{"status": nil}},
		{name: "no score though tracked", training: scored, edits: map[string]any{"score": nil}},
		{name: "approval needed", training: approved},
		{name: "locked", training: plain, prepare: func(r *rig, id string) { require.NoError(r.t, r.sim.Lock(id, true)) }},
		{name: "external updates off_R109", training: plain, prepare: func(r *rig, _ string) {
			require.NoError(t, r.sim.SetSwitches(arena.Switches{ExternalUpdatesOff: true}))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			id := r.record(c.training, training.RecordAssigned)
			if c.prepare != nil {
				c.prepare(r, id)
			}
			before, _ := r.sim.Record(id)
			status, body := r.complete(id, completion(t, training.RecordCompleted, c.edits))
			require.Equal(t, 200, status)
			require.Contains(t, body, `"accepted":true`)
			after, _ := r.sim.Record(id)
			require.Equal(t, before, after)
			require.Empty(t, r.sim.Changes(id))
		})
	}
}

// TestSwitchesMakeSilenceLoud_R109 is the other reading of section 5.
func TestSwitchesMakeSilenceLoud_R109(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.sim.SetSwitches(arena.Switches{MissingField: arena.Answer400, ExternalUpdatesOff: true,
		ExternalUpdatesOffAnswer: arena.Answer403, CompleteResponse: arena.ResponseRecord}))
	id := r.record(plain, "")

	status, body := r.complete(id, completion(t, training.RecordCompleted, map[string]any{"completionDate": nil}))
	require.Equal(t, 400, status)
	require.Equal(t, "MALFORMED_BODY", reason(t, body))

	status, body = r.complete(id, completion(t, training.RecordCompleted, nil))
	require.Equal(t, 403, status)
	require.Equal(t, "EXTERNAL_UPDATES_OFF", reason(t, body))
	_, config := r.do("GET", "/api/v1/training/config", "")
	require.JSONEq(t, `{"allowExternalStatusUpdates":false}`, config)

	require.NoError(t, r.sim.SetSwitches(arena.Switches{CompleteResponse: arena.ResponseRecord}))
	status, body = r.complete(id, completion(t, training.RecordCompleted, nil))
	require.Equal(t, 200, status)
	require.Equal(t, "COMPLETED", field(t, body, "status"))
	require.Error(t, r.sim.SetSwitches(arena.Switches{MissingField: "shout"}))
}

func TestCompletionIsStored_R103(t *testing.T) {
	r := newRig(t)
	id := r.record(scored, "")
	status, _ := r.do("POST", "/api/v1/training/records/"+id+"/complete",
		completion(t, training.RecordCompleted, map[string]any{"completionDate": "2026-04-08T16:30:00+02:00"}), "X-Request-ID", "req-7")
	require.Equal(t, 200, status)

	record, _ := r.sim.Record(id)
	require.Equal(t, "2026-04-08T14:30:00Z", record.CompletionDate.Format("2006-01-02T15:04:05Z07:00"))
	require.InDelta(t, 91.5, *record.Score, 0)
	require.Equal(t, 2, record.Version)
	changes := r.sim.Changes(id)
	require.Len(t, changes, 1)
	require.Equal(t, arena.Change{RecordID: id, At: r.clock.Now(), Actor: "svc-bridge", From: training.RecordAssigned,
		To: training.RecordCompleted, RequestID: "req-7"}, changes[0])
}

func TestCompletionRefusals_R186(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	cases := []struct {
		name, id, body string
		status         int
		reason         string
	}{
		{"not JSON", id, "completed", 400, "MALFORMED_BODY"},
		{"no object", id, `[]`, 400, "MALFORMED_BODY"},
		{"null", id, `null`, 400, "MALFORMED_BODY"},
		{"numeric employee id", id, completion(t, "COMPLETED", map[string]any{"employeeId": 5}), 400, "MALFORMED_BODY"},
		{"score as text", id, completion(t, "COMPLETED", map[string]any{"score": "91"}), 400, "MALFORMED_BODY"},
		{"score over 100", id, completion(t, "COMPLETED", map[string]any{"score": 101}), 400, "MALFORMED_BODY"},
		{"date without zone", id, completion(t, "COMPLETED", map[string]any{"completionDate": "2026-04-08T14:30:00"}), 400, "BAD_DATE"},
		{"date only", id, completion(t, "COMPLETED", map[string]any{"completionDate": "2026-04-08"}), 400, "BAD_DATE"},
		{"over a day ahead", id, completion(t, "COMPLETED", map[string]any{"completionDate": "2026-04-09T15:00:01Z"}), 400, "BAD_DATE"},
		{"other status", id, completion(t, "PASSED", nil), 400, "BAD_STATUS"},
		{"unknown employee_R186", id, completion(t, "COMPLETED", map[string]any{"employeeId": "EMP404"}), 404, "EMPLOYEE_NOT_FOUND"},
		{"other case", id, completion(t, "COMPLETED", map[string]any{"employeeId": "emp12345"}), 404, "EMPLOYEE_NOT_FOUND"},
		{"somebody else's", id, completion(t, "COMPLETED", map[string]any{"employeeId": "EMP2"}), 422, "EMPLOYEE_MISMATCH"},
		{"unknown record", "TR-9", completion(t, "COMPLETED", nil), 404, "RECORD_NOT_FOUND"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, body := r.complete(c.id, c.body)
			require.Equal(t, c.status, status, body)
			require.Equal(t, c.reason, reason(t, body))
		})
	}
	require.Empty(t, r.sim.Changes(id))
}

// TestPrecedence holds the order of section 5: state before employee before owner before silence.
func TestPrecedence(t *testing.T) {
	r := newRig(t)
	done := r.record(plain, training.RecordCompleted)
	_, body := r.complete(done, completion(t, training.RecordCompleted, map[string]any{"employeeId": "EMP404", "completionDate": nil}))
	require.Equal(t, "ALREADY_COMPLETED", reason(t, body))
	open := r.record(scored, "")
	_, body = r.complete(open, completion(t, training.RecordCompleted, map[string]any{"employeeId": "EMP404", "score": nil}))
	require.Equal(t, "EMPLOYEE_NOT_FOUND", reason(t, body))
	_, body = r.complete(open, completion(t, training.RecordCompleted, map[string]any{"employeeId": "EMP2", "score": nil}))
	require.Equal(t, "EMPLOYEE_MISMATCH", reason(t, body))
}

func TestManyCompletionsOneEffect(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	body := completion(t, training.RecordCompleted, nil)
	const callers = 40
	statuses := make(chan int, callers)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			response, err := r.send("POST", "/api/v1/training/records/"+id+"/complete", body)
			if err != nil {
				statuses <- 0
				return
			}
			statuses <- response.StatusCode
			_ = response.Body.Close()
		})
	}
	wg.Wait()
	close(statuses)
	seen := map[int]int{}
	for s := range statuses {
		seen[s]++
	}
	require.Equal(t, map[int]int{200: 1, 409: callers - 1}, seen)
	require.Len(t, r.sim.Changes(id), 1)
	require.Equal(t, callers, r.sim.Calls(arena.EndpointComplete))
}

// What a QMS keeps of a date is its own affair; the contract shows whole seconds only (R101).
func TestDatePrecision_R101(t *testing.T) {
	for precision, want := range map[string]string{
		"":                         "14:30:00.75",
		arena.PrecisionMillisecond: "14:30:00.75",
		arena.PrecisionSecond:      "14:30:00",
		arena.PrecisionRounded:     "14:30:01",
	} {
		r := newRig(t)
		require.NoError(t, r.sim.SetSwitches(arena.Switches{DatePrecision: precision}))
		id := r.record(plain, "")
		status, _ := r.complete(id, completion(t, training.RecordCompleted, map[string]any{"completionDate": "2026-04-08T14:30:00.750Z"}))
		require.Equal(t, 200, status)
		record, _ := r.sim.Record(id)
		require.Equal(t, want, record.CompletionDate.Format("15:04:05.999"))
	}
	require.Error(t, newRig(t).sim.SetSwitches(arena.Switches{DatePrecision: "day"}))
}
