package lrs_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/lrs"
)

// A store loses statements and shows others than it was sent, as no sender can bring about; a restart changes nothing of it.
func TestStatementsAreLostAndReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lrs.state")
	store, err := lrs.Open(path, lrs.Options{})
	require.NoError(t, err)
	r := startRig(t, store)
	for _, id := range []string{idA, idB} {
		status, _ := r.do("PUT", "/xapi/statements?statementId="+id, statement(id))
		require.Equal(t, http.StatusNoContent, status)
	}
	_, answer := r.do("DELETE", "/__sim/statements/"+idA, "")
	require.JSONEq(t, `{"lost":true}`, answer)
	_, answer = r.do("DELETE", "/__sim/statements/"+idA, "")
	require.JSONEq(t, `{"lost":false}`, answer)
	status, _ := r.do("PUT", "/__sim/statements/"+idB, statement(idB, "91.5", "19.5"))
	require.Equal(t, http.StatusOK, status)
	for address, body := range map[string]string{idA: statement(idA), idB: "no JSON"} {
		status, _ = r.do("PUT", "/__sim/statements/"+address, body)
		require.Equal(t, http.StatusBadRequest, status)
	}
	again, err := lrs.Open(path, lrs.Options{})
	require.NoError(t, err)
	for _, reads := range []*rig{r, startRig(t, again)} {
		status, _ = reads.do("GET", "/xapi/statements?statementId="+idA, "")
		require.Equal(t, http.StatusNotFound, status)
		_, answer = reads.do("GET", "/xapi/statements?statementId="+idB, "")
		require.Contains(t, answer, `"raw":19.5`)
	}
	require.Len(t, store.Statements(), 1)
}
