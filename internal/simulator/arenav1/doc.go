// Package arenav1 is a simulated workspace of PTC Arena's documented REST API (v1), as far as training
// goes: sessions and OAuth tokens, the day budget, plans, items, rosters, records, files and users, over
// real HTTP. There is no call that completes a training record, as there is none in the vendor's help:
// Sign is the trainee's hand in Arena's own user interface.
//
// The API lives under /v1, the token endpoint under /oauth2/token, the controls under /__sim/ for callers
// on this machine:
//
//	sim := arenav1.New(arenav1.Options{})
//	server := httptest.NewServer(sim.Handler())
//	sim.Sign(plan.GUID, user.GUID, "")
//
// What the vendor's help leaves open is a switch (Switches). Codes that are not in the help are said to
// be ours in errors.go.
package arenav1
