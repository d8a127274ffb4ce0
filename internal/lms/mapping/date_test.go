package mapping_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

const full = `dateFormat:yyyy-MM-dd'T'HH:mm:ss.fff'Z'`

// What dateFormat takes as a date (lms/activate.md §6).
func TestDateFormatInput_R76(t *testing.T) {
	checkRows(t, []row{
		// RFC 3339 with any offset.
		{full, `"2026-04-11T14:32:00Z"`, `"2026-04-11T14:32:00.000Z"`},
		{full, `"2026-04-11T14:32:00.1239999Z"`, `"2026-04-11T14:32:00.123Z"`},
		{full, `"2026-04-11T14:32:00.12345678901234Z"`, `"2026-04-11T14:32:00.123Z"`},
		{full, `"2026-04-11T16:32:00+02:00"`, `"2026-04-11T14:32:00.000Z"`},
		{full, `"2026-04-11T02:02:00-12:30"`, `"2026-04-11T14:32:00.000Z"`},
		{full, `"2026-04-12T14:31:00+23:59"`, `"2026-04-11T14:32:00.000Z"`},
		{full, `"2026-04-11t14:32:00z"`, `"2026-04-11T14:32:00.000Z"`},
		// The same without an offset, a blank for T, seconds optional.
		{full, `"2026-04-11T14:32:00"`, `"2026-04-11T14:32:00.000Z"`},
		{full, `"2026-04-11 14:32:00.5"`, `"2026-04-11T14:32:00.500Z"`},
		{full, `"2026-04-11 14:32"`, `"2026-04-11T14:32:00.000Z"`},
		{full, `"2026-04-11T14:32+01:00"`, `"2026-04-11T13:32:00.000Z"`},
		// A day alone is its midnight in UTC, also as eight digits.
		{full, `"2026-04-11"`, `"2026-04-11T00:00:00.000Z"`},
		{full, `"20260411"`, `"2026-04-11T00:00:00.000Z"`},
		{full, `"2024-02-29"`, `"2024-02-29T00:00:00.000Z"`},
		// A number is seconds, or milliseconds from 100 000 000 000 on.
		{full, `1775917920`, `"2026-04-11T14:32:00.000Z"`},
		{full, `1775917920.25`, `"2026-04-11T14:32:00.250Z"`},
		{full, `1775917920250`, `"2026-04-11T14:32:00.250Z"`},
		{full, `1.77591792e9`, `"2026-04-11T14:32:00.000Z"`},
		{full, `20260411`, `"1970-08-23T11:53:31.000Z"`},
		{full, `0`, `"1970-01-01T00:00:00.000Z"`},
		{full, `-0.001`, `"1969-12-31T23:59:59.999Z"`},
		{full, `99999999999`, `"5138-11-16T09:46:39.000Z"`},
		{full, `100000000000`, `"1973-03-03T09:46:40.000Z"`},
		{full, `-100000000000`, `"1966-10-31T14:13:20.000Z"`},
		{full, `253402300799999`, `"9999-12-31T23:59:59.999Z"`},
	})
	for _, text := range []string{
		`""`, `" "`, `"soon"`, `"1775917920"`, `"2026"`, `"202604"`, `"2026041"`, `"202604110"`, `"20261301"`, `"20260230"`, `"2026041a"`,
		`"2026-02-29"`, `"2026-13-01"`, `"2026-00-01"`, `"2026-01-00"`, `"2026-4-11"`, `"11/04/2026"`, `"2026-04-11T"`, `"2026-04-11T14"`,
		`"2026-04-11T24:00:00Z"`, `"2026-04-11T14:60:00Z"`, `"2026-04-11T14:32:60Z"`, `"2026-04-11T14:32:00,5Z"`, `"2026-04-11T14:32:00.Z"`,
		`"2026-04-11T14:32:00+24:00"`, `"2026-04-11T14:32:00+02:60"`, `"2026-04-11T14:32:00+0200"`, `"2026-04-11T14:32:00+02"`,
		`"2026-04-11T14:32:00 Z"`, `"2026-04-11T14:32:00ZZ"`, `"2026-04-11  14:32:00Z"`, `" 2026-04-11"`, `"2026-04-11 "`, `"2026-04-11Z"`,
		`"0000-01-01T00:00:00+01:00"`, `"9999-12-31T23:59:59-01:00"`, `253402300800000`, `1e30`, `1e300`, `1e999999999`, `-99999999999`,
		`"+026-04-11"`, `"2026-+4-11"`, `"2026_04_11"`,
	} {
		require.Equal(t, `error invalid_date`, apply(t, full, value(t, text)), text)
		require.Equal(t, `error invalid_date`, apply(t, `dateFormat:epoch`, value(t, text)), text)
	}
	for _, other := range []string{`true`, `[]`, `{}`} {
		require.Equal(t, `error bad_type`, apply(t, full, value(t, other)), other)
	}
}

