package rig

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"countersign/bench/faults/clock"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/wire"
)

// tenants is the tenants' file of a run. The retries come after fractions of a second instead of
// 1, 5 and 15 minutes, a held QMS is probed every two seconds instead of every five minutes, and notices are
// gathered for a second instead of an hour; nothing else
// differs from what an operator writes.
const tenants = `tenants:
  - id: %s
    name: Acme Medical
    admins: [training@acme.example]
    qms:
      url: http://%s
      client_id: svc-countersign
      client_secret: env:FAULTS_QMS_SECRET
      scopes: [training.records.write, training.status.update, user.read, training.records.approve]
    lrs: {url: "http://%s/xapi", username: countersign, password: env:FAULTS_LRS_SECRET, home_page: %q}
    employee_id: external_id
    courses: [{code: %s, training: %s}]
    policy: {retry: {initial: 400ms, coefficient: 2, maximum: 1500ms, attempts: 4}, digest_every: 1s, outage: {probe: {first: 500ms, maximum: 2s}, resume_per_second: 50}}
    sources:
      - id: %s
        platform: %s
        domains: [%s]
        auth: {hmac_sha256: {secrets: [env:FAULTS_LMS_SECRET]}}
        rate: {per_second: 5000, burst: 5000}
`

func (r *Rig) writeTenants() (file string, err error) {
	file = filepath.Join(r.options.Dir, "countersign.yml")
	if err := os.WriteFile(file, tenantsFile(r.qms.Address(), r.lrs.Address()), 0o600); err != nil {
		return "", fmt.Errorf("write the tenants' file: %w", err)
	}
	return file, nil
}

func tenantsFile(qms, lrs string) []byte {
	return fmt.Appendf(nil, tenants, traffic.Tenant, qms, lrs, homePage, traffic.Course, trainingID,
		traffic.Source, traffic.Platform, traffic.Domain)
}

// environment is that of one of our processes, which reaches everything over links of its own.
func (r *Rig) environment(tenantsFile string, journal, temporal *wire.Link, own map[string]string) map[string]string {
	host, port, _ := strings.Cut(r.world.mail.Addr(), ":")
	env := map[string]string{
		"COUNTERSIGN_JOURNAL": r.store.dsn(journal), "COUNTERSIGN_TENANTS": tenantsFile, "COUNTERSIGN_LOG_FORMAT": "text",
		"COUNTERSIGN_CLAIM_LEASE": "5s", "COUNTERSIGN_DRAIN_TIMEOUT": "5s",
		"COUNTERSIGN_SMTP_HOST": host, "COUNTERSIGN_SMTP_PORT": port, "COUNTERSIGN_SMTP_FROM": "countersign@acme.example",
		"COUNTERSIGN_SMTP_TLS": "none",
		"TEMPORAL_ADDRESS":     temporal.Address(), "TEMPORAL_NAMESPACE": r.temporal.Namespace(),
		clock.Variable:      r.clock.File(),
		"FAULTS_LMS_SECRET": r.secrets.lms, "FAULTS_QMS_SECRET": r.secrets.qms, "FAULTS_LRS_SECRET": r.secrets.lrs,
	}
	maps.Copy(env, own)
	return env
}
