package certificate_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	qr "github.com/piglig/go-qr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/certificate"
	"countersign/internal/training"
)

func sample() certificate.Certificate {
	passed := true
	expires := time.Date(2027, 3, 14, 23, 0, 0, 0, time.UTC)
	fp := training.Fingerprint(strings.Repeat("9f86d081", 8))
	return certificate.Certificate{
		Number:      certificate.Number(fp),
		TenantName:  "Acme Medical Devices GmbH",
		Issuer:      "Acme Academy",
		LearnerName: "Jürgen Groß-Müller",
		CourseTitle: "Data Protection and GDPR Fundamentals 2026",
		CourseCode:  "GDPR-2026",
		CompletedAt: time.Date(2026, 3, 14, 14, 30, 0, 0, time.UTC),
		Precision:   training.PrecisionMillisecond,
		Score:       training.Score{Raw: "91.5", Max: "100", Passed: &passed},
		ExpiresAt:   &expires,
		RecordID:    "TR-2026-000123",
		Fingerprint: fp,
		VerifyURL:   "https://countersign.example/v/ABCDEFGHJKMNPQRS",
	}
}

func drawer(t testing.TB) *certificate.Drawer {
	t.Helper()
	d, err := certificate.NewDrawer()
	require.NoError(t, err)
	return d
}

func TestEqualCertificatesAreEqualBytes_R158(t *testing.T) {
	first, err := drawer(t).Draw(sample())
	require.NoError(t, err)
	second, err := drawer(t).Draw(sample())
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, second))
	require.True(t, bytes.HasPrefix(first, []byte("%PDF-")))
	require.True(t, bytes.HasSuffix(bytes.TrimSpace(first), []byte("%%EOF")))
	require.Less(t, len(first), 80_000, "a certificate is stored for years")

	elsewhere := sample()
	elsewhere.CompletedAt = elsewhere.CompletedAt.In(time.FixedZone("", -8*3600))
	third, err := drawer(t).Draw(elsewhere)
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, third), "the same instant in another zone is the same page")

	// What a drawer has drawn before, and the order of its maps, leave no trace.
	used := drawer(t)
	letters := sample()
	letters.CourseTitle = strings.Join(manyLetters(), "")
	fresh, err := drawer(t).Draw(letters)
	require.NoError(t, err)
	for range 20 {
		again, err := used.Draw(letters)
		require.NoError(t, err)
		require.True(t, bytes.Equal(fresh, again))
		again, err = used.Draw(sample())
		require.NoError(t, err)
		require.True(t, bytes.Equal(first, again))
	}

	other := sample()
	other.LearnerName = "Jürgen Gross-Müller"
	fourth, err := drawer(t).Draw(other)
	require.NoError(t, err)
	require.False(t, bytes.Equal(first, fourth))
}

func TestPageSaysEverythingAsText_R158_R159(t *testing.T) {
	text := pageText(t, sample())
	for _, want := range []string{
		"Acme Academy", "Certificate of Completion", "Jürgen Groß-Müller",
		"Data Protection and GDPR Fundamentals 2026", "GDPR-2026",
		"on 14 March 2026 at 14:30 UTC", "Score 91.5 % · Passed",
		certificate.Number(sample().Fingerprint), "TR-2026-000123", "14 March 2027",
		string(sample().Fingerprint), "Scan to verify",
	} {
		require.Contains(t, text, want)
	}
}

// What is kept with a training before the trainee has signed must not pass for a certificate (law 3).
func TestReportIsNoCertificate(t *testing.T) {
	report := sample()
	report.Report, report.Number = true, certificate.ReportNumber(report.Fingerprint)
	text := pageText(t, report)
	for _, want := range []string{
		"Report of a Completion", "The learning management system reports that", "Jürgen Groß-Müller", "Report number",
		"This report is no certificate. The training is complete when the trainee has signed it in the quality system.",
	} {
		require.Contains(t, text, want)
	}
	for _, never := range []string{"Certificate", "certifies", "Scan to verify", "CS-"} {
		require.NotContains(t, text, never)
	}
	require.Equal(t, certificate.Number(report.Fingerprint)[3:], report.Number[3:], "the two of one completion are known as such")
}

