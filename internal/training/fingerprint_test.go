package training_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
)

var completedAt = time.Date(2026, time.March, 14, 9, 26, 53, 589_000_000, time.UTC)

func completion() training.Completion {
	return training.Completion{
		Tenant:      "acme",
		Source:      "canonical-main",
		Platform:    "canonical",
		Learner:     training.Learner{ID: "1001"},
		Course:      training.Course{ID: "42"},
		CompletedAt: completedAt,
		Precision:   training.PrecisionMillisecond,
	}
}

// The vectors were computed apart from this code: SHA-256 over the version, tenant, source, kind
// and value of learner and of course, precision and instant, each preceded by its length in bytes
// as a big-endian 64-bit number. A change here makes every completion of the past a new one.
func TestFingerprintNeverChanges_R90(t *testing.T) {
	for want, c := range map[training.Fingerprint]training.Completion{
		"6ec5682bcdbe4a175d0dd9c681291fac0d7d56b10c254e7170916ffca29a0ed0": completion(),
		"33859f9358256dd0025d3882fe8aeee7368fd48e3285313d15b5f7098c5182d0": at(completion(), time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC)),
		"d5e53b963b730a8f0894dd6190890ae095a106db837ac556dd96e6fe02c0d2b1": day(completion()),
		"443e41f67d3073dd06bfb1305abf335ac2cb6d96c784daac70c55b95dde4e0b0": {
			Tenant: "acme", Source: "canonical-main",
			Learner:     training.Learner{Email: "Jane.Doe@Example.com"},
			Course:      training.Course{Code: "GDPR-2026", Title: "GDPR"},
			CompletedAt: completedAt, Precision: training.PrecisionDay,
		},
		"679bcff8faa94cbf7fd20eeebaf3380d1538545a55461566b8f34c5e3ae2ffdf": {
			Tenant: "müller-ag", Source: "absorb",
			Learner:     training.Learner{ExternalID: "00042", Username: "j", Email: "j@example.com"},
			Course:      training.Course{Title: "Datenschutz für alle"},
			CompletedAt: time.Unix(0, 0), Precision: training.PrecisionMillisecond,
		},
		"11c9a5b33fa87e75a95f0338a2e75e2364f6ce030ad4a86e5b76c8846b5f0005": {
			Learner:     training.Learner{Username: "J.Doe"},
			Course:      training.Course{ID: "42"},
			CompletedAt: completedAt.Truncate(time.Second), Precision: training.PrecisionMillisecond,
		},
	} {
		require.Equal(t, want, c.Fingerprint(), "%+v", c)
	}
}

func at(c training.Completion, instant time.Time) training.Completion {
	c.CompletedAt = instant
	return c
}

func day(c training.Completion) training.Completion {
	c.Precision = training.PrecisionDay
	return c
}

// identity is what tells two completions apart, in the plainest form there is.
type identity struct {
	tenant, source, learner, course string
	precision                       training.Precision
	unixMilli                       int64
}

// anyCompletion draws from so few values that equal identities, and unequal ones whose
// concatenation is equal, both turn up often.
func anyCompletion() *rapid.Generator[struct {
	training.Completion
	identity
}] {
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "ba", "abc", "id", "idab", "\x00", "\x00\x01a"})
	return rapid.Custom(func(t *rapid.T) (drawn struct {
		training.Completion
		identity
	}) {
		drawn.tenant = text.Draw(t, "tenant")
		drawn.source = text.Draw(t, "source")
		learner := text.Draw(t, "learner")
		course := text.Draw(t, "course")
		drawn.unixMilli = rapid.SampledFrom([]int64{0, 1, 1000, 1001, 86_399_999, 86_400_000}).Draw(t, "milliseconds")

		kind := rapid.SampledFrom([]string{"id", "externalId", "username"}).Draw(t, "learner kind")
		switch {
		case learner == "":
			kind = "email" // no id at all is an empty address
		case kind == "id":
			drawn.Learner.ID = learner
		case kind == "externalId":
			drawn.Learner.ExternalID = learner
		default:
			drawn.Learner.Username = learner
		}
		drawn.identity.learner = kind + " " + learner

		kind = rapid.SampledFrom([]string{"id", "code"}).Draw(t, "course kind")
		switch {
		case course == "":
			kind = "title"
		case kind == "id":
			drawn.Course.ID = course
		default:
			drawn.Course.Code = course
		}
		drawn.identity.course = kind + " " + course

		drawn.Tenant, drawn.Source = drawn.tenant, drawn.source
		drawn.CompletedAt = time.UnixMilli(drawn.unixMilli).In(anyZone().Draw(t, "zone"))
		drawn.Precision = rapid.SampledFrom([]training.Precision{training.PrecisionMillisecond, training.PrecisionDay}).Draw(t, "precision")
		drawn.identity.precision = drawn.Precision
		if drawn.Precision == training.PrecisionDay {
			drawn.unixMilli -= drawn.unixMilli % 86_400_000
		}
		return drawn
	})
}

func anyZone() *rapid.Generator[*time.Location] {
	return rapid.Custom(func(t *rapid.T) *time.Location {
		return time.FixedZone("", 900*rapid.IntRange(-4*12, 4*14).Draw(t, "quarters of an hour"))
	})
}

func TestFingerprintsAreEqualExactlyWhenTheIdentitiesAre_R90_R91(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyCompletion().Draw(t, "a"), anyCompletion().Draw(t, "b")
		require.Equal(t, a.identity == b.identity, a.Fingerprint() == b.Fingerprint())
	})
}

