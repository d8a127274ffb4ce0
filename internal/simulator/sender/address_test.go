package sender_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/sender"
)

// TestAddresses_R189_R190: tests go to where the deliveries go, with the same credential, and a token in the URL stays.
func TestAddresses_R189_R190(t *testing.T) {
	r, url := start(t)
	axis, xapi := sender.AxisForm(), sender.MoodleStatements()
	lms, _ := open(t, axis, url+"/webhooks/lms/acme/axis/t0ken?k=v")
	post := axis.Posts(site, finish(1))[0]
	require.True(t, lms.Send(t.Context(), post).Delivered)
	require.True(t, lms.Rehearse(t.Context(), post).Delivered)
	require.True(t, lms.TestConnection(t.Context(), http.MethodOptions).Delivered)
	statements, _ := open(t, xapi, url+"/webhooks/lms/acme/moodle/", func(o *sender.Options) { o.Credential = xapi.Credential(account("s")) })
	require.True(t, statements.Rehearse(t.Context(), xapi.Posts(site, finish(1))[0]).Delivered)
	require.True(t, statements.TestConnection(t.Context(), http.MethodGet).Delivered)
	var lines []string
	for _, one := range r.got() {
		lines = append(lines, one.method+" "+one.path+"?"+one.query+" "+one.header.Get("Authorization"))
	}
	require.Equal(t, []string{
		"POST /webhooks/lms/acme/axis/t0ken/course_complete?k=v ",
		"POST /webhooks/lms/acme/axis/t0ken/test/course_complete?k=v ",
		"OPTIONS /webhooks/lms/acme/axis/t0ken?k=v ",
		"POST /webhooks/lms/acme/moodle/test/statements? Basic YnJpZGdlLWtleTpz",
		"GET /webhooks/lms/acme/moodle? Basic YnJpZGdlLWtleTpz",
	}, lines)
}

// TestRefusedToken: a token that the receiver refuses is fetched anew for the next attempt.
func TestRefusedToken_R39(t *testing.T) {
	issued := 0
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		issued++
		_, _ = io.WriteString(w, `{"access_token":"t`+strconv.Itoa(issued)+`","token_type":"Bearer","expires_in":6000}`)
	}))
	defer tokens.Close()
	r, url := start(t, 200, 401)
	p := sender.SuccessFactors()
	lms, _ := open(t, p, url, func(o *sender.Options) {
		o.Credential = p.Credential(sender.Account{Secret: "s", TokenURL: tokens.URL})
	})
	for _, post := range p.Posts(site, finishes(11)...) {
		require.True(t, lms.Send(t.Context(), post).Delivered)
	}
	got := r.got()
	require.Equal(t, []string{"Bearer t1", "Bearer t1", "Bearer t2"},
		[]string{got[0].header.Get("Authorization"), got[1].header.Get("Authorization"), got[2].header.Get("Authorization")})
}

func TestNew(t *testing.T) {
	for _, o := range []sender.Options{
		{}, {URL: "http://127.0.0.1"}, {URL: "http://127.0.0.1", Profile: sender.Axis()},
		{URL: "://t0ken", Profile: sender.Axis(), Credential: sender.Unsigned{}},
	} {
		_, err := sender.New(o)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "t0ken")
	}
}
