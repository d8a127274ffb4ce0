package notify

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones also where the machine has none
)

// Quiet are a tenant's quiet hours: while one of the spans lasts, no notice goes out. The zero value
// is never quiet.
type Quiet []Span

// Span is a daily stretch of quiet hours, in the words of the settings.
type Span struct {
	// From and To are wall-clock times "HH:MM", "00:00" to "24:00". With To not after From the
	// span ends on the next day; equal they are a whole day.
	From string `json:"from"`
	To   string `json:"to"`
	// Zone is an IANA time zone, e.g. "Europe/Berlin"; "" is UTC.
	Zone string `json:"zone"`
	// Days are those on which the span begins, "mon" to "sun"; none means every day.
	Days []string `json:"days,omitempty"`
}

// Next is the earliest moment from now on at which a notice may go out: now itself outside of quiet
// hours. It reads no clock and depends on its arguments and the time zone database only; workers with
// databases of different age may differ after a country has changed its rules. A span that Validate
// refuses is never quiet, and hours without an end are none: late is not never.
func (q Quiet) Next(now time.Time) time.Time {
	next, ends := q.next(now)
	if !ends {
		return now
	}
	return next
}

func (q Quiet) next(now time.Time) (next time.Time, ends bool) {
	const longest = 64 // spans one after the other; more than any week has that ends
	next = now
	for range longest {
		end, quiet := next, false
		for _, s := range q {
			if until, in := s.until(next); in && until.After(end) {
				end, quiet = until, true
			}
		}
		if !quiet {
			return next, true
		}
		next = end
	}
	return now, false
}

// until is the end of the span that t lies in. A clock that is set forward or back makes a span as
// much shorter or longer: its ends stay where the wall clock says.
func (s Span) until(t time.Time) (end time.Time, in bool) {
	p, err := s.parse()
	if err != nil {
		return t, false
	}
	local := t.In(p.zone)
	for back := range 2 { // a span that began today, or yesterday
		year, month, day := local.Date()
		start := time.Date(year, month, day-back, 0, p.from, 0, 0, p.zone)
		length := p.to
		if p.to <= p.from {
			length += 24 * 60
		}
		stop := time.Date(year, month, day-back, 0, length, 0, 0, p.zone)
		begins := time.Date(year, month, day-back, 12, 0, 0, 0, p.zone).Weekday()
		if p.on(begins) && !t.Before(start) && t.Before(stop) {
			return stop.In(t.Location()), true
		}
	}
	return t, false
}

// parsed is a Span to count with; from and to in minutes since midnight.
type parsed struct {
	from, to int
	zone     *time.Location
	days     []time.Weekday
}

func (p parsed) on(day time.Weekday) bool { return len(p.days) == 0 || slices.Contains(p.days, day) }

var clockPattern = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])$`)

func (s Span) parse() (p parsed, err error) {
	if p.from, err = minutes(s.From); err != nil {
		return p, fmt.Errorf("from: %w", err)
	}
	if p.to, err = minutes(s.To); err != nil {
		return p, fmt.Errorf("to: %w", err)
	}
	if p.zone, err = time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" { // "Local" is another one on every machine
		return p, errors.New("zone: must be an IANA time zone such as Europe/Berlin")
	}
	for _, day := range s.Days {
		i := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, day)
		if i < 0 {
			return p, errors.New("days: must be of mon, tue, wed, thu, fri, sat and sun")
		}
		p.days = append(p.days, time.Weekday(i))
	}
	return p, nil
}

func minutes(clock string) (int, error) {
	if clock == "24:00" {
		return 24 * 60, nil
	}
	if !clockPattern.MatchString(clock) {
		return 0, errors.New(`must be a time of day such as "18:00"`)
	}
	hour, minute, _ := strings.Cut(clock, ":")
	h, hourErr := strconv.Atoi(hour)
	m, minuteErr := strconv.Atoi(minute)
	return h*60 + m, errors.Join(hourErr, minuteErr)
}

// Validate reports a span that cannot be read, and hours that never end.
func (q Quiet) Validate() error {
	for i, s := range q {
		if _, err := s.parse(); err != nil {
			return fmt.Errorf("quiet hours %d: %w", i+1, err)
		}
	}
	if _, ends := q.next(time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)); !ends {
		return errors.New("quiet hours: they never end")
	}
	return nil
}
