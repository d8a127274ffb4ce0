package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"strings"

	"countersign/internal/simulator/sender"
)

// lmsDomain is the seeded tenant's LMS, whichever it is.
const lmsDomain = "acme.lms.example.com"

// source is an LMS of the seeded tenant.
type source struct {
	id string
	// profile is the simulator's name of how it sends.
	profile string
	secret  string // variable, "" for Canvas, which signs with keys
	// tokenPath is where it gets its tokens, before tenant and source; "" where it needs none.
	tokenPath, tokenTail string
	// secretInURL says that the secret is part of the URL, and of nothing else.
	secretInURL bool
}

// sources are the seeded tenant's: one of each platform.
func sources() []source {
	all := []source{
		{id: "lms", profile: "canonical"}, {id: "absorb"}, {id: "activate", tokenPath: "/login"},
		{id: "adobe", profile: "adobe-learning-manager"}, {id: "axis", profile: "axis/form", secretInURL: true},
		{id: "brightspace"}, {id: "canvas"}, {id: "cornerstone"}, {id: "docebo"}, {id: "generic"}, {id: "learnupon"},
		{id: "lessonly"}, {id: "moodle"}, {id: "successfactors", tokenPath: "/oauth", tokenTail: "/token"}, {id: "talentlms"},
	}
	for i := range all {
		if all[i].profile == "" {
			all[i].profile = all[i].id
		}
		if all[i].id == "canvas" {
			continue
		}
		all[i].secret = "ACME_" + strings.ToUpper(all[i].id) + "_SECRET"
	}
	return all
}

// newSecret makes a secret; Moodle's plugin has a form of its own for them.
func newSecret(variable string) string {
	if variable == moodleSecret {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // it never fails (crypto/rand)
		return "whsec_" + base64.StdEncoding.EncodeToString(key)
	}
	return strings.ToLower(rand.Text())
}

var idLine = regexp.MustCompile(`(?m)^ *- id: *([a-z0-9-]+)`)

// sourceIDs finds the ids in a tenants' file that is written as the template is; starter and worker, which have its
// secrets, read it properly.
func sourceIDs(content []byte) map[string]bool {
	ids := map[string]bool{}
	for _, match := range idLine.FindAllSubmatch(content, -1) {
		ids[string(match[1])] = true
	}
	return ids
}

// senders are the LMSs of those sources that the tenants' file still has, by the names of their profiles. The missing ones are
// named: the file is the developer's.
func (i *installation) senders() (all map[string]*sender.LMS, missing []string, err error) {
	content, err := os.ReadFile(i.data.file("countersign.yml"))
	if err != nil {
		return nil, nil, fmt.Errorf("read tenants: %w", err)
	}
	has := sourceIDs(content)
	all = map[string]*sender.LMS{}
	for _, s := range sources() {
		if !has[s.id] {
			missing = append(missing, s.id)
			continue
		}
		profile, ok := sender.Find(s.profile)
		if !ok {
			return nil, nil, fmt.Errorf("no profile %s", s.profile)
		}
		url := i.url(i.ports.ingress)
		account := sender.Account{
			Secret: i.data.secrets[s.secret], TokenURL: url + s.tokenPath + "/acme/" + s.id + s.tokenTail, Keys: i.simulators.canvas,
		}
		options := sender.Options{Profile: profile, URL: url + "/webhooks/lms/acme/" + s.id}
		if s.secretInURL {
			options.URL += "/" + account.Secret
			account.Secret = ""
		}
		options.Credential = profile.Credential(account)
		if all[s.profile], err = sender.New(options); err != nil {
			return nil, nil, fmt.Errorf("source %s: %w", s.id, err)
		}
	}
	return all, missing, nil
}
