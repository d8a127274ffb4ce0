package issuer_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An answer never says whether there is such a tenant or source.
func TestNobodyIsAnsweredLikeAWrongSecret_R199(t *testing.T) {
	const credentials = "grant_type=client_credentials&client_id=activate-client&client_secret="
	e := serve(t, client("s3cret"), user("s3cret"))
	wrong := e.post(t, "/oauth/acme/sap/token", formType, credentials+"x")
	require.Equal(t, http.StatusUnauthorized, wrong.status)
	wrong.header.Del("Date")
	for _, path := range []string{
		"/oauth/acme/none/token", "/oauth/none/sap/token", "/oauth/acme/activate/token", "/oauth/-/-/token", "/oauth/" + strings.Repeat("a", 300) + "/b/token",
	} {
		for range 5 {
			got := e.post(t, path, formType, credentials+"s3cret")
			got.header.Del("Date")
			require.Equal(t, wrong, got, path)
		}
		require.Equal(t, http.StatusTooManyRequests, e.post(t, path, formType, credentials+"s3cret").status, path)
	}
	require.Equal(t, http.StatusUnauthorized, e.post(t, "/login/acme/sap", objectType, `{"username":"activate-client","password":"s3cret"}`).status)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL+"/login/acme/activate", nil)
	require.NoError(t, err)
	response, err := e.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
}

func TestGuessingIsSlowedDown_R39(t *testing.T) {
	const right = `{"username":"activate-svc","password":"s3cret"}`
	const wrong = `{"username":"activate-svc","password":"x"}`
	e := serve(t, user("s3cret"))
	login := func(body, address string) answer {
		return e.post(t, "/login/acme/activate", objectType, body, "X-Test-Address", address)
	}
	for range 20 { // right ones are no guesses
		require.Equal(t, 200, login(right, "192.0.2.1").status)
	}
	for range 5 {
		require.Equal(t, 401, login(wrong, "192.0.2.1").status)
	}
	got := login(right, "192.0.2.1")
	require.Equal(t, 429, got.status, "or the answer would still tell")
	require.Equal(t, "12", got.header.Get("Retry-After"))
	require.Equal(t, 200, login(right, "192.0.2.2").status, "a stranger cannot lock the customer's LMS out")
	e.clock.forward(12 * time.Second)
	require.Equal(t, 200, login(right, "192.0.2.1").status)
	require.Equal(t, 401, login(wrong, "192.0.2.1").status)
	require.Equal(t, 429, login(wrong, "192.0.2.1").status)

	e.clock.forward(10 * time.Minute)
	for i := range 5 { // one IPv6 customer has many addresses
		require.Equal(t, 401, login(wrong, fmt.Sprintf("2001:db8::%d", i)).status)
	}
	require.Equal(t, 429, login(wrong, "2001:db8::9").status)
	require.Equal(t, 401, login(wrong, "2001:db8:0:1::9").status)

	e.clock.forward(10 * time.Minute)
	require.Equal(t, 200, login(right, "203.0.113.1").status)
	statuses := map[int]int{}
	for i := range 110 {
		statuses[login(wrong, fmt.Sprintf("198.51.100.%d", i)).status]++
	}
	require.Equal(t, map[int]int{401: 100, 429: 10}, statuses)
	require.Equal(t, 200, login(right, "203.0.113.1").status, "the address that was right before is not locked out")
	require.Equal(t, 429, login(right, "203.0.113.2").status)
}

func TestManyGuessesAtOnceAreCounted(t *testing.T) {
	e := serve(t, user("s3cret"))
	statuses := make(chan int, 40)
	var wg sync.WaitGroup
	for range cap(statuses) {
		wg.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/login/acme/activate", strings.NewReader(`{"username":"activate-svc","password":"x"}`))
			if err != nil {
				return
			}
			r.Header.Set("Content-Type", objectType)
			response, err := e.Client().Do(r)
			if err != nil {
				return
			}
			_ = response.Body.Close()
			statuses <- response.StatusCode
		})
	}
	wg.Wait()
	close(statuses)
	counted := map[int]int{}
	for status := range statuses {
		counted[status]++
	}
	require.Equal(t, map[int]int{401: 5, 429: 35}, counted)
}

func TestTokensAreNotIssuedWithoutEnd(t *testing.T) {
	e := serve(t, user("s3cret"))
	statuses := map[int]int{}
	for i := range 125 {
		statuses[e.post(t, "/login/acme/activate", objectType, `{"username":"activate-svc","password":"s3cret"}`, "X-Test-Address", fmt.Sprintf("192.0.2.%d", i)).status]++
	}
	require.Equal(t, map[int]int{200: 120, 429: 5}, statuses)
}