func TestOnlyWhatIsKnownIsPrinted(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		name    string
		change  func(*certificate.Certificate)
		want    string
		without []string
	}{
		{"day precision has no time (R76)", func(c *certificate.Certificate) { c.Precision = training.PrecisionDay },
			"on 14 March 2026", []string{"14:30", "00:00", "UTC"}},
		{"no score", func(c *certificate.Certificate) { c.Score = training.Score{} }, "", []string{"Score", "Passed"}},
		{"score without scale", func(c *certificate.Certificate) { c.Score = training.Score{Raw: "17"} }, "Score 17", []string{"%", "Passed"}},
		{"score on its own scale", func(c *certificate.Certificate) { c.Score = training.Score{Raw: "17", Max: "20"} },
			"Score 17 of 20 (85 %)", []string{"Passed"}},
		{"score of zero", func(c *certificate.Certificate) { c.Score = training.Score{Raw: "0", Max: "100"} }, "Score 0 %", nil},
		{"passed only (R72)", func(c *certificate.Certificate) { c.Score = training.Score{Passed: &yes} }, "Passed", []string{"Score", "·"}},
		{"not passed is said", func(c *certificate.Certificate) { c.Score = training.Score{Passed: &no} }, "Not passed", nil},
		{"no expiry", func(c *certificate.Certificate) { c.ExpiresAt = nil }, "", []string{"Valid until"}},
		{"no record", func(c *certificate.Certificate) { c.RecordID = "" }, "", []string{"Training record"}},
		{"tenant is the issuer", func(c *certificate.Certificate) { c.Issuer = "" }, "Acme Medical Devices GmbH", []string{"Issued for"}},
		{"code in place of the title", func(c *certificate.Certificate) { c.CourseTitle = "" }, "GDPR-2026", nil},
		{"no verify URL", func(c *certificate.Certificate) { c.VerifyURL = "" }, "", []string{"Scan"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := sample()
			tt.change(&c)
			text := pageText(t, c)
			require.Contains(t, text, tt.want)
			for _, w := range tt.without {
				require.NotContains(t, text, w)
			}
		})
	}
}

func TestNamesOfManyScripts(t *testing.T) {
	long := strings.Repeat("María Josefina Fernández de Córdoba ", 12)
	for name, want := range map[string]string{
		"Nguyễn Thị Ánh Tuyết":           "Nguyễn Thị Ánh Tuyết",
		"Nguye\u0302\u0303n":             "Nguyễn", // NFC
		"Ελένη Παπαδοπούλου":             "Ελένη Παπαδοπούλου",
		"Наталья Щербакова":              "Наталья Щербакова",
		"محمد الأحمد":                    "دمحألا دمحم", // as seen, from left to right
		"יעל בן־דוד":                     "דוד־ןב לעי",
		"สมหญิง ใจดีที่สุด":              "สมหญิง ใจดีที่สุด",
		"क्षितिज श्रीवास्तव":             "क्षितिज श्रीवास्तव",
		"می\u200cخواهم":                  "مهاوخ\u200cیم",
		"  Ann\t\u202eLee\u0007\u200b\n": "Ann Lee",
	} {
		c := sample()
		c.LearnerName = name
		require.Contains(t, pageText(t, c), want, "%q", name)
	}

	c := sample()
	c.LearnerName = long
	var joined strings.Builder
	for _, line := range strings.Split(pageText(t, c), "\n") {
		joined.WriteString(strings.TrimSpace(line) + " ")
	}
	require.Contains(t, joined.String(), strings.TrimSpace(long), "a long name is broken into lines, never cut")
}

func TestMissingGlyphIsAnErrorThatNamesIt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*certificate.Certificate)
		want   string
	}{
		{"Han", func(c *certificate.Certificate) { c.LearnerName = "山田" }, "U+5C71, U+7530 of the learner name"},
		{"sorted, once each", func(c *certificate.Certificate) { c.LearnerName = "田山田" }, "U+5C71, U+7530 of the learner name"},
		{"at most eight", func(c *certificate.Certificate) { c.LearnerName = "一丁七万丈三上下不与" }, "U+4E0B and 2 more of the learner name"},
		{"emoji in the title", func(c *certificate.Certificate) { c.CourseTitle = "Safety 🦺" }, "U+1F9BA of the course title"},
		{"beyond the basic plane", func(c *certificate.Certificate) { c.LearnerName = "𞤀𞤣𞤢𞤥" }, "U+1E900, U+1E922, U+1E923, U+1E925 of the learner name"},
		{"lost letter", func(c *certificate.Certificate) { c.LearnerName = "J\xfcrgen" }, "U+FFFD of the learner name"},
		{"private use", func(c *certificate.Certificate) { c.Issuer = "\ue000" }, "U+E000 of the issuer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := sample()
			tt.change(&c)
			pdf, err := drawer(t).Draw(c)
			require.ErrorIs(t, err, certificate.ErrNoGlyph)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, pdf)
		})
	}
}

