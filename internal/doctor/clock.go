package doctor

import (
	"fmt"
	"time"
)

const (
	// skewDoubtful is more than a clock that is kept by NTP is ever off.
	skewDoubtful = 30 * time.Second
	// skewBroken is what senders and verifiers of signed timestamps allow at most (Standard Webhooks: 5 minutes).
	skewBroken = 5 * time.Minute
)

// clock compares the other side's clock with ours by the Date of its answers.
func clock(check, whose string, w *Witness) Finding {
	skew, ok := w.clock()
	if !ok {
		return unfit(Note, check, "no answer of "+whose+" told the time; the clocks were not compared", "")
	}
	return judgeSkew(check, whose, skew)
}

func judgeSkew(check, whose string, skew time.Duration) Finding {
	by, size := "ahead of", skew
	if skew < 0 {
		by, size = "behind", -skew
	}
	text := fmt.Sprintf("the clock of %s is %s %s ours", whose, size.Round(time.Second), by)
	const fix = "see which of the two clocks is wrong, and have it kept by NTP (timedatectl, chronyc tracking)"
	switch {
	case size >= skewBroken:
		return unfit(Error, check, text+"; signed timestamps and tokens are refused at such a distance", fix)
	case size >= skewDoubtful:
		return unfit(Warning, check, text, fix)
	default:
		return fine(check, "the clocks of %s and of this machine agree", whose)
	}
}
