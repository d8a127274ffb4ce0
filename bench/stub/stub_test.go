package stub_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/bench/stub"
	"countersign/internal/postgrestest"
)

const header, secret = "X-Signature", "s3cret"

func post(t *testing.T, h http.Handler, body, signature string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, stub.Path, strings.NewReader(body))
	request.Header.Set(header, signature)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer.Code
}

func sign(body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestBareVerifies(t *testing.T) {
	h := stub.Bare(header, secret)
	for name, test := range map[string]struct {
		signature string
		want      int
	}{
		"signed":      {sign("body"), http.StatusOK},
		"of another":  {sign("other"), http.StatusUnauthorized},
		"not hex":     {"sha256=zz", http.StatusUnauthorized},
		"without one": {"", http.StatusUnauthorized},
	} {
		require.Equal(t, test.want, post(t, h, "body", test.signature), name)
	}
}

// A stub that forgot what it acknowledged would be no denominator.
func TestCommittingKeepsWhatItAcknowledges(t *testing.T) {
	for name, open := range map[string]func() (dsn, driver, source string){
		"sqlite": func() (string, string, string) {
			path := filepath.Join(t.TempDir(), "stub.db")
			return "sqlite:" + path, "sqlite", path
		},
		"postgres": func() (string, string, string) {
			dsn := postgrestest.Start(t)
			return dsn, "pgx", dsn
		},
	} {
		t.Run(name, func(t *testing.T) {
			dsn, driver, source := open()
			store, err := stub.OpenStore(t.Context(), dsn)
			require.NoError(t, err)
			h := stub.Committing(header, secret, store)
			const n = 600 // more than one batch
			codes := make([]int, n)
			var senders sync.WaitGroup
			for i := range n {
				body := fmt.Sprint("body ", i)
				senders.Go(func() { codes[i] = post(t, h, body, sign(body)) })
			}
			senders.Wait()
			for _, code := range codes {
				require.Equal(t, http.StatusOK, code)
			}
			require.Equal(t, http.StatusUnauthorized, post(t, h, "forged", sign("other")))
			appends, commits := store.Stats()
			require.EqualValues(t, n, appends)
			require.Positive(t, commits)
			require.Less(t, commits, appends, "they share commits")
			require.NoError(t, store.Close())

			db, err := sql.Open(driver, source)
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			var stored, distinct int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*), count(DISTINCT body) FROM bodies").Scan(&stored, &distinct))
			require.Equal(t, n, stored)
			require.Equal(t, n, distinct)
		})
	}
}

// The settings of the journal, read back: with less the comparison would flatter the stub.
func TestTheStubsSQLiteIsAsDurableAsTheJournals(t *testing.T) {
	store, err := stub.OpenStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "stub.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	mode, synchronous, err := store.Durability(t.Context())
	require.NoError(t, err)
	require.Equal(t, "wal", mode)
	require.Equal(t, "2", synchronous)
}

func TestOpenStoreSaysWhatIsWrong(t *testing.T) {
	_, err := stub.OpenStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "none", "stub.db"))
	require.ErrorContains(t, err, "open the stub's store")
}
