package mapping_test

import (
	"strconv"
	"strings"
	"testing"

	"countersign/internal/lms/mapping"
)

const benchmarkEvent = `{"id":"wh-20260408-143022-8a3c","event":"course.completion","user":{"id":10291,"mail":"jane@example.com","staff":"00417"},
	"course":{"id":5541,"title":"GxP","done":"2026-04-08T14:30:00Z","score":91.5,"passed":true},"custom":[{"k":"a","v":1},{"k":"hr","v":"HR-4829"}]}`

// The acknowledgement waits for this one: every field by a chain of names.
func BenchmarkReadChains(b *testing.B) {
	benchmarkRead(b, mapping.MustCompile("canonical", definition()), benchmarkEvent)
}

func BenchmarkReadTransforms(b *testing.B) {
	d := definition()
	d.Fields[mapping.LearnerExternalID] = mapping.Field{Path: "$.user.staff", Transform: "concat:EMP{value}"}
	d.Fields[mapping.Passed] = mapping.Field{Path: "$.course.score", Transform: "toInt | statusMap:91=true,*=false"}
	d.Fields[mapping.CompletedAt] = mapping.Field{Path: "$.course.done", Parse: "yyyy-MM-ddTHH:mm:ssZ", Zone: "America/Chicago"}
	benchmarkRead(b, mapping.MustCompile("canonical", d), benchmarkEvent)
}

func BenchmarkReadFilter(b *testing.B) {
	d := definition()
	d.Fields[mapping.LearnerExternalID] = mapping.Field{Path: "$.custom[?@.k=='hr'].v"}
	benchmarkRead(b, mapping.MustCompile("canonical", d), benchmarkEvent)
}

// The costliest a body of 100,000 tokens can make of one path.
func BenchmarkReadHostile(b *testing.B) {
	bodies := map[string]string{
		"wide":   "[" + strings.TrimSuffix(strings.Repeat(`{"a":0},`, 20_000), ",") + "]",
		"object": `{` + strings.TrimSuffix(numbered(45_000), ",") + `}`,
		"deep":   "[" + strings.TrimSuffix(strings.Repeat(strings.Repeat("[", 29)+strings.Repeat("]", 29)+",", 1_600), ",") + "]",
	}
	for name, body := range bodies {
		for _, path := range []string{`$..a`, `$..[?@.a==1]`, `$..[?@[*][*][*][*].a]`, `$..[?search(@.a,'(x+x+)+y')]`, `$` + strings.Repeat(`[*,*]`, 30)} {
			b.Run(name+"/"+path[:min(len(path), 30)], func(b *testing.B) {
				m := oneField(b, mapping.Passed, mapping.Field{Path: path})
				root := value(b, body)
				b.ReportAllocs()
				for b.Loop() {
					m.Read(root).Value(mapping.Passed)
				}
			})
		}
	}
}

// numbered are n members with different keys.
func numbered(n int) string {
	var members strings.Builder
	for i := range n {
		members.WriteString(`"` + strings.Repeat("k", 1+i%7) + string(rune('a'+i%26)) + strings.Repeat("0", i%3) + strconv.Itoa(i) + `":null,`)
	}
	return members.String()
}

func benchmarkRead(b *testing.B, m *mapping.Mapping, body string) {
	b.Helper()
	root := value(b, body)
	b.ReportAllocs()
	for b.Loop() {
		r := m.Read(root)
		r.Completion(mapping.Dates)
		if err := r.Err(); err != nil {
			b.Fatal(err)
		}
	}
}
