package notify_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
)

const layout = "Mon 2006-01-02 15:04 -0700"

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(layout, text)
	require.NoError(t, err)
	return at
}

func TestQuietHoursEndWhereTheWallClockSays(t *testing.T) {
	nights := notify.Span{From: "18:00", To: "07:00", Zone: "Europe/Berlin"}
	weekend := notify.Span{From: "00:00", To: "24:00", Zone: "Europe/Berlin", Days: []string{"sat", "sun"}}
	fridays := notify.Span{From: "22:00", To: "06:00", Days: []string{"fri"}}
	for name, tc := range map[string]struct {
		quiet     notify.Quiet
		now, next string
	}{
		"none":                     {nil, "Mon 2026-03-16 23:00 +0100", ""},
		"by day":                   {notify.Quiet{nights}, "Mon 2026-03-16 12:00 +0100", ""},
		"evening":                  {notify.Quiet{nights}, "Mon 2026-03-16 18:00 +0100", "Tue 2026-03-17 07:00 +0100"},
		"the minute before":        {notify.Quiet{nights}, "Mon 2026-03-16 17:59 +0100", ""},
		"after midnight":           {notify.Quiet{nights}, "Tue 2026-03-17 01:00 +0100", "Tue 2026-03-17 07:00 +0100"},
		"the last minute":          {notify.Quiet{nights}, "Tue 2026-03-17 06:59 +0100", "Tue 2026-03-17 07:00 +0100"},
		"the end is not in it":     {notify.Quiet{nights}, "Tue 2026-03-17 07:00 +0100", ""},
		"another zone's clock":     {notify.Quiet{nights}, "Mon 2026-03-16 17:30 +0000", "Tue 2026-03-17 06:00 +0000"},
		"clocks go forward":        {notify.Quiet{nights}, "Sat 2026-03-28 22:00 +0100", "Sun 2026-03-29 07:00 +0200"},
		"clocks go back":           {notify.Quiet{nights}, "Sat 2026-10-24 22:00 +0200", "Sun 2026-10-25 07:00 +0100"},
		"night, weekend, night":    {notify.Quiet{nights, weekend}, "Fri 2026-03-20 19:00 +0100", "Mon 2026-03-23 07:00 +0100"},
		"weekend only":             {notify.Quiet{weekend}, "Sun 2026-03-22 23:59 +0100", "Mon 2026-03-23 00:00 +0100"},
		"belongs to where it is":   {notify.Quiet{fridays}, "Sat 2026-03-21 05:00 +0000", "Sat 2026-03-21 06:00 +0000"},
		"not to where it ends":     {notify.Quiet{fridays}, "Fri 2026-03-20 05:00 +0000", ""},
		"a whole day":              {notify.Quiet{{From: "08:00", To: "08:00", Days: []string{"tue"}}}, "Wed 2026-03-18 07:00 +0000", "Wed 2026-03-18 08:00 +0000"},
		"never ends, is none":      {notify.Quiet{{From: "00:00", To: "24:00"}}, "Wed 2026-03-18 07:00 +0000", ""},
		"what is broken is none":   {notify.Quiet{{From: "25:00", To: "07:00"}}, "Wed 2026-03-18 03:00 +0000", ""},
		"one of two is broken":     {notify.Quiet{{From: "x"}, nights}, "Mon 2026-03-16 18:00 +0100", "Tue 2026-03-17 07:00 +0100"},
		"begins in a missing hour": {notify.Quiet{{From: "02:30", To: "04:00", Zone: "Europe/Berlin"}}, "Sun 2026-03-29 03:45 +0200", "Sun 2026-03-29 04:00 +0200"},
	} {
		t.Run(name, func(t *testing.T) {
			now := moment(t, tc.now)
			want := now
			if tc.next != "" {
				want = moment(t, tc.next)
			}
			got := tc.quiet.Next(now)
			require.True(t, want.Equal(got), "want %s, got %s", want, got)
			require.Equal(t, got, tc.quiet.Next(now), "the same every time")
			require.True(t, got.Equal(tc.quiet.Next(got)), "and then it is not quiet")
		})
	}
}

func TestQuietHoursAreChecked(t *testing.T) {
	good := notify.Span{From: "18:00", To: "07:00", Zone: "Europe/Berlin", Days: []string{"mon"}}
	require.NoError(t, notify.Quiet{good}.Validate())
	require.NoError(t, notify.Quiet(nil).Validate())
	for want, change := range map[string]func(*notify.Span){
		"from: must be a time of day":   func(s *notify.Span) { s.From = "6pm" },
		"to: must be a time of day":     func(s *notify.Span) { s.To = "24:01" },
		"zone: must be an IANA":         func(s *notify.Span) { s.Zone = "Berlin" },
		"zone: must be":                 func(s *notify.Span) { s.Zone = "Local" },
		"days: must be of mon":          func(s *notify.Span) { s.Days = []string{"Monday"} },
		"quiet hours: they never end":   func(s *notify.Span) { s.From, s.To, s.Days = "00:00", "24:00", nil },
		"quiet hours 1: to: must be a ": func(s *notify.Span) { s.To = "" },
	} {
		s := good
		change(&s)
		require.ErrorContains(t, notify.Quiet{s}.Validate(), want)
	}
}

// It travels in a workflow's input, where an operator reads it.
func TestQuietHoursTravelAsTheyAreWritten(t *testing.T) {
	quiet := notify.Quiet{{From: "18:00", To: "07:00", Zone: "Europe/Berlin", Days: []string{"mon"}}}
	encoded, err := json.Marshal(quiet)
	require.NoError(t, err)
	require.JSONEq(t, `[{"from":"18:00","to":"07:00","zone":"Europe/Berlin","days":["mon"]}]`, string(encoded))
	var again notify.Quiet
	require.NoError(t, json.Unmarshal(encoded, &again))
	require.Equal(t, quiet, again)
}

func FuzzQuietNeverGoesBackAndEndsOutsideOfItself(f *testing.F) {
	f.Add("18:00", "07:00", "Europe/Berlin", "mon", int64(1_774_000_000))
	f.Add("00:00", "24:00", "", "sat", int64(0))
	f.Add("02:30", "02:29", "America/New_York", "", int64(1_800_000_000))
	f.Fuzz(func(t *testing.T, from, to, zone, day string, seconds int64) {
		span := notify.Span{From: from, To: to, Zone: zone}
		if day != "" {
			span.Days = []string{day}
		}
		quiet, now := notify.Quiet{span}, time.Unix(seconds%4_000_000_000, 0)
		next := quiet.Next(now)
		require.False(t, next.Before(now))
		if quiet.Validate() == nil {
			require.True(t, next.Equal(quiet.Next(next)))
		}
	})
}
