package page

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
)

// maxForm bounds the buttons' forms, in bytes.
const maxForm = 16 << 10

// do presses one button and shows the page again.
func (p *pageHandler) do(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	var err error
	if action := r.PostForm.Get("lrs"); action != "" {
		err = p.breakLRS(action)
	} else {
		err = p.breakQMS(r)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	back := "./"
	if r.PostForm.Has("live") {
		back = "./?live"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// The scripts behind the buttons.
const (
	lateBy     = 5 * time.Second
	retryAfter = "10" // seconds
	limited    = 5    // calls
)

func (p *pageHandler) breakQMS(r *http.Request) error {
	index, err := strconv.Atoi(r.PostForm.Get("qms"))
	if err != nil || index < 0 || index >= len(p.options.QMS) {
		return fmt.Errorf("no such QMS: %q", r.PostForm.Get("qms"))
	}
	sim, record := p.options.QMS[index].Sim, r.PostForm.Get("record")
	switches := sim.Switches()
	switch action := r.PostForm.Get("do"); action {
	case "down":
		sim.ClearFaults(fault.Any)
		sim.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, fault.Forever))
	case "up":
		sim.ClearFaults()
	case "silent":
		sim.Fault(arena.EndpointComplete, fault.Silent(fault.Forever))
	case "lost":
		sim.Fault(arena.EndpointComplete, fault.DropAfter(1))
	case "late":
		sim.Fault(arena.EndpointComplete, fault.LateCommit(lateBy, 1))
	case "commit500":
		sim.Fault(arena.EndpointComplete, fault.CommitThenStatus(http.StatusInternalServerError, 1))
	case "limited":
		sim.Fault(fault.Any, fault.RateLimited(retryAfter, limited))
	case "expire":
		sim.ExpireTokens()
	case "updates-off":
		switches.ExternalUpdatesOff = true
		return sim.SetSwitches(switches)
	case "updates-on":
		switches.ExternalUpdatesOff = false
		return sim.SetSwitches(switches)
	case "approve":
		return sim.Decide(record, arena.Approve, approver, "approved on the control page")
	case "reject":
		return sim.Decide(record, arena.Reject, approver, "rejected on the control page")
	case "lock":
		return sim.Lock(record, true)
	case "unlock":
		return sim.Lock(record, false)
	default:
		return fmt.Errorf("no such button: %q", action)
	}
	return nil
}

// approver is the person in the QMS whom the page plays.
const approver = "qa.lead"

func (p *pageHandler) breakLRS(action string) error {
	store := p.options.LRS
	if store == nil {
		return fmt.Errorf("no LRS here")
	}
	switch action {
	case "down":
		store.ClearFaults(fault.Any)
		store.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, fault.Forever))
	case "up":
		store.ClearFaults()
	case "lost":
		store.Fault(fault.Any, fault.DropAfter(1))
	default:
		return fmt.Errorf("no such button: %q", action)
	}
	return nil
}
