package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"countersign/internal/simulator/sender"
)

// introduce prints what runs where and how to send the first completion.
func (i *installation) introduce(out io.Writer, took time.Duration) {
	now := time.Now()
	body := sampleBody(now)
	secrets := display(i.data.file("secrets.env"))
	_, _ = fmt.Fprintf(out, `
Countersign is up after %.1f s, on this machine only. ^C stops it; the next start goes on where it stopped.

  %-32s ingress: takes deliveries; /setup/ says how to connect an LMS; /healthz, /readyz, /metrics
  %-32s Temporal Web UI: every completion, step by step (clients: %s)
  %-32s simulators: Arena, LRS and mails (SMTP %s); approve, break, mend
  %-32s worker: /healthz, /readyz, /metrics
  %-32s data: countersign.yml (the tenant, yours to edit), journal.db, logs/

Send a completion of now. Sent once more it is a duplicate, and nothing happens twice:

  curl -sS %[9]s \
    -H 'Content-Type: application/json' -H '%[10]s: %[11]s' \
    -d '%[12]s'

Send your own, signed with the secret in %[13]s:

  . %[14]s
  BODY='{...}'   # as above
  curl -sS %[9]s \
    -H 'Content-Type: application/json' -d "$BODY" \
    -H "%[10]s: sha256=$(printf %%s "$BODY" | openssl dgst -sha256 -hmac "$ACME_LMS_SECRET" | sed 's/.*= *//')"

Then look at the completion in the Temporal Web UI and at its record, COMPLETED, on the simulators' page.
With the course GMP-7-APPROVAL it waits for a person; its page in the Web UI says what to send to it.

Have everything examined, from another terminal; nothing is written (docs/doctor.md):

  (. %[15]s; go run ./starter doctor)

`,
		took.Seconds(), i.url(i.ports.ingress), i.temporal.UIURL(), i.temporal.Address(),
		i.url(i.ports.simulators), local(i.ports.smtp), i.url(i.ports.metrics), display(i.data.dir),
		i.ingress(), sender.SignatureHeader, sender.Sign(i.data.secrets[lmsSecret], []byte(body)), body,
		secrets, sourced(secrets), sourced(display(i.data.file(environmentFile))))
}

// sampleBody is a completion of now by somebody who has none yet: the learner is named by the second.
func sampleBody(now time.Time) string {
	now = now.UTC().Truncate(time.Second)
	passed, score := true, 91.5
	number := int(now.Unix() % 10_000_000)
	course := sender.DemoCourses()[0]
	course.Result = &sender.Result{CompletionDate: now.Format(time.RFC3339), Score: &score, Passed: &passed}
	body, err := json.Marshal(sender.Envelope{
		ID: "wh-" + now.Format("20060102-150405"), Event: sender.EventCompletion, Version: "1.0",
		FiredAt: now.Format("2006-01-02T15:04:05.000Z"), Timestamp: now.Unix(), OriginalDomain: lmsDomain,
		Payload: sender.Payload{
			User: sender.User{ID: number, Email: "jordan.lee@example.com", FirstName: "Jordan", LastName: "Lee",
				ExternalID: fmt.Sprintf("EMP-%d", number)},
			Course: course,
		},
	})
	if err != nil {
		return err.Error() // of strings and numbers only: it cannot fail
	}
	return string(body)
}

// sourced is a path as "." takes it: without a slash it would be looked for on PATH.
func sourced(path string) string {
	if len(path) > 0 && path[0] == '/' {
		return path
	}
	return "./" + path
}
