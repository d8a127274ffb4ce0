package wire

import (
	"sync"
	"sync/atomic"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// counting is the name of a toxic that does no harm and counts the pieces that pass.
const counting = "counting"

// counter is that toxic. toxiproxy makes toxics from their attributes, so it knows its count by a number.
type counter struct {
	Number int `json:"counter"`
}

var (
	countersMu sync.Mutex
	counters   []*atomic.Int64
)

//nolint:gochecknoinits // as toxiproxy wants it
func init() { toxics.Register(counting, new(counter)) }

func newCounter() (number int) {
	countersMu.Lock()
	defer countersMu.Unlock()
	counters = append(counters, &atomic.Int64{})
	return len(counters) - 1
}

func passed(number int) *atomic.Int64 {
	countersMu.Lock()
	defer countersMu.Unlock()
	return counters[number]
}

// Pipe is toxiproxy's way through a toxic.
func (c *counter) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case piece := <-stub.Input:
			if piece == nil {
				stub.Close()
				return
			}
			passed(c.Number).Add(1)
			stub.Output <- piece
		}
	}
}
