package mapping

import "strings"

// char is one byte of an expression. literal says that a backslash took away its meaning.
type char struct {
	c       byte
	literal bool
	offset  int
}

// chars is a part of an expression that still knows where it stands.
type chars []char

// unescape reads backslashes. ok is false where the last one has nothing behind it.
func unescape(text string) (read chars, ok bool) {
	read = make(chars, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			read = append(read, char{text[i], false, i})
			continue
		}
		if i++; i == len(text) {
			return read, false
		}
		read = append(read, char{text[i], true, i - 1})
	}
	return read, true
}

// plain is a text in which a backslash means nothing.
func plain(text string) chars {
	read := make(chars, len(text))
	for i := range read {
		read[i] = char{text[i], false, i}
	}
	return read
}

func (cs chars) String() string {
	var text strings.Builder
	for _, c := range cs {
		text.WriteByte(c.c)
	}
	return text.String()
}

// cut splits at the first separator that has its meaning.
func (cs chars) cut(separator byte) (before, after chars, found bool) {
	for i, c := range cs {
		if c.c == separator && !c.literal {
			return cs[:i], cs[i+1:], true
		}
	}
	return cs, nil, false
}

// end is the byte behind the last one, start where there is none.
func (cs chars) end(start int) int {
	if len(cs) == 0 {
		return start
	}
	last := cs[len(cs)-1]
	if last.literal { // its backslash stands before it
		return last.offset + 2
	}
	return last.offset + 1
}

// split is the parts between separators, at least one.
func (cs chars) split(separator byte) []chars {
	var parts []chars
	for {
		before, after, found := cs.cut(separator)
		parts = append(parts, before)
		if !found {
			return parts
		}
		cs = after
	}
}

// trim drops white space around; what stands behind a backslash stays.
func (cs chars) trim() chars {
	blank := func(c char) bool { return !c.literal && strings.IndexByte(" \t\r\n", c.c) >= 0 }
	for len(cs) > 0 && blank(cs[0]) {
		cs = cs[1:]
	}
	for len(cs) > 0 && blank(cs[len(cs)-1]) {
		cs = cs[:len(cs)-1]
	}
	return cs
}

// has reports whether cs spells text and every byte has its meaning.
func (cs chars) has(text string) bool {
	if len(cs) != len(text) {
		return false
	}
	for i, c := range cs {
		if c.literal || c.c != text[i] {
			return false
		}
	}
	return true
}
