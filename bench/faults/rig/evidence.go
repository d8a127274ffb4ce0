package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/bench/faults/ledger"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/verdict"
	"countersign/internal/journal"
	"countersign/internal/training"
)

const tenant = traffic.Tenant

func (w *world) isForeign(f training.Fingerprint) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.foreign[f] != ""
}

// toldLimit is how long the last notice may take: notices are gathered for a second.
const toldLimit = 30 * time.Second

// Evidence collects what stands where. sums is the sender's ledger.
func (r *Rig) Evidence(ctx context.Context, sums ledger.Summary, sent map[int]bool) (verdict.Evidence, error) {
	j, err := journal.Open(ctx, r.store.direct(), journal.Options{})
	if err != nil {
		return verdict.Evidence{}, fmt.Errorf("collect evidence: %w", err)
	}
	defer j.Close()
	var e verdict.Evidence
	statements, strays := r.world.statements()
	e.Strays = slices.Concat(strays, r.world.strayChanges())
	acked := r.acked(sums)
	known := 0
	for _, k := range r.options.Traffic.Keys {
		f, err := r.fact(ctx, j, k)
		if err != nil {
			return e, fmt.Errorf("collect evidence about key %d: %w", k.Number, err)
		}
		f.Sent, f.Acked, f.Statements = sent[k.Number], acked[k.Number], statements[k.Fingerprint]
		if f.State != "" {
			known++
		}
		e.Facts = append(e.Facts, f)
	}
	counts, err := j.Counts(ctx)
	if err != nil {
		return e, fmt.Errorf("collect evidence: %w", err)
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	if total != known {
		e.Strays = append(e.Strays, fmt.Sprintf("the journal holds %d completions, of which %d were made here", total, known))
	}
	for f := range statements {
		if _, ours := r.world.keys[f]; !ours {
			e.Strays = append(e.Strays, "a statement of a completion that was not made here")
		}
	}
	if e.Missing, err = r.missing(ctx, j, sums, e.Facts); err != nil {
		return e, err
	}
	for i := range e.Facts { // once the last notice has come
		e.Facts[i].Notices = r.world.notices(e.Facts[i].Fingerprint)
	}
	return e, nil
}

// acked are the keys some delivery of which was acknowledged.
func (r *Rig) acked(sums ledger.Summary) map[int]bool {
	acked := map[int]bool{}
	for _, entry := range sums.Delivered {
		if entry.Key >= 0 {
			acked[entry.Key] = true
		}
	}
	return acked
}

// fact is what journal and QMS say about one key.
func (r *Rig) fact(ctx context.Context, j *journal.Journal, k traffic.Key) (verdict.Fact, error) {
	f := verdict.Fact{
		Key: k.Number, Fingerprint: k.Fingerprint, Completes: k.Kind.Healthy(), Approval: k.Kind == traffic.Approval,
		Conflict: r.world.isForeign(k.Fingerprint), CompletedAt: k.CompletedAt, Score: strconv.FormatFloat(k.Score, 'f', -1, 64),
		Record: r.world.record(k), Changes: r.world.changes(k), Early: r.world.earlyOf(k.Fingerprint),
		ClockSet: r.options.Plan.Sets(plan.OurClock), ToldAnew: r.options.Plan.Has("temporal-lost"),
	}
	stored, err := j.Completion(ctx, tenant, k.Fingerprint)
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return f, err
	}
	f.State = stored.State
	proof, err := j.Effect(ctx, tenant, k.Fingerprint, training.EffectRecord)
	switch {
	case err == nil:
		f.ProofAt, f.Proof = proof.CreatedAt, &verdict.Proof{}
		if err := json.Unmarshal(proof.Bytes, f.Proof); err != nil {
			return f, fmt.Errorf("the stored read-back is no JSON: %w", err)
		}
	case !errors.Is(err, journal.ErrNotFound):
		return f, err
	}
	certificate, err := j.Effect(ctx, tenant, k.Fingerprint, training.EffectCertificate)
	different := maps.Clone(r.certificates[k.Fingerprint])
	if different == nil {
		different = map[string]bool{}
	}
	switch {
	case err == nil:
		if !bytes.HasPrefix(certificate.Bytes, []byte("%PDF-")) {
			return f, errors.New("the stored certificate is no PDF")
		}
		different[certificate.SHA256] = true
		f.CertificateAt = certificate.CreatedAt
	case !errors.Is(err, journal.ErrNotFound):
		return f, err
	}
	f.Certificates = len(different)
	return f, nil
}

