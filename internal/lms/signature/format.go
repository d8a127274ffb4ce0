package signature

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Format is how a signature of 32 bytes is written in a header. The zero Format is the usual one.
type Format struct {
	// Prefix may stand before the signature, as the name of the algorithm does (R31); "" means
	// "sha256=".
	Prefix string
	// Base64 says that the bytes come in base64, standard alphabet and padded; else they come as
	// hexadecimal digits in either case (R24).
	Base64 bool
}

func (f Format) orDefault() Format {
	f.Prefix = cmp.Or(f.Prefix, "sha256=")
	return f
}

// length of a signature without prefix, in characters.
func (f Format) length() int {
	if f.Base64 {
		return base64.StdEncoding.EncodedLen(sha256.Size)
	}
	return hex.EncodedLen(sha256.Size)
}

// decode reads the value of a header. Its errors are the rest of a sentence that begins with the
// header's name.
func (f Format) decode(value string) ([]byte, error) {
	text := value
	if len(text) != f.length() { // else it is a whole signature, whatever it begins with
		text = strings.TrimPrefix(text, f.Prefix)
	}
	switch {
	case text == "":
		return nil, errors.New("is empty")
	case !f.Base64 && strings.Contains(text, "="):
		return nil, errors.New("is not hexadecimal, or names another algorithm than sha256")
	case len(text) != f.length() && f.Base64:
		return nil, fmt.Errorf("has %d characters, want %d of base64", len(text), f.length())
	case len(text) != f.length():
		return nil, fmt.Errorf("has %d characters, want %d hexadecimal digits", len(text), f.length())
	case f.Base64:
		return decodeBase64(text)
	}
	signature, err := hex.DecodeString(text)
	if err != nil { // its text would repeat a character of the header
		return nil, errors.New("is not hexadecimal")
	}
	return signature, nil
}

// decodeBase64 reads 32 bytes. They have one spelling only: line ends and stray bits, which the
// decoder would pass over, are refused.
func decodeBase64(text string) ([]byte, error) {
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(signature) != sha256.Size || len(text) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return nil, errors.New("is not base64 of 32 bytes")
	}
	return signature, nil
}
