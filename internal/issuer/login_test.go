package issuer_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogin_R35_R36(t *testing.T) {
	e := serve(t, user("s3cret-activate"))
	v := verifier(t, user("s3cret-activate"), e.clock)
	for name, test := range map[string]struct{ contentType, body string }{
		"as recorded":          {objectType, "{\n  \"username\": \"activate-svc\",\n  \"password\": \"s3cret-activate\"\n}"},
		"userName":             {objectType + "; charset=utf-8", `{"userName":"activate-svc","password":"s3cret-activate","tenant":7}`},
		"email":                {objectType, `{"email":"activate-svc","password":"s3cret-activate","username":null}`},
		"the same name twice":  {objectType, `{"email":"activate-svc","username":"activate-svc","password":"s3cret-activate"}`},
		"a form":               {formType, "username=activate-svc&password=s3cret-activate"},
		"a form with userName": {formType, "userName=activate-svc&password=s3cret-activate&x=1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := e.post(t, "/login/acme/activate", test.contentType, test.body)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
			object, ok := got.field(t, "access_token").(map[string]any)
			require.True(t, ok)
			require.InDelta(t, 600, object["expires_in_seconds"], 0)
			_, err := v.Verify(bearing(fmt.Sprint(object["token"])))
			require.NoError(t, err)
		})
	}

	asText := user("s3cret-activate")
	asText.AsObject = false
	e = serve(t, asText)
	got := e.post(t, "/login/acme/activate", objectType, `{"username":"activate-svc","password":"s3cret-activate"}`)
	token, ok := got.field(t, "access_token").(string)
	require.True(t, ok)
	_, err := v.Verify(bearing(token))
	require.NoError(t, err)
}

func TestLoginRefuses_R35(t *testing.T) {
	for name, test := range map[string]struct {
		contentType, body string
		status            int
	}{
		"wrong password":  {objectType, `{"username":"activate-svc","password":"s3cret!"}`, 401},
		"wrong user":      {objectType, `{"username":"Activate-svc","password":"s3cret"}`, 401},
		"empty password":  {objectType, `{"username":"activate-svc","password":""}`, 401},
		"two users":       {objectType, `{"username":"activate-svc","email":"x","password":"s3cret"}`, 400},
		"two passwords":   {objectType, `{"username":"activate-svc","password":"x","password":"s3cret"}`, 400},
		"no password":     {objectType, `{"username":"activate-svc"}`, 400},
		"a number":        {objectType, `{"username":"activate-svc","password":7}`, 400},
		"no user":         {objectType, `{"password":"s3cret"}`, 400},
		"an array":        {objectType, `[{"username":"activate-svc","password":"s3cret"}]`, 400},
		"two objects":     {objectType, `{"username":"activate-svc","password":"s3cret"}{}`, 400},
		"half an object":  {objectType, `{"username":"activate-svc","password":"s3cret"`, 400},
		"nothing":         {objectType, ``, 400},
		"a broken form":   {formType, `username=activate-svc&password=s3cret&x=%zz`, 400},
		"another type":    {"text/plain", `{"username":"activate-svc","password":"s3cret"}`, 400},
		"an endless body": {objectType, `{"x":"` + strings.Repeat("a", 9000) + `"}`, 413},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, user("s3cret"))
			got := e.post(t, "/login/acme/activate", test.contentType, test.body)
			require.Equal(t, test.status, got.status, got.body)
			require.NotContains(t, got.body, "s3cret")
			if test.status == 401 {
				require.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"))
			}
		})
	}
}