func TestDateFormatEpoch(t *testing.T) {
	checkRows(t, []row{
		{`dateFormat:epoch`, `"1969-12-31T23:59:59.5Z"`, `-1`}, // rounded down, not towards zero
		{`dateFormat:epoch`, `-0.5`, `-1`},
		{`dateFormat:epoch`, `1775917920999`, `1775917920`},
		{`dateFormat:epoch`, `"2026-04-11"`, `1775865600`},
		{`dateFormat:epoch | toString`, `"2026-04-11"`, `"1775865600"`},
		{`dateFormat:epoch | dateFormat:yyyy-MM-dd`, `"2026-04-11T14:32:00Z"`, `"2026-04-11"`},
	})
}

func TestDateFormatTokens(t *testing.T) {
	const afternoon, night = `"2026-05-03T13:05:09.078Z"`, `"2006-11-23T00:45:00Z"`
	checkRows(t, []row{
		{`dateFormat:yyyy yy`, afternoon, `"2026 26"`},
		{`dateFormat:yy`, night, `"06"`},
		{`dateFormat:yyyy`, `"0042-01-01"`, `"0042"`},
		{`dateFormat:MMM MM M`, afternoon, `"May 05 5"`},
		{`dateFormat:MMM MM M`, night, `"Nov 11 11"`},
		{`dateFormat:dd d`, afternoon, `"03 3"`},
		{`dateFormat:dd d`, night, `"23 23"`},
		{`dateFormat:HH H hh h`, afternoon, `"13 13 01 1"`},
		{`dateFormat:HH H hh h tt`, night, `"00 0 12 12 AM"`},
		{`dateFormat:hh tt`, `"2026-05-03T12:00:00Z"`, `"12 PM"`},
		{`dateFormat:mm m ss s`, afternoon, `"05 5 09 9"`},
		{`dateFormat:mm m ss s`, night, `"45 45 00 0"`},
		{`dateFormat:fff`, afternoon, `"078"`},
		{`dateFormat:fff`, `"2026-05-03T13:05:09.9999Z"`, `"999"`}, // cut off
		{`dateFormat:yyyyMMddHHmmssfff`, afternoon, `"20260503130509078"`},
		{`dateFormat:yyyy-MM-ddTHH:mm:ssZ`, afternoon, `"2026-05-03T13:05:09Z"`},
		{`dateFormat:1.2/3_yyyy, (dd)!`, afternoon, `"1.2/3_2026, (03)!"`},
		{`dateFormat:'day' d 'o''clock' H`, afternoon, `"day 3 o'clock 13"`},
		{`dateFormat:yyyy''yy`, afternoon, `"2026'26"`},
		{`dateFormat:'yyyy'`, afternoon, `"yyyy"`},
		{`dateFormat:d\d`, afternoon, `"3d"`},
		{`dateFormat:yyyy\|MM`, afternoon, `"2026|05"`},
		{"dateFormat:yyyy\u00b7MM", afternoon, "\"2026\u00b705\""},
		{"dateFormat:'Jahr \u00e4' yyyy", afternoon, "\"Jahr \u00e4 2026\""},
	})
}

