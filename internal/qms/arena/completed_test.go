package arena_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	simulated "countersign/internal/simulator/arena"
	"countersign/internal/training"
)

// Every record that is COMPLETED since a time is listed over all pages, whoever did it, and no other.
func TestCompletedRecordsAreListed_R143(t *testing.T) {
	w := newWorld(t)
	since := w.clock.Now()
	w.sim.AddTraining(simulated.Training{ID: "TP-9", Name: "GDPR"})
	w.sim.AddUser(simulated.User{EmployeeID: "HR-1", Active: true})
	add := func(status training.RecordStatus, at *time.Time) string {
		return w.sim.AddRecord(simulated.Record{EmployeeID: "HR-1", TrainingID: "TP-9", Status: status, CompletionDate: at}).ID
	}
	want := map[string]bool{}
	for n := range 900 {
		at := since.Add(time.Duration(n) * time.Second)
		want[add(training.RecordCompleted, &at)] = true
	}
	before := since.Add(-time.Second)
	add(training.RecordCompleted, &before)
	add(training.RecordAssigned, nil)

	listed, pages := map[string]bool{}, 0
	for cursor := ""; ; pages++ {
		page, next, err := w.client.Completed(t.Context(), since, cursor)
		require.NoError(t, err)
		for _, record := range page {
			require.Equal(t, training.RecordCompleted, record.Status)
			listed[record.ID] = true
		}
		if cursor = next; next == "" {
			break
		}
		// A record that changes between two pages moves to the end, and those behind it forward.
		w.clock.Advance(time.Second)
		moved, ok := w.sim.Record(page[pages].ID)
		require.True(t, ok)
		w.sim.AddRecord(moved)
	}
	require.Equal(t, want, listed)
	require.Less(t, pages, 5)
}

func TestListOfCompletedThatCannotBeTrusted(t *testing.T) {
	for name, body := range map[string]string{
		"no count":          `{"results":[]}`,
		"unreadable record": `{"count":1,"results":[{"id":"","employeeId":"E","status":"COMPLETED"}]}`,
		"no JSON":           `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := newStub(t, reply(http.StatusOK, body)).client(t, nil).Completed(t.Context(), time.Now(), "")
			requireFailure(t, err, training.FailureMisread)
		})
	}
	_, _, err := newStub(t, reply(http.StatusOK, "{}")).client(t, nil).Completed(t.Context(), time.Now(), "next")
	requireFailure(t, err, training.FailureDefect)
}

// A filter that the QMS ignores brings nothing in that was not asked for, and an endless list ends.
func TestListOfCompletedIsFilteredHereToo(t *testing.T) {
	old := `{"id":"TR-1","employeeId":"E","trainingId":"T","status":"COMPLETED","completionDate":"2020-01-01T00:00:00Z"}`
	open := `{"id":"TR-2","employeeId":"E","trainingId":"T","status":"ASSIGNED"}`
	s := newStub(t, reply(http.StatusOK, fmt.Sprintf(`{"count":1000,"results":[%s,%s]}`, old, open)))
	page, next, err := s.client(t, nil).Completed(t.Context(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "")
	require.NoError(t, err)
	require.Empty(t, page)
	require.Empty(t, next, "a page this short is the last one")
}

// Where a page is larger than is read of an answer, a smaller one is asked for from the same place; where even that is,
// the failure names the bound, and the list is not taken for a shorter one.
func TestListsOfLongRecords_R143(t *testing.T) {
	for most, read := range map[int]bool{50: true, 20: false} {
		answer := func(w http.ResponseWriter, r *http.Request) {
			limit, limitErr := strconv.Atoi(r.URL.Query().Get("limit"))
			offset, offsetErr := strconv.Atoi(r.URL.Query().Get("offset"))
			if err := errors.Join(limitErr, offsetErr); err != nil {
				t.Errorf("page: %v", err)
			}
			var rows []string
			for i := offset; i < min(offset+limit, 90); i++ {
				rows = append(rows, fmt.Sprintf(`{"id":"TR-%d","employeeId":"E","trainingId":"T","status":"COMPLETED","completionDate":"2026-04-08T14:30:22Z"}`, i))
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"count":90,"results":[%s]}`, strings.Join(rows, ","))
			if limit > most {
				_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20)) // the client hangs up where it has read enough
			}
		}
		c := newStub(t, answer).client(t, nil)
		of, err := c.Records(t.Context(), "E", "T")
		listed := map[string]bool{}
		var listErr error
		for cursor := ""; listErr == nil; {
			var page []training.Record
			page, cursor, listErr = c.Completed(t.Context(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), cursor)
			for _, record := range page {
				listed[record.ID] = true
			}
			if cursor == "" {
				break
			}
		}
		if read {
			require.NoError(t, err)
			require.Len(t, of, 90)
			require.NoError(t, listErr)
			require.Len(t, listed, 90)
			continue
		}
		for _, err := range []error{err, listErr} {
			requireFailure(t, err, training.FailureMisread)
			require.ErrorContains(t, err, "answer is larger than 1 MiB, the most that is read")
		}
	}
}
