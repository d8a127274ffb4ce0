package arena_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func TestRequestsAreThoseOfTheContract_R94_R99_R104_R105(t *testing.T) {
	offset := time.FixedZone("", 2*60*60)
	for name, tc := range map[string]struct {
		change func(*training.Write)
		body   string
	}{
		"with score":    {func(*training.Write) {}, `{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED","score":95}`},
		"exact decimal": {func(w *training.Write) { w.Score = "91.50" }, `{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED","score":91.50}`},
		"score of zero": {func(w *training.Write) { w.Score = "0" }, `{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED","score":0}`},
		"no score":      {func(w *training.Write) { w.Score = "" }, `{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED"}`},
		"leading zeros": {func(w *training.Write) { w.EmployeeID = "00123" }, `{"employeeId":"00123","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED","score":95}`},
		"milliseconds in another zone": {func(w *training.Write) { w.CompletedAt = time.Date(2026, 4, 8, 16, 30, 0, 999e6, offset) },
			`{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED","score":95}`},
		"approval": {func(w *training.Write) { w.Status = training.RecordPendingApproval },
			`{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"PENDING_APPROVAL","score":95}`},
	} {
		t.Run(name, func(t *testing.T) {
			var seen *http.Request
			var body []byte
			s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
				seen = r
				body, _ = io.ReadAll(r.Body)
				answer(w, http.StatusOK, `{"accepted":true}`)
			})
			w := completion()
			tc.change(&w)
			require.NoError(t, s.client(t, nil).Complete(t.Context(), w, "req-7"))
			require.Equal(t, "POST /api/v1/training/records/TR-000123/complete", seen.Method+" "+seen.RequestURI)
			require.Equal(t, "Bearer token-1", seen.Header.Get("Authorization"))
			require.Equal(t, "application/json", seen.Header.Get("Content-Type"))
			require.Equal(t, "application/json", seen.Header.Get("Accept"))
			require.Equal(t, "req-7", seen.Header.Get("X-Request-ID"))
			require.Equal(t, tc.body, string(body))
		})
	}
}

func TestDecisionIsSentInTheApproversName(t *testing.T) {
	var line, body string
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		line, body = r.Method+" "+r.RequestURI, string(raw)
		answer(w, http.StatusOK, `{}`)
	})
	d := training.Decision{Action: training.ActionApprove, By: "m.keller", Reason: "practical test seen"}
	require.NoError(t, s.client(t, nil).Decide(t.Context(), "TR-000123", d, ""))
	require.Equal(t, "POST /api/v1/training/records/TR-000123/approval", line)
	require.JSONEq(t, `{"decision":"APPROVE","approver":"m.keller","comment":"practical test seen"}`, body)

	d.Action = training.ActionReject
	require.NoError(t, s.client(t, nil).Decide(t.Context(), "TR-000123", d, ""))
	require.Contains(t, body, `"decision":"REJECT"`)

	d.Action = training.ActionClose
	requireFailure(t, s.client(t, nil).Decide(t.Context(), "TR-000123", d, ""), training.FailureDefect)
}

func TestRecordIsReadWhole(t *testing.T) {
	s := newStub(t, reply(http.StatusOK, janesRecord))
	record, err := s.client(t, nil).Record(t.Context(), "TR-000123")
	require.NoError(t, err)
	require.Equal(t, training.Record{
		ID: "TR-000123", EmployeeID: "EMP12345", TrainingID: "TP-0042", Status: training.RecordCompleted,
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 250e6, time.UTC), Score: "91.50", TracksScore: true,
		ApprovalRequired: true, Locked: true, ExternalRef: "lms:acme:enrolment:88121",
	}, record)
}

// An id that comes from an LMS must not lead to another resource of the QMS.
func TestIDsStayWithinTheirPathSegment(t *testing.T) {
	var paths []string
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.RequestURI)
		answer(w, http.StatusNotFound, refusal(404, "EMPLOYEE_NOT_FOUND"))
	})
	c := s.client(t, nil)
	for _, id := range []string{"", ".", "..", "\xff"} {
		requireFailure(t, c.Employee(t.Context(), id), training.FailureEmployeeUnknown)
		_, err := c.Record(t.Context(), id)
		requireFailure(t, err, training.FailureRecordMissing)
	}
	require.Empty(t, paths)
	requireFailure(t, c.Employee(t.Context(), "../x?a=b#c%2f"), training.FailureEmployeeUnknown)
	require.Equal(t, []string{"/api/v1/users/..%2Fx%3Fa=b%23c%252f"}, paths)
}

func TestIncompleteWritesAreNotSent_R106(t *testing.T) {
	s := newStub(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	c := s.client(t, nil)
	for name, tc := range map[string]struct {
		change func(*training.Write)
		want   training.FailureClass
	}{
		"no record":      {func(w *training.Write) { w.RecordID = "" }, training.FailureRecordMissing},
		"no employee":    {func(w *training.Write) { w.EmployeeID = "" }, training.FailureIncomplete},
		"no date":        {func(w *training.Write) { w.CompletedAt = time.Time{} }, training.FailureIncomplete},
		"foreign status": {func(w *training.Write) { w.Status = training.RecordExpired }, training.FailureDefect},
		"no number":      {func(w *training.Write) { w.Score = `95,"status":"X"` }, training.FailureDefect},
	} {
		t.Run(name, func(t *testing.T) {
			w := completion()
			tc.change(&w)
			requireFailure(t, c.Complete(t.Context(), w, "r"), tc.want)
		})
	}
	requireFailure(t, c.Complete(t.Context(), completion(), "two\r\nlines"), training.FailureDefect)
}
