package issuer_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The recorded requests of Activate and SAP, as far as they go.
func TestTokenEndpoint_R39_R46(t *testing.T) {
	const credentials = "grant_type=client_credentials&client_id=activate-client&client_secret=s3cret-activate"
	e := serve(t, client("s3cret-activate", "old+secret%20"))
	v := verifier(t, client("s3cret-activate", "old+secret%20"), e.clock)
	for name, test := range map[string]struct {
		form, authorization string
		want                int
		scope               any
	}{
		"in the form":              {credentials, "", 0, nil},
		"with a scope":             {credentials + "&scope=completions.write+x", "", 0, "completions.write x"},
		"unknown parameters":       {credentials + "&audience=x&resource=", "", 0, nil},
		"in the header":            {"grant_type=client_credentials", basicHeader("activate-client", "s3cret-activate"), 0, nil},
		"header and the same id":   {"grant_type=client_credentials&client_id=activate-client", basicHeader("activate-client", "s3cret-activate"), 0, nil},
		"header, not form-encoded": {"grant_type=client_credentials", basicHeader("activate-client", "old+secret%20"), 1, nil},
		"header, form-encoded":     {"grant_type=client_credentials", basicHeader("activate%2Dclient", url.QueryEscape("old+secret%20")), 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var header []string
			if test.authorization != "" {
				header = []string{"Authorization", test.authorization}
			}
			got := e.post(t, "/oauth/acme/sap/token", formType, test.form, header...)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
			require.Equal(t, "no-cache", got.header.Get("Pragma"))
			require.Equal(t, objectType, got.header.Get("Content-Type"))
			require.Equal(t, "Bearer", got.field(t, "token_type"))
			require.InDelta(t, 600, got.field(t, "expires_in"), 0)
			require.Equal(t, test.scope, got.field(t, "scope"))
			secret, err := v.Verify(bearing(fmt.Sprint(got.field(t, "access_token"))))
			require.NoError(t, err)
			require.Equal(t, test.want, secret)
		})
	}
}

func TestTokenEndpointErrors_RFC6749(t *testing.T) {
	const grant, id, secret = "grant_type=client_credentials", "&client_id=activate-client", "&client_secret=s3cret"
	for name, test := range map[string]struct {
		contentType, form, authorization string
		status                           int
		code                             string
	}{
		"JSON":                    {objectType, `{"grant_type":"client_credentials"}`, "", 400, "invalid_request"},
		"no grant type":           {formType, "x=1" + id + secret, "", 400, "invalid_request"},
		"empty grant type":        {formType, "grant_type=" + id + secret, "", 400, "invalid_request"},
		"another grant type":      {formType, "grant_type=password" + id + secret, "", 400, "unsupported_grant_type"},
		"a parameter twice":       {formType, grant + id + id + secret, "", 400, "invalid_request"},
		"no form":                 {formType, grant + "&x=%zz", "", 400, "invalid_request"},
		"no client":               {formType, grant, "", 401, "invalid_client"},
		"no secret":               {formType, grant + id, "", 401, "invalid_client"},
		"empty secret":            {formType, grant + id + "&client_secret=", "", 401, "invalid_client"},
		"wrong secret":            {formType, grant + id + secret + "x", "", 401, "invalid_client"},
		"wrong client":            {formType, grant + id + "x" + secret, "", 401, "invalid_client"},
		"wrong in the header":     {formType, grant, basicHeader("activate-client", "x"), 401, "invalid_client"},
		"another scheme":          {formType, grant, "Bearer s3cret", 401, "invalid_client"},
		"not base64":              {formType, grant, "Basic s3cret!", 401, "invalid_client"},
		"in both places":          {formType, grant + secret, basicHeader("activate-client", "s3cret"), 400, "invalid_request"},
		"two clients":             {formType, grant + "&client_id=x", basicHeader("activate-client", "s3cret"), 400, "invalid_request"},
		"a scope with quotes":     {formType, grant + id + secret + "&scope=%22", "", 400, "invalid_scope"},
		"a scope with two spaces": {formType, grant + id + secret + "&scope=a++b", "", 400, "invalid_scope"},
		"an endless scope":        {formType, grant + id + secret + "&scope=" + strings.Repeat("a", 600), "", 400, "invalid_scope"},
		"an endless body":         {formType, grant + id + secret + "&x=" + strings.Repeat("a", 9000), "", 413, "invalid_request"},
		"scope, but wrong secret": {formType, grant + id + secret + "x&scope=a", "", 401, "invalid_client"},
		"the secret in the URL":   {formType, grant + id, "", 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, client("s3cret"))
			var header []string
			if test.authorization != "" {
				header = []string{"Authorization", test.authorization}
			}
			got := e.post(t, "/oauth/acme/sap/token?client_secret=s3cret", test.contentType, test.form, header...)
			require.Equal(t, test.status, got.status, got.body)
			require.Equal(t, test.code, got.field(t, "error"))
			require.NotEmpty(t, got.field(t, "error_description"))
			require.NotContains(t, got.body, "s3cret")
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
			require.Equal(t, test.status == 401, strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Basic "))
		})
	}
}
