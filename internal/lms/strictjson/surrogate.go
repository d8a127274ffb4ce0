package strictjson

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf16"
)

// escape looks at what follows a backslash. It returns how many bytes belong to the escape and
// whether it is free of lone surrogates. Escapes that are no JSON are left to the tokenizer.
func escape(rest []byte) (length int, ok bool) {
	first, isUnicode := codeUnit(rest)
	if !isUnicode {
		return min(1, len(rest)), true
	}
	if !utf16.IsSurrogate(first) {
		return 5, true
	}
	after, found := bytes.CutPrefix(rest[5:], []byte(`\`))
	if !found {
		return 5, false
	}
	second, isUnicode := codeUnit(after)
	if !isUnicode || utf16.DecodeRune(first, second) == unicode.ReplacementChar {
		return 5, false
	}
	return 11, true
}

// codeUnit reads "uXXXX".
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 5 || text[0] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[1:5]), 16, 16)
	return rune(unit), err == nil
}
