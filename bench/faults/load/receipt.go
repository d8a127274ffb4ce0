package load

import (
	"encoding/json"
	"fmt"

	"countersign/bench/faults/ledger"
	"countersign/internal/training"
)

// note copies what a receipt says into the ledger's entry.
func note(e *ledger.Entry, body []byte) error {
	var receipt struct {
		DeliveryID  string `json:"deliveryId"`
		Verdict     string `json:"verdict"`
		Completions []struct {
			Fingerprint training.Fingerprint `json:"fingerprint"`
		} `json:"completions"`
	}
	if err := json.Unmarshal(body, &receipt); err != nil {
		return fmt.Errorf("answered 200 with a receipt that cannot be read: %w", err)
	}
	e.DeliveryID, e.Verdict = receipt.DeliveryID, receipt.Verdict
	for _, c := range receipt.Completions {
		e.Fingerprints = append(e.Fingerprints, c.Fingerprint)
	}
	return nil
}
