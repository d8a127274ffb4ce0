// Package traffic makes what the load generator sends: the completions of one run (Key) and the
// deliveries that bring them, in an order that no well-behaved sender would choose. Everything
// follows from the seed.
package traffic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"countersign/internal/simulator/sender"
	"countersign/internal/training"
)

// The names that the tenants' file and the traffic agree on.
const (
	Tenant   = "acme"
	Source   = "lms"
	Platform = "canonical"
	Domain   = "acme.lms.example.com"
	Course   = "COMP-2026"
	CourseID = 5541
)

// The shares of the brief, in percent of the completions or deliveries.
const (
	DuplicateShare  = 30
	OutOfOrderShare = 5
	PoisonShare     = 1
	approvalShare   = 8
)

// Kind is what is special about a key.
type Kind string

// The kinds of keys.
const (
	Plain    Kind = "plain"
	Approval Kind = "approval" // the record's workflow wants an approval
	Scored   Kind = "scored"   // the record tracks the score
	// The two poisonous kinds that are completions: they are right to end in review.
	Unknown Kind = "unknown" // an employee the QMS has never heard of
	Failed  Kind = "failed"  // finished, but not passed
)

// Healthy reports whether a key of this kind is to end COMPLETED.
func (k Kind) Healthy() bool { return k != Unknown && k != Failed }

// Key is one completion.
type Key struct {
	Number      int
	Kind        Kind
	Employee    string
	CompletedAt time.Time
	// Score is the number as it is sent.
	Score       float64
	Fingerprint training.Fingerprint
}

// Poison is what is wrong with a delivery that is no completion.
type Poison string

// The poisonous deliveries.
const (
	Sound  Poison = ""
	Broken Poison = "broken" // signed, but no JSON: kept, acknowledged, told to a person
	Forged Poison = "forged" // the signature is another body's: rejected
)

// Delivery is one thing that is sent, and repeated until it is acknowledged.
type Delivery struct {
	Number int
	// Key is the completion it brings, -1 for a Broken one.
	Key    int
	Poison Poison
	Body   []byte
	// Signature is the value of the signature header.
	Signature string
}

// Traffic is everything of one run.
type Traffic struct {
	Keys       []Key
	Deliveries []Delivery // in the order of sending
}

// New makes the traffic of n completions. secret signs it; epoch is the instant before which
// all of them were completed.
func New(seed uint64, n int, secret string, epoch time.Time) (Traffic, error) {
	g := &generator{random: rand.New(rand.NewPCG(seed, 0x7472616666696321)), secret: secret, epoch: epoch.UTC().Truncate(time.Second)}
	for i := range n {
		g.keys = append(g.keys, g.key(i, g.kind()))
	}
	// One of each kind of poison at least, however short the run.
	for i := range max(1, n*PoisonShare/100/4) {
		g.keys = append(g.keys, g.key(n+2*i, Unknown), g.key(n+2*i+1, Failed))
	}
	for _, k := range g.keys {
		if err := g.add(k, 0); err != nil {
			return Traffic{}, err
		}
	}
	g.shuffle(len(g.deliveries)) // the keys' kinds come mixed
	if err := g.duplicate(); err != nil {
		return Traffic{}, err
	}
	for range max(1, n*PoisonShare/100/4) {
		g.poison()
	}
	g.disorder()
	for i := range g.deliveries {
		g.deliveries[i].Number = i
	}
	return Traffic{Keys: g.keys, Deliveries: g.deliveries}, nil
}

type generator struct {
	random     *rand.Rand
	secret     string
	epoch      time.Time
	keys       []Key
	deliveries []Delivery
}

func (g *generator) kind() Kind {
	switch share := g.random.IntN(100); {
	case share < approvalShare:
		return Approval
	case share < 50:
		return Scored
	}
	return Plain
}