func TestWhatIsNoCertificateIsRefused(t *testing.T) {
	for _, tt := range []struct {
		change func(*certificate.Certificate)
		want   string
	}{
		{func(c *certificate.Certificate) { c.LearnerName = " \u200b " }, "no learner name"},
		{func(c *certificate.Certificate) { c.CourseTitle, c.CourseCode = "", "" }, "no course title"},
		{func(c *certificate.Certificate) { c.Issuer, c.TenantName = "", "" }, "no issuer"},
		{func(c *certificate.Certificate) { c.Number = "" }, "no number"},
		{func(c *certificate.Certificate) { c.CompletedAt = time.Time{} }, "no completion date"},
		{func(c *certificate.Certificate) { c.LearnerName = strings.Repeat("x", 3000) }, "learner name longer than"},
		{func(c *certificate.Certificate) { c.VerifyURL = "https://x.example/" + strings.Repeat("x", 250) }, "verify URL longer than"},
	} {
		c := sample()
		tt.change(&c)
		_, err := drawer(t).Draw(c)
		require.ErrorIs(t, err, certificate.ErrNotDrawable)
		require.ErrorContains(t, err, tt.want)
	}
}

// Whatever a name is made of, it is drawn or refused; it never panics and never prints a box.
func TestAnyNameIsDrawnOrRefused(t *testing.T) {
	d := drawer(t)
	embedded := rapid.RuneFrom([]rune("aÉß Ωж-'()1ا\u0644\u064bבד־กี่क्षि\u200d\u200c\u0301\ufe0f.,"))
	name := rapid.OneOf(rapid.String(), rapid.StringOfN(embedded, 1, 60, -1))
	rapid.Check(t, func(t *rapid.T) {
		c := sample()
		c.LearnerName = name.Draw(t, "name")
		pdf, err := d.Draw(c)
		if err == nil {
			require.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
			return
		}
		require.True(t, errors.Is(err, certificate.ErrNoGlyph) || errors.Is(err, certificate.ErrNotDrawable), "%v", err)
	})
}

func TestDrawingIsSafeForConcurrentUse(t *testing.T) {
	d := drawer(t)
	want, err := d.Draw(sample())
	require.NoError(t, err)
	var wg sync.WaitGroup
	got := make([][]byte, 16)
	for i := range got {
		wg.Go(func() {
			c := sample()
			if i%2 == 1 {
				c.LearnerName = fmt.Sprintf("محمد %d", i)
			}
			got[i], _ = d.Draw(c)
		})
	}
	wg.Wait()
	for i, pdf := range got {
		if i%2 == 0 {
			require.True(t, bytes.Equal(want, pdf))
		} else {
			require.NotEmpty(t, pdf)
		}
	}
}

func TestNumberIsAFunctionOfTheCompletion(t *testing.T) {
	fp := training.Fingerprint(strings.Repeat("9f86d081", 8))
	require.Equal(t, "CS-5Z8J-5Q8X-A63F-7QDT", certificate.Number(fp), "a number that was printed stays for ever")
	form := regexp.MustCompile(`^CS(-[0-9A-HJKMNP-TV-Z]{4}){4}$`)
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9a-f]{64}`).Draw(t, "fingerprint")
		number := certificate.Number(training.Fingerprint(text))
		require.Regexp(t, form, number)
		if other, ok := seen[number]; ok {
			require.Equal(t, other, text)
		}
		seen[number] = text
	})
}

func TestVerifyURLIsALinkAndACode(t *testing.T) {
	pdf, err := drawer(t).Draw(sample())
	require.NoError(t, err)
	require.Contains(t, string(pdf), "/URI (https://countersign.example/v/ABCDEFGHJKMNPQRS)")

	code, err := qr.EncodeText(sample().VerifyURL, qr.Medium)
	require.NoError(t, err)
	modules := code.GetSize()
	modulesDrawn := regexp.MustCompile(`(?m)^(\d+ \d+ \d+) 1 re$`)
	drawn := make(map[[2]int]bool)
	for _, m := range modulesDrawn.FindAllSubmatch(readPage(t, sample()).seen, -1) {
		var x, y, width int
		_, err := fmt.Sscan(string(m[1]), &x, &y, &width)
		require.NoError(t, err)
		for i := range width {
			drawn[[2]int{x + i - 4, modules - 1 - (y - 4)}] = true // four modules of quiet zone
		}
	}
	for row := range modules {
		for col := range modules {
			require.Equal(t, code.GetModule(col, row), drawn[[2]int{col, row}], "module %d, %d", col, row)
			delete(drawn, [2]int{col, row})
		}
	}
	require.Empty(t, drawn)
}

func BenchmarkDraw(b *testing.B) {
	for name, url := range map[string]string{"with code": sample().VerifyURL, "without code": ""} {
		b.Run(name, func(b *testing.B) {
			d, c := drawer(b), sample()
			c.VerifyURL = url
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Draw(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
