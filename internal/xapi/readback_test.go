package xapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/internal/xapi"
)

// stored is a simulated LRS that has taken a statement, and a client of it.
func stored(t *testing.T) (sim *lrs.LRS, client *xapi.Client, id string, body []byte) {
	t.Helper()
	sim = lrs.New(lrs.Options{Now: func() time.Time { return time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC) }})
	sim.AddAccount("key", "s3cret")
	client = newClient(t, sim.Handler())
	id, body = statementBody(t)
	require.NoError(t, client.Put(t.Context(), id, body))
	return sim, client, id, body
}

func TestReadBackTellsHowAStatementStands_R148(t *testing.T) {
	sim, client, id, body := stored(t)
	shown, err := client.ReadBack(t.Context(), id, body)
	require.NoError(t, err)
	require.Equal(t, xapi.Shown{Standing: xapi.Held}, shown)
	require.Equal(t, 1, sim.Calls(lrs.EndpointGet))

	other := completion()
	other.Score.Raw = "12"
	_, changed, err := xapi.New(completion().Fingerprint(), other, options())
	require.NoError(t, err)
	shown, err = client.ReadBack(t.Context(), id, changed)
	require.NoError(t, err)
	require.Equal(t, xapi.Shown{Standing: xapi.Different, Part: "result"}, shown)

	require.NoError(t, client.Put(t.Context(), "0d6b0fca-3c0a-4a6e-9f3a-0d6f1e5b7a11", []byte(`{"actor":{"mbox":"mailto:a@b.example"},
		"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":"`+id+`"}}`)))
	shown, err = client.ReadBack(t.Context(), id, body)
	require.NoError(t, err)
	require.Equal(t, xapi.Shown{Standing: xapi.Voided}, shown)

	require.True(t, sim.Lose(id))
	shown, err = client.ReadBack(t.Context(), id, body)
	require.NoError(t, err)
	require.Equal(t, xapi.Shown{Standing: xapi.Missing, Through: time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)}, shown)
	require.Equal(t, 1, sim.Sends(id), "nothing is written")
}

// xAPI 2.0 (IEEE 9274.1.1) is asked in its own version, in the same way.
func TestReadBackSpeaksTheVersionOfTheSettings(t *testing.T) {
	var versions []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		versions = append(versions, r.Header.Get("X-Experience-API-Version"))
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	client, err := xapi.NewClient(xapi.ClientConfig{Endpoint: server.URL, Username: "key", Password: "s3cret", Version: "2.0.0"})
	require.NoError(t, err)
	shown, err := client.ReadBack(t.Context(), id, []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, xapi.Shown{Standing: xapi.Missing}, shown)
	require.Equal(t, []string{"2.0.0", "2.0.0"}, versions)
}

// What answers 200 to everything, or 404, is no LRS, and no statement is missing there.
func TestReadableTellsAnLRSFromOtherServers(t *testing.T) {
	for answer, want := range map[string]training.FailureClass{
		`{"statements":[{"id":`:                   "", // as much of it as is read
		`{"more":"","x":{"a":1},"statements":[]}`: "",
		`{"statements":{}}`:                       training.FailureMisread,
		`{"more":""}`:                             training.FailureMisread,
		`{"more":`:                                training.FailureMisread,
		`[]`:                                      training.FailureMisread,
		`<html>Sign in</html>`:                    training.FailureMisread,
		``:                                        training.FailureMisread,
	} {
		err := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })).Readable(t.Context())
		if want == "" {
			require.NoError(t, err, answer)
			continue
		}
		require.Equal(t, want, classOf(t, err), answer)
	}
	err := newClient(t, http.NotFoundHandler()).Readable(t.Context())
	require.Equal(t, training.FailureStatementRefused, classOf(t, err))
}

// An answer that is larger than is read says nothing about the statement, and the failure says that and not that the JSON
// is wrong.
func TestAnswerThatIsTooLargeNamesTheBound_R143(t *testing.T) {
	id, body := statementBody(t)
	status := http.StatusOK
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		// The client hangs up where it has read enough.
		_, _ = w.Write(append(append([]byte(`{"version":["1.0.3"],"statements":[`), bytes.Repeat([]byte("0,"), 1<<20)...), "0]}"...))
	}))
	_, err := client.ReadBack(t.Context(), id, body)
	require.EqualError(t, err, "misread: read statement back "+id+": 200, answer is larger than 1 MiB, the most that is read")
	_, err = client.About(t.Context())
	require.EqualError(t, err, "misread: read about: 200, answer is larger than 1 MiB, the most that is read")
	require.NoError(t, client.Readable(t.Context()), "it lists statements, and cares for no limit")

	status = http.StatusBadRequest // what an error says besides its status is not needed
	_, err = client.ReadBack(t.Context(), id, body)
	var failure *training.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, training.FailureStatementRefused, failure.Class)
}