func (g *generator) key(number int, kind Kind) Key {
	k := Key{
		Number: number, Kind: kind, Employee: fmt.Sprintf("HR-%d", number),
		CompletedAt: g.epoch.Add(-time.Duration(number+1) * time.Second),
		Score:       60 + float64(g.random.IntN(80))/2,
	}
	k.Fingerprint = training.Completion{
		Tenant: Tenant, Source: Source, Learner: training.Learner{ID: strconv.Itoa(LearnerID(number))},
		Course:      training.Course{ID: strconv.Itoa(CourseID)},
		CompletedAt: k.CompletedAt, Precision: training.PrecisionMillisecond,
	}.Fingerprint()
	return k
}

// LearnerID is the learner as the LMS numbers them.
func LearnerID(number int) int { return 10_000 + number }

// add appends a delivery of a key. Every firing is an event of its own with the same content.
func (g *generator) add(k Key, firing int) error {
	body, err := json.Marshal(envelope(k, firing))
	if err != nil {
		return fmt.Errorf("make delivery of key %d: %w", k.Number, err)
	}
	g.deliveries = append(g.deliveries, Delivery{Key: k.Number, Body: body, Signature: sender.Sign(g.secret, body)})
	return nil
}

func envelope(k Key, firing int) sender.Envelope {
	passed := k.Kind != Failed
	fired := k.CompletedAt.Add(time.Duration(firing) * time.Minute)
	return sender.Envelope{
		ID: fmt.Sprintf("wh-%d-%d", k.Number, firing), Event: sender.EventCompletion, Version: "1.0",
		FiredAt: fired.Format("2006-01-02T15:04:05.000Z"), Timestamp: fired.Unix(), OriginalDomain: Domain,
		Payload: sender.Payload{
			User: sender.User{ID: LearnerID(k.Number), Email: fmt.Sprintf("learner.%d@acme.example", k.Number),
				FirstName: "Jordan", LastName: "Lee", ExternalID: k.Employee},
			Course: sender.Course{ID: CourseID, Title: "Annual Compliance Training 2026", Code: Course,
				Result: &sender.Result{CompletionDate: k.CompletedAt.Format(time.RFC3339), Score: &k.Score, Passed: &passed}},
		},
	}
}

// duplicate adds DuplicateShare percent: half of them the same bytes again, half fired anew.
func (g *generator) duplicate() error {
	once := len(g.deliveries)
	for range once * DuplicateShare / 100 {
		original := g.random.IntN(once)
		if g.random.IntN(2) == 0 {
			g.deliveries = append(g.deliveries, g.deliveries[original])
		} else if err := g.add(g.keys[g.deliveries[original].Key], 1); err != nil {
			return err
		}
		g.move(len(g.deliveries)-1, original+1+g.random.IntN(len(g.deliveries)-original-1))
	}
	return nil
}

// poison adds one broken and one forged delivery somewhere.
func (g *generator) poison() {
	body := fmt.Appendf(nil, `{"event": "course.completion", "payload": {"user": %d`, g.random.IntN(1_000_000))
	g.deliveries = append(g.deliveries, Delivery{Key: -1, Poison: Broken, Body: body, Signature: sender.Sign(g.secret, body)})
	g.move(len(g.deliveries)-1, g.random.IntN(len(g.deliveries)))

	forged := g.deliveries[g.random.IntN(len(g.deliveries))]
	forged.Poison, forged.Signature = Forged, sender.Sign(g.secret, append([]byte(" "), forged.Body...))
	g.deliveries = append(g.deliveries, forged)
	g.move(len(g.deliveries)-1, g.random.IntN(len(g.deliveries)))
}

// disorderReach is how far back a delivery out of order comes.
const disorderReach = 40

// disorder lets OutOfOrderShare percent come later than they were fired.
func (g *generator) disorder() {
	for range max(1, len(g.deliveries)*OutOfOrderShare/100) {
		from := g.random.IntN(len(g.deliveries))
		g.move(from, min(len(g.deliveries)-1, from+1+g.random.IntN(disorderReach)))
	}
}

func (g *generator) move(from, to int) {
	d := g.deliveries[from]
	g.deliveries = slices.Insert(slices.Delete(g.deliveries, from, from+1), to, d)
}

func (g *generator) shuffle(n int) {
	g.random.Shuffle(n, func(i, j int) { g.deliveries[i], g.deliveries[j] = g.deliveries[j], g.deliveries[i] })
}
