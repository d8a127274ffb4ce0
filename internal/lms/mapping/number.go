package mapping

import (
	"regexp"
	"strconv"
	"strings"
)

// longestNumber is how many digits a number may have without its exponent: one more than the largest that a
// binary fraction of 64 bits can be, and few enough to cost nothing.
const longestNumber = 400

var numericForm = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// numeric is the shortest decimal of a text that is a number: a sign, digits and a fraction, blanks around
// them. Not "1e3", not "95%".
func numeric(text string) (string, bool) {
	text = strings.Trim(text, " \t\r\n")
	if len(text) > longestNumber || !numericForm.MatchString(text) {
		return "", false
	}
	return shortest(strings.TrimPrefix(text, "+"))
}

// shortest writes a number without exponent and without zeros that say nothing, exactly: "95.0" is "95",
// "1.5e2" is "150". ok is false where that takes more than longestNumber digits.
func shortest(digits string) (text string, ok bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(digits), "e")
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if exponent != "" {
		shift, err := strconv.Atoi(exponent)
		if strings.Trim(whole+fraction, "0") == "" {
			return "0", true
		}
		if err != nil || shift > longestNumber || shift < -longestNumber {
			return "", false
		}
		whole, fraction = shiftPoint(whole, fraction, shift)
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(whole)+len(fraction) > longestNumber {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && whole != "0" {
		whole = "-" + whole
	}
	return whole, true
}

// shiftPoint moves the decimal point to the right, or to the left where by is negative.
func shiftPoint(whole, fraction string, by int) (newWhole, newFraction string) {
	if by >= 0 {
		fraction += strings.Repeat("0", max(by-len(fraction), 0))
		return whole + fraction[:by], fraction[by:]
	}
	whole = strings.Repeat("0", max(-by-len(whole), 0)) + whole
	return whole[:len(whole)+by], whole[len(whole)+by:] + fraction
}
