package setup

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Credential is one way in which a platform can prove itself, and both of its ends.
type Credential struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Sends is what arrives at Countersign.
	Sends Fact `yaml:"sends"`
	// Enter is what is typed where in the LMS.
	Enter []Fact `yaml:"enter"`
	// Settings are the lines of the source in the tenants' file, without id and platform.
	Settings string `yaml:"settings"`

	auth auth
}

// auth is the part of Settings that a command needs: the kinds as internal/settings names them.
type auth struct {
	HMAC          *hmacAuth   `yaml:"hmac_sha256"`
	APIKey        *keyAuth    `yaml:"api_key"`
	Bearer        *secretAuth `yaml:"bearer"`
	Authorization *secretAuth `yaml:"authorization"`
	Basic         *basicAuth  `yaml:"basic"`
	TokenIn       *tokenAuth  `yaml:"token_in"`
	JWT           *jwtAuth    `yaml:"jwt"`
	OAuth2        *oauthAuth  `yaml:"oauth2"`
	Login         *loginAuth  `yaml:"login"`
	MTLS          *mtlsAuth   `yaml:"mtls"`
	LearnUponV1   *secretAuth `yaml:"learnupon_v1"`
	IPAllow       []string    `yaml:"ip_allow"`

	none bool // auth: none, for a source with mode: test
}

type secretAuth struct {
	Secrets []string `yaml:"secrets"`
}

type hmacAuth struct {
	Secrets   []string `yaml:"secrets"`
	Signed    string   `yaml:"signed"`
	Headers   []string `yaml:"headers"`
	Prefix    *string  `yaml:"prefix"`
	Encoding  string   `yaml:"encoding"`
	Tolerance string   `yaml:"tolerance"`
}

// standard reports whether the signature is that of Standard Webhooks.
func (h hmacAuth) standard() bool { return h.Signed == "id.timestamp.body" }

type keyAuth struct {
	Header  string   `yaml:"header"`
	Secrets []string `yaml:"secrets"`
}

type basicAuth struct {
	Username string   `yaml:"username"`
	Secrets  []string `yaml:"secrets"`
}

type tokenAuth struct {
	Query   string   `yaml:"query"`
	Path    bool     `yaml:"path"`
	Body    string   `yaml:"body"`
	Secrets []string `yaml:"secrets"`
}

type jwtAuth struct {
	JWKSURL    string   `yaml:"jwks_url"`
	JWKSFile   string   `yaml:"jwks_file"`
	Issuer     string   `yaml:"issuer"`
	Audience   string   `yaml:"audience"`
	Algorithms []string `yaml:"algorithms"`
	In         string   `yaml:"in"`
	// Claims are further claims, by JSON pointer.
	Claims    map[string]string `yaml:"claims"`
	Tolerance string            `yaml:"tolerance"`
}

type oauthAuth struct {
	ClientID string   `yaml:"client_id"`
	Secrets  []string `yaml:"secrets"`
	Lifetime string   `yaml:"lifetime"`
}

type loginAuth struct {
	Username string   `yaml:"username"`
	Secrets  []string `yaml:"secrets"`
	Answer   string   `yaml:"answer"`
	Lifetime string   `yaml:"lifetime"`
}

type mtlsAuth struct {
	Fingerprints []string `yaml:"fingerprints"`
	CA           string   `yaml:"ca"`
	Subject      string   `yaml:"subject"`
}

// readSettings reads Settings into auth; keys that a source does not have are refused.
func (c *Credential) readSettings() error {
	var source struct {
		Auth yaml.Node `yaml:"auth"`
		Mode string    `yaml:"mode"`
	}
	if err := strictly([]byte(c.Settings), &source); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if source.Auth.Kind == yaml.ScalarNode && source.Auth.Value == "none" {
		if source.Mode != "test" { // R41
			return errors.New("settings: auth: none needs mode: test")
		}
		c.auth.none = true
		return nil
	}
	text, err := yaml.Marshal(&source.Auth)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if err := strictly(text, &c.auth); err != nil {
		return fmt.Errorf("settings: auth: %w", err)
	}
	if h := c.auth.HMAC; h != nil && !h.standard() && len(h.Headers) == 0 {
		return errors.New("settings: hmac_sha256 must name its headers, so that the page does")
	}
	if !c.curlable() && c.auth.JWT == nil && c.auth.LearnUponV1 == nil {
		return errors.New("settings: auth has no kind that proves anything")
	}
	return nil
}

// curlable reports whether a shell can send what this credential asks for: it cannot sign for an
// issuer whose private key it does not have.
func (c Credential) curlable() bool {
	a := c.auth
	if a.JWT != nil || a.LearnUponV1 != nil && a.HMAC == nil {
		return false
	}
	return a.none || a.HMAC != nil || a.APIKey != nil || a.Bearer != nil || a.Authorization != nil || a.Basic != nil ||
		a.TokenIn != nil || a.OAuth2 != nil || a.Login != nil || a.MTLS != nil || len(a.IPAllow) > 0
}

// inPath reports whether the token is a part of the URL.
func (c Credential) inPath() bool { return c.auth.TokenIn != nil && c.auth.TokenIn.Path }

// inQuery is the query's parameter that holds the token, "" where there is none.
func (c Credential) inQuery() string {
	if c.auth.TokenIn == nil {
		return ""
	}
	return c.auth.TokenIn.Query
}

// strictly decodes YAML and refuses unknown keys.
func strictly(text []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	return decoder.Decode(into)
}
