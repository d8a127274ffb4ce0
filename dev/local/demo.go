package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"countersign/dev/options"
	"countersign/internal/simulator/sender"
)

// stream sends the demo's deliveries until ctx ends, which is no error; without --demo it does
// nothing.
func (i *installation) stream(ctx context.Context, o options.Options) error {
	if !o.Demo {
		return nil
	}
	all, missing, err := i.senders()
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		say("%s has no source %s; without the file the next start writes a new one with all of them",
			display(i.data.file("countersign.yml")), strings.Join(missing, ", "))
	}
	if len(all) == 0 {
		return nil
	}
	var profiles []sender.Profile
	for _, name := range slices.Sorted(maps.Keys(all)) {
		profiles = append(profiles, all[name].Profile())
	}
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	mix := sender.NewMix(sender.Site{Domain: lmsDomain}, uint64(time.Now().Unix()), profiles...)
	err = sender.Stream(ctx, all, mix, ticker.C, func(d sender.Delivery) {
		say("%s", deliveryLine(d))
		if d.Outcome.Disabled {
			// The demo's administrator reads every mail at once.
			all[d.Profile.Name()].Enable()
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deliveryLine is a delivery and what became of it in one line.
func deliveryLine(d sender.Delivery) string {
	who, course := d.About.Learner.ExternalID, d.About.Course.Code
	switch n := len(d.Post.Finishes); {
	case n == 0:
		course = d.Post.Event
	case n > 1:
		who = fmt.Sprintf("%d learners", n)
	}
	line := fmt.Sprintf("%-22s  %-16s  %-12s  %-15s  ", d.Profile.Platform, d.Kind, who, course) + answerText(d.Outcome)
	if d.Outcome.Attempts > 1 {
		line += fmt.Sprintf("  (attempt %d)", d.Outcome.Attempts)
	}
	switch {
	case d.Outcome.Disabled:
		line += "  the LMS has switched the integration off"
	case d.Outcome.GaveUp:
		line += "  the LMS gives up"
	}
	return line
}

// answerText is the last answer that the LMS had.
func answerText(o sender.Outcome) string {
	if o.Err != nil {
		return "no answer: " + firstLine(o.Err)
	}
	var receipt struct {
		Verdict     string `json:"verdict"`
		Reason      string `json:"reason"`
		Completions []struct {
			Fingerprint string `json:"fingerprint"`
		} `json:"completions"`
	}
	if err := json.Unmarshal(o.Body, &receipt); err != nil {
		return fmt.Sprintf("%d %s", o.Status, shorten(strings.TrimSpace(string(o.Body))))
	}
	line := fmt.Sprintf("%d %s", o.Status, receipt.Verdict)
	for _, c := range receipt.Completions {
		line += fmt.Sprintf("  %.12s", c.Fingerprint)
	}
	if receipt.Reason != "" {
		line += "  " + receipt.Reason
	}
	return line
}
