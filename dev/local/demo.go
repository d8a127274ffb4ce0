package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"countersign/dev/options"
	"countersign/internal/simulator/sender"
)

// lmsDomain is the seeded tenant's LMS.
const lmsDomain = "acme.lms.example.com"

// stream sends the demo's deliveries until ctx ends, which is no error; without --demo it does
// nothing.
func (i *installation) stream(ctx context.Context, o options.Options) error {
	if !o.Demo {
		return nil
	}
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	lms := sender.New(sender.Options{URL: i.ingress(), Secret: i.data.secrets[lmsSecret]})
	mix := sender.NewMix(lmsDomain, uint64(time.Now().Unix()))
	err := lms.Stream(ctx, mix, ticker.C, func(d sender.Delivery) { say("%s", deliveryLine(d)) })
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deliveryLine is a delivery and its answer in one line.
func deliveryLine(d sender.Delivery) string {
	p := d.Envelope.Payload
	what := fmt.Sprintf("%-16s  %-12s  %-15s", d.Kind, p.User.ExternalID, p.Course.Code)
	if d.Err != nil {
		return what + "  no answer: " + firstLine(d.Err)
	}
	var receipt struct {
		Verdict     string `json:"verdict"`
		Reason      string `json:"reason"`
		Completions []struct {
			Fingerprint string `json:"fingerprint"`
		} `json:"completions"`
	}
	if err := json.Unmarshal(d.Answer.Body, &receipt); err != nil {
		return fmt.Sprintf("%s  %d %s", what, d.Answer.Status, shorten(strings.TrimSpace(string(d.Answer.Body))))
	}
	line := fmt.Sprintf("%s  %d %s", what, d.Answer.Status, receipt.Verdict)
	for _, c := range receipt.Completions {
		line += fmt.Sprintf("  %.12s", c.Fingerprint)
	}
	if receipt.Reason != "" {
		line += "  " + receipt.Reason
	}
	return line
}