// rememberCertificates notes the documents that are about to be forgotten.
func (r *Rig) rememberCertificates(ctx context.Context) error {
	j, err := journal.Open(ctx, r.store.direct(), journal.Options{})
	if err != nil {
		return err
	}
	defer j.Close()
	for _, k := range r.options.Traffic.Keys {
		effect, err := j.Effect(ctx, tenant, k.Fingerprint, training.EffectCertificate)
		if errors.Is(err, journal.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		r.certificates[k.Fingerprint] = map[string]bool{effect.SHA256: true}
	}
	return nil
}

// missing looks for acknowledged deliveries that are not in the journal, and for what waits for a
// person who was not told.
func (r *Rig) missing(ctx context.Context, j *journal.Journal, sums ledger.Summary, facts []verdict.Fact) ([]string, error) {
	var missing []string
	for number, entry := range sums.Delivered {
		stored, err := j.Delivery(ctx, tenant, entry.DeliveryID)
		switch {
		case errors.Is(err, journal.ErrNotFound):
			missing = append(missing, fmt.Sprintf("delivery %d was acknowledged as %q and is not in the journal", number, entry.Verdict))
		case err != nil:
			return nil, err
		case !bytes.Equal(stored.Body, r.options.Traffic.Deliveries[number].Body):
			missing = append(missing, fmt.Sprintf("delivery %d is in the journal with another body", number))
		}
	}
	deadline := time.Now().Add(toldLimit)
	for {
		untold, err := r.untold(ctx, j, facts)
		if err != nil {
			return nil, err
		}
		if len(untold) == 0 || time.Now().After(deadline) {
			missing = append(missing, untold...)
			slices.Sort(missing)
			return missing, nil
		}
		time.Sleep(drainPoll)
	}
}

// unnamed is how a digest ends that names the first ten of a class and counts the others.
var unnamed = regexp.MustCompile(`and (\d+) more`)

// untoldIn are the completions in review that the notices neither name nor can have counted.
func untoldIn(notices string, facts []verdict.Fact) []string {
	counted := 0
	for _, match := range unnamed.FindAllStringSubmatch(notices, -1) {
		n, err := strconv.Atoi(match[1])
		if err == nil { // digits, and fewer than overflow
			counted += n
		}
	}
	var untold []string
	for _, f := range facts {
		if f.State != training.StateInReview || strings.Contains(notices, f.Fingerprint.Short()) {
			continue
		}
		if counted--; counted < 0 {
			untold = append(untold, fmt.Sprintf("key %d is in review and nobody was told", f.Key))
		}
	}
	return untold
}

func (r *Rig) untold(ctx context.Context, j *journal.Journal, facts []verdict.Fact) ([]string, error) {
	var text strings.Builder
	for _, m := range r.world.mail.Messages() {
		text.WriteString(m.Text)
	}
	untold := untoldIn(text.String(), facts)
	unannounced, err := j.Unannounced(ctx, 10)
	if err != nil {
		return nil, err
	}
	for _, d := range unannounced {
		untold = append(untold, fmt.Sprintf("delivery %s was not understood and nobody was told", d.ID))
	}
	return untold, nil
}

// Panics are the places in the logs where one of our processes panicked.
func (r *Rig) Panics() ([]string, error) {
	var found []string
	for _, m := range r.members() {
		log, err := m.log()
		if err != nil {
			return nil, err
		}
		for _, sign := range []string{"panic: ", "fatal error: ", "panicked"} {
			if i := bytes.Index(log, []byte(sign)); i >= 0 {
				line, _, _ := bytes.Cut(log[i:], []byte("\n"))
				found = append(found, fmt.Sprintf("%s: %s", m.name, line))
			}
		}
	}
	return found, nil
}
