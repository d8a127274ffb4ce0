package arena_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arena"
	"countersign/internal/training"
)

func creation() training.NewRecord {
	return training.NewRecord{EmployeeID: "EMP12345", TrainingID: "TP-0042", ExternalRef: "lms:enrollment:88121"}
}

func TestCreationIsThatOfTheContract_R98_R104_R105(t *testing.T) {
	var seen *http.Request
	var body []byte
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
		answer(w, http.StatusCreated, janesRecord)
	})
	id, err := s.client(t, nil).Create(t.Context(), creation(), "req-7")
	require.NoError(t, err)
	require.Equal(t, "TR-000123", id)
	require.Equal(t, "POST /api/v1/training/records", seen.Method+" "+seen.RequestURI)
	require.Equal(t, "application/json", seen.Header.Get("Content-Type"))
	require.Equal(t, "req-7", seen.Header.Get("X-Request-ID"))
	require.JSONEq(t, `{"employeeId":"EMP12345","trainingId":"TP-0042","externalRef":"lms:enrollment:88121"}`, string(body))
}

func TestAnswersToACreation_R98(t *testing.T) {
	duplicate := func(rest string) string {
		return `{"status":409,"errors":[{"code":4095,"reason":"DUPLICATE_EXTERNAL_REF","message":"about EMP12345"` + rest + `}]}`
	}
	for name, tc := range map[string]struct {
		status int
		body   string
		want   training.FailureClass
	}{
		"created":                           {201, janesRecord, ""},
		"there before, as a success":        {200, janesRecord, ""},
		"the reference is taken":            {409, duplicate(`,"recordId":"TR-000123"`), ""},
		"taken, by nobody knows which":      {409, duplicate(""), training.FailureMisread},
		"taken, by something that is no id": {409, duplicate(`,"recordId":".."`), training.FailureMisread},
		"created, and no id":                {201, `{}`, training.FailureMisread},
		"created, and no JSON":              {201, `<html>`, training.FailureMisread},
		"another conflict":                  {409, refusal(409, "INVALID_TRANSITION"), training.FailureRefused},
		"no such employee":                  {404, refusal(404, "EMPLOYEE_NOT_FOUND"), training.FailureEmployeeUnknown},
		"no such training":                  {404, refusal(404, "TRAINING_NOT_FOUND"), training.FailureCourseUnmapped},
		"no scope":                          {403, refusal(403, "SCOPE_MISSING"), training.FailureCredentials},
		"too many":                          {429, refusal(429, "RATE_LIMITED"), training.FailureRateLimited},
		"broken":                            {503, duplicate(`,"recordId":"TR-000123"`), training.FailureUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t, reply(tc.status, tc.body))
			id, err := s.client(t, nil).Create(t.Context(), creation(), "r")
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, "TR-000123", id)
				return
			}
			require.Empty(t, id)
			f := requireFailure(t, err, tc.want)
			require.Equal(t, "TP-0042", f.Key, "the training, never the person")
		})
	}
}

// Whatever comes back, an id is something that can stand in a path, or there is none.
func FuzzAnswerToACreation(f *testing.F) {
	for _, body := range []string{janesRecord, `{}`, `{"errors":[{"reason":"DUPLICATE_EXTERNAL_REF","recordId":"TR-1"}]}`, `{"id":"."}`, `[`, ``} {
		f.Add(uint8(1), body)
		f.Add(uint8(9), body)
	}
	var status int
	var body string
	s := newStub(f, func(w http.ResponseWriter, _ *http.Request) { answer(w, status, body) })
	c := s.client(f, func(cfg *arena.Config) { cfg.ClientID = "svc-fuzz" })
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		status, body = []int{200, 201, 400, 404, 409, 422, 429, 500, 503, 409}[int(n)%10], text
		id, err := c.Create(t.Context(), creation(), "r")
		if (id == "") == (err == nil) || id == "." || id == ".." {
			t.Fatalf("%d %q gives id %q and %v", status, text, id, err)
		}
		if err != nil && len(text) > 8 && strings.Contains(fmt.Sprint(err), text) {
			t.Fatalf("the error repeats the answer: %v", err)
		}
	})
}