func TestDates_R76(t *testing.T) {
	at := time.Date(2026, 4, 11, 14, 32, 0, 123_000_000, time.UTC)
	for text, want := range map[string]time.Time{
		`" 2026-04-11T14:32:00.1239Z "`:   at,
		`"2026-04-11 16:32:00.123+02:00"`: at,
		`1775917920123`:                   at,
		`1775917920`:                      at.Truncate(time.Second),
	} {
		got, precision, err := mapping.Dates(value(t, text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		require.Equal(t, training.PrecisionMillisecond, precision)
	}
	for _, text := range []string{`"2026-04-11"`, `"20260411"`} {
		got, precision, err := mapping.Dates(value(t, text))
		require.NoError(t, err)
		require.Equal(t, time.Date(2026, 4, 11, 0, 0, 0, 0, time.UTC), got)
		require.Equal(t, training.PrecisionDay, precision)
	}
	for _, text := range []string{`"11 April"`, `"1775917920"`, `true`, `null`, `{}`} {
		_, _, err := mapping.Dates(value(t, text))
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "11 April")
	}
}

// readAt is how completedAt is read by parse and zone.
func readAt(t testing.TB, pattern, zone, text string) (time.Time, training.Precision, []string, error) {
	t.Helper()
	m, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.CompletedAt: {Path: "$.at", Parse: pattern, Zone: zone},
	}})
	require.NoError(t, err)
	r := m.Read(strictjson.ObjectOf(map[string]strictjson.Value{"at": strictjson.StringOf(text)}))
	instant, precision, sent := r.Instant(mapping.CompletedAt, mapping.Dates)
	require.True(t, sent)
	return instant, precision, r.Notes(), r.Err()
}