// The property above needs luck to meet each border between two fields; this meets all of them.
func TestFingerprintKeepsNeighbouringFieldsApart(t *testing.T) {
	fields := []func(*training.Completion) *string{
		func(c *training.Completion) *string { return &c.Tenant },
		func(c *training.Completion) *string { return &c.Source },
		func(c *training.Completion) *string { return &c.Learner.ID },
		func(c *training.Completion) *string { return &c.Course.ID },
	}
	for i := range fields {
		for j := range fields {
			if i == j {
				continue
			}
			a, b := completion(), completion()
			*fields[i](&a), *fields[j](&a) = "ab", "c"
			*fields[i](&b), *fields[j](&b) = "a", "bc"
			require.NotEqual(t, a.Fingerprint(), b.Fingerprint(), "fields %d and %d", i, j)
		}
	}
}

func TestFingerprintKeepsKindsOfIDsApart(t *testing.T) {
	seen := map[training.Fingerprint]bool{}
	for _, learner := range []training.Learner{{ID: "x"}, {ExternalID: "x"}, {Username: "x"}, {Email: "x"}} {
		for _, course := range []training.Course{{ID: "x"}, {Code: "x"}, {Title: "x"}} {
			c := completion()
			c.Learner, c.Course = learner, course
			seen[c.Fingerprint()] = true
		}
	}
	require.Len(t, seen, 4*3)
}

func TestFingerprintTakesTheStablestID(t *testing.T) {
	c := completion()
	plain := c.Fingerprint()
	c.Learner = training.Learner{ID: "1001", ExternalID: "E7", Username: "jd", Email: "jd@example.com", FirstName: "Jane", LastName: "Doe"}
	c.Course = training.Course{ID: "42", Code: "GDPR-2026", Title: "GDPR 2026"}
	require.Equal(t, plain, c.Fingerprint(), "a renamed learner or course is the same one")

	c.Learner.ID = ""
	external := c.Fingerprint()
	c.Learner.Username, c.Learner.Email = "other", "other@example.com"
	require.Equal(t, external, c.Fingerprint())

	c.Learner = training.Learner{Username: "jd"}
	lower := c.Fingerprint()
	c.Learner.Username = "JD"
	require.NotEqual(t, lower, c.Fingerprint(), "case of a username is kept")

	c.Learner = training.Learner{Email: "jd@example.com"}
	lower = c.Fingerprint()
	c.Learner.Email = "JD@Example.COM"
	require.Equal(t, lower, c.Fingerprint(), "an e-mail address is compared without case")
}

// What a redelivery, a later mapping or a corrected score changes is not identity.
func TestFingerprintLeavesOutWhatIsNotIdentity(t *testing.T) {
	expires, passed := completedAt.AddDate(1, 0, 0), true
	c := completion()
	plain := c.Fingerprint()
	c.Platform, c.EventID, c.Event, c.EnrollmentID = "absorb", "evt-1", "course.completed", "enr-1"
	c.CompletedAtSource, c.ExpiresAt = "payload.completion_date", &expires
	c.Score = training.Score{Raw: "91.5", Max: "100", Passed: &passed}
	require.Equal(t, plain, c.Fingerprint())
}

func TestFingerprintOfOneInstantInTwoZonesIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := completion()
		c.CompletedAt = time.UnixMilli(rapid.Int64Range(0, 4102444800000).Draw(t, "instant"))
		utc := at(c, c.CompletedAt.UTC())
		require.Equal(t, utc.Fingerprint(), at(c, c.CompletedAt.In(anyZone().Draw(t, "zone"))).Fingerprint())
	})
}

func TestFingerprintHasMillisecondPrecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := completion()
		fraction := time.Duration(rapid.Int64Range(0, int64(time.Millisecond)-1).Draw(t, "nanoseconds"))
		require.Equal(t, c.Fingerprint(), at(c, completedAt.Add(fraction)).Fingerprint(), "cut off, not rounded")
		require.NotEqual(t, c.Fingerprint(), at(c, completedAt.Add(fraction+time.Millisecond)).Fingerprint())
		require.NotEqual(t, c.Fingerprint(), at(c, completedAt.Add(fraction-time.Millisecond)).Fingerprint())
	})
}

func TestFingerprintOfADayIsNotThatOfItsMidnight_R76(t *testing.T) {
	midnight := at(completion(), time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC))
	require.NotEqual(t, midnight.Fingerprint(), day(midnight).Fingerprint())
	require.Equal(t, day(midnight).Fingerprint(), day(completion()).Fingerprint(), "the time of a day is not part of it")
	require.NotEqual(t, day(midnight).Fingerprint(), day(at(midnight, midnight.CompletedAt.AddDate(0, 0, 1))).Fingerprint())
}

func TestFingerprintOfALaterCompletionIsAnother_R91(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		later := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(10*365*24*time.Hour)).Draw(t, "later"))
		require.NotEqual(t, completion().Fingerprint(), at(completion(), completedAt.Add(later)).Fingerprint())
	})
}

func TestParseFingerprint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyCompletion().Draw(t, "completion").Fingerprint()
		require.Regexp(t, `^[0-9a-f]{64}$`, string(f))
		require.True(t, strings.HasPrefix(string(f), f.Short()))
		require.Len(t, f.Short(), 12)
		parsed, err := training.ParseFingerprint(string(f))
		require.NoError(t, err)
		require.Equal(t, f, parsed)
	})

	good := string(completion().Fingerprint())
	for name, text := range map[string]string{
		"empty":        "",
		"short":        good[:62],
		"odd":          good[:63],
		"long":         good + "00",
		"upper case":   strings.ToUpper(good),
		"not a digit":  "g" + good[1:],
		"white space":  " " + good[1:],
		"trailing end": good[:63] + "\n",
	} {
		_, err := training.ParseFingerprint(text)
		require.Error(t, err, name)
	}
	require.Equal(t, "abc", training.Fingerprint("abc").Short(), "Short never panics")
}
