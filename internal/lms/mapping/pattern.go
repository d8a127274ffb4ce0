package mapping

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countersign/internal/lms/strictjson"
)

// pattern is a date pattern of dateFormat:
//
//	yyyy yy  MMM MM M  dd d  HH H  hh h  mm m  ss s  fff  tt
//
// MMM is Jan to Dec, tt AM or PM, hh 01 to 12, fff milliseconds. T, Z and all that is no letter stand
// for themselves; other text stands in single quotes, in which and outside of which two quotes are one.
type pattern []element

// element is a token, or literal text where token is "".
type element struct {
	token   string
	literal string
	offset  int
}

// tokens of each letter.
const tokens = " yyyy yy MMM MM M dd d HH H hh h mm m ss s fff tt "

// parsePattern checks a pattern; the Mistake has the code bad_date_pattern.
func parsePattern(text chars) (pattern, *Mistake) {
	var p pattern
	literal := func(s string, offset int) {
		if n := len(p); n > 0 && p[n-1].token == "" {
			p[n-1].literal += s
			return
		}
		p = append(p, element{literal: s, offset: offset})
	}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c.c == '\'' && !c.literal:
			quoted, length, ok := unquote(text[i:])
			if !ok {
				return nil, badPattern(c.offset, "the quote is not closed")
			}
			literal(quoted, c.offset)
			i += length
		case c.literal || c.c < utf8.RuneSelf && (!unicode.IsLetter(rune(c.c)) || c.c == 'T' || c.c == 'Z'):
			literal(string([]byte{c.c}), c.offset)
			i++
		case c.c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(text[i:min(i+utf8.UTFMax, len(text))].String())
			if unicode.IsLetter(r) {
				return nil, badPattern(c.offset, "letters that are no token stand in single quotes")
			}
			literal(text[i:i+size].String(), c.offset)
			i += size
		default:
			length := 1
			for i+length < len(text) && text[i+length].c == c.c && !text[i+length].literal {
				length++
			}
			token := text[i : i+length].String()
			if !strings.Contains(tokens, " "+token+" ") {
				return nil, badPattern(c.offset, fmt.Sprintf("%q is no token; other text stands in single quotes", token))
			}
			p = append(p, element{token: token, offset: c.offset})
			i += length
		}
	}
	return p, nil
}

// unquote reads a quoted text at the start of cs and returns how many bytes of cs it takes.
func unquote(cs chars) (text string, length int, ok bool) {
	if len(cs) > 1 && cs[1].c == '\'' && !cs[1].literal {
		return "'", 2, true
	}
	var read strings.Builder
	for i := 1; i < len(cs); i++ {
		if cs[i].c != '\'' || cs[i].literal {
			read.WriteByte(cs[i].c)
			continue
		}
		if i+1 == len(cs) || cs[i+1].c != '\'' || cs[i+1].literal {
			return read.String(), i + 1, true
		}
		read.WriteByte('\'')
		i++
	}
	return "", 0, false
}

func badPattern(offset int, text string) *Mistake { return mistake(offset, "bad_date_pattern", text) }

// format writes t, which is in UTC and has a year of four digits.
func (p pattern) format(t time.Time) string {
	var text strings.Builder
	for _, e := range p {
		if e.token == "" {
			text.WriteString(e.literal)
			continue
		}
		text.WriteString(e.format(t))
	}
	return text.String()
}

func (e element) format(t time.Time) string {
	switch e.token {
	case "yyyy":
		return fmt.Sprintf("%04d", t.Year())
	case "yy":
		return fmt.Sprintf("%02d", t.Year()%100)
	case "MMM":
		return t.Month().String()[:3]
	case "fff":
		return fmt.Sprintf("%03d", t.Nanosecond()/int(time.Millisecond))
	case "tt":
		return t.Format("PM")
	}
	number := map[byte]int{
		'M': int(t.Month()), 'd': t.Day(), 'H': t.Hour(), 'h': (t.Hour()+11)%12 + 1, 'm': t.Minute(), 's': t.Second(),
	}[e.token[0]]
	return fmt.Sprintf("%0*d", len(e.token), number)
}

// dateFormat writes an instant in UTC, or counts its seconds.
func dateFormat(args chars, after int) (func(strictjson.Value) (strictjson.Value, error), *Mistake) {
	if len(args) == 0 {
		return nil, mistake(after, "missing_argument", "want a date pattern or epoch")
	}
	if args.has("epoch") {
		return func(v strictjson.Value) (strictjson.Value, error) {
			instant, _, err := readDate(v)
			return strictjson.IntOf(instant.Unix()), err // Unix rounds down
		}, nil
	}
	p, wrong := parsePattern(args)
	if wrong != nil {
		return nil, wrong
	}
	return func(v strictjson.Value) (strictjson.Value, error) {
		instant, _, err := readDate(v)
		return strictjson.StringOf(p.format(instant)), err
	}, nil
}