func TestParseAndZone(t *testing.T) {
	for name, test := range map[string]struct{ pattern, zone, text, want, note string }{
		"summer":        {"MM/dd/yyyy HH:mm", "America/Chicago", "05/03/2026 09:15", "2026-05-03T14:15:00Z", ""},
		"winter":        {"MM/dd/yyyy HH:mm", "America/Chicago", "01/03/2026 09:15", "2026-01-03T15:15:00Z", ""},
		"no zone":       {"MM/dd/yyyy HH:mm", "", "01/03/2026 09:15", "2026-01-03T09:15:00Z", ""},
		"gap":           {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-03-08 02:30", "2026-03-08T08:30:00Z", "shifted forward"},
		"gap begins":    {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-03-08 02:00", "2026-03-08T08:00:00Z", "shifted forward"},
		"before gap":    {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-03-08 01:59", "2026-03-08T07:59:00Z", ""},
		"gap over":      {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-03-08 03:00", "2026-03-08T08:00:00Z", ""},
		"twice":         {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-11-01 01:30", "2026-11-01T06:30:00Z", "earlier instant"},
		"before twice":  {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-11-01 00:59", "2026-11-01T05:59:00Z", ""},
		"twice over":    {"yyyy-MM-dd HH:mm", "America/Chicago", "2026-11-01 02:00", "2026-11-01T08:00:00Z", ""},
		"east, gap":     {"yyyy-MM-dd HH:mm", "Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30:00Z", "shifted forward"},
		"east, twice":   {"yyyy-MM-dd HH:mm", "Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z", "earlier instant"},
		"half an hour":  {"yyyy-MM-dd HH:mm", "Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:45:00Z", "shifted forward"},
		"a day skipped": {"yyyy-MM-dd HH:mm", "Pacific/Apia", "2011-12-30 12:00", "2011-12-30T22:00:00Z", "shifted forward"},
		"far east":      {"yyyy-MM-dd HH:mm", "Pacific/Kiritimati", "2026-05-03 01:00", "2026-05-02T11:00:00Z", ""},
		"one digit":     {"M/d/yyyy H:m:s", "", "5/3/2026 9:5:7", "2026-05-03T09:05:07Z", ""},
		"two for one":   {"M/d/yyyy H:m:s", "", "12/13/2026 19:15:17", "2026-12-13T19:15:17Z", ""},
		"noon":          {"yyyy-MM-dd hh:mm tt", "", "2026-05-03 12:30 PM", "2026-05-03T12:30:00Z", ""},
		"midnight":      {"yyyy-MM-dd h:mm tt", "", "2026-05-03 12:30 am", "2026-05-03T00:30:00Z", ""},
		"afternoon":     {"yyyy-MM-dd h:mmtt", "", "2026-05-03 1:05pm", "2026-05-03T13:05:00Z", ""},
		"month's name":  {"d MMM yyyy, HH:mm", "", "3 may 2026, 13:05", "2026-05-03T13:05:00Z", ""},
		"digits only":   {"yyyyMMddHHmmssfff", "", "20260503130509078", "2026-05-03T13:05:09.078Z", ""},
		"short year":    {"yyMMdd HH", "", "680503 13", "2068-05-03T13:00:00Z", ""},
		"last century":  {"yyMMdd HH", "", "690503 13", "1969-05-03T13:00:00Z", ""},
		"quoted":        {"dd 'of' MMM yyyy 'at' HH'h'", "", "03 of May 2026 at 13h", "2026-05-03T13:00:00Z", ""},
		"T and Z":       {"yyyy-MM-ddTHH:mm:ssZ", "", "2026-05-03T13:05:09Z", "2026-05-03T13:05:09Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := time.Parse(time.RFC3339, test.want)
			require.NoError(t, err)
			got, precision, notes, err := readAt(t, test.pattern, test.zone, test.text)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, training.PrecisionMillisecond, precision)
			if test.note == "" {
				require.Empty(t, notes)
				return
			}
			require.Len(t, notes, 1)
			require.Contains(t, notes[0], test.note)
			require.NotContains(t, notes[0], test.text)
		})
	}
}

// Without an hour it is a day, and a day is the same day in every zone.
func TestParseWithoutHoursIsADay_R76(t *testing.T) {
	for _, zone := range []string{"", "Pacific/Kiritimati", "America/Adak"} {
		got, precision, notes, err := readAt(t, "dd.MM.yyyy", zone, "03.05.2026")
		require.NoError(t, err)
		require.Empty(t, notes)
		require.Equal(t, time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC), got)
		require.Equal(t, training.PrecisionDay, precision)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range [][2]string{
		{"MM/dd/yyyy HH:mm", "5/3/2026 09:15"},
		{"MM/dd/yyyy HH:mm", "05/03/2026 09:15 "[1:]},
		{"MM/dd/yyyy HH:mm", "05/03/2026 09:15:00"},
		{"MM/dd/yyyy HH:mm", "05/03/2026"},
		{"MM/dd/yyyy HH:mm", "05-03-2026 09:15"},
		{"MM/dd/yyyy HH:mm", "13/03/2026 09:15"},
		{"MM/dd/yyyy HH:mm", "02/30/2026 09:15"},
		{"MM/dd/yyyy HH:mm", "05/03/2026 24:00"},
		{"yyyy-MM-dd hh:mm tt", "2026-05-03 13:05 PM"},
		{"yyyy-MM-dd hh:mm tt", "2026-05-03 00:05 AM"},
		{"yyyy-MM-dd hh:mm tt", "2026-05-03 01:05 XM"},
		{"d MMM yyyy", "3 Mai 2026"},
		{"d MMM yyyy", "333 May 2026"},
	} {
		got, _, _, err := readAt(t, test[0], "America/Chicago", test[1])
		require.Error(t, err, test[1])
		require.NotContains(t, err.Error(), test[1])
		require.Zero(t, got)
	}
}

// What is written with a pattern that says everything is read back as the same instant.
func TestFormatThenParseIsTheSameInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instant := time.UnixMilli(rapid.Int64Range(-1_000_000_000_000, 4_000_000_000_000).Draw(t, "instant")).UTC()
		parts := rapid.Permutation([]string{
			"yyyy",
			rapid.SampledFrom([]string{"MMM", "MM", "M"}).Draw(t, "month"),
			rapid.SampledFrom([]string{"dd", "d"}).Draw(t, "day"),
			rapid.SampledFrom([]string{"HH", "H", "hh tt", "h tt", "tt hh"}).Draw(t, "hour"),
			rapid.SampledFrom([]string{"mm", "m"}).Draw(t, "minute"),
			rapid.SampledFrom([]string{"ss", "s"}).Draw(t, "second"),
			"fff",
		}).Draw(t, "order")
		separator := rapid.SampledFrom([]string{" ", "-", "/", ".", "T", "Z", "''", "'at'", "\u00b7", ", "}).Draw(t, "separator")
		pattern := parts[0]
		for _, part := range parts[1:] {
			pattern += separator + part
		}
		transform, err := mapping.ParseTransform("dateFormat:" + pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		written, err := transform.Apply(strictjson.StringOf(instant.Format(time.RFC3339Nano)))
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		m, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
			mapping.CompletedAt: {Path: "$.at", Parse: pattern},
		}})
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		r := m.Read(strictjson.Value{}.With("at", written))
		read, precision, _ := r.Instant(mapping.CompletedAt, mapping.Dates)
		if err := r.Err(); err != nil || !read.Equal(instant) || precision != training.PrecisionMillisecond {
			t.Fatalf("%s of %s is read as %s: %v", pattern, written.JSON(), read, err)
		}
	})
}
