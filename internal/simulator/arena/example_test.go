package arena_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
)

// A lost answer: the caller sees an error, the record is COMPLETED, once.
func Example() {
	sim := arena.New(arena.Options{})
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	sim.AddAccount(arena.Account{ClientID: "svc-bridge", ClientSecret: "s3cret", Scopes: arena.BridgeScopes()})
	sim.AddUser(arena.User{EmployeeID: "EMP12345", Active: true})
	sim.AddTraining(arena.Training{ID: "TP-0042", Name: "GDPR introduction"})
	record := sim.AddRecord(arena.Record{EmployeeID: "EMP12345", TrainingID: "TP-0042"})
	sim.Fault(arena.EndpointComplete, fault.DropAfter(1))

	post := func(path, media, authorization, body string) (string, error) {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		request.Header.Set("Accept", "application/json")
		request.Header.Set("Content-Type", media)
		request.Header.Set("Authorization", authorization)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		return string(answer), err
	}
	login, err := post("/auth/token", "application/x-www-form-urlencoded", "",
		"grant_type=client_credentials&client_id=svc-bridge&client_secret=s3cret")
	if err != nil {
		fmt.Println(err)
		return
	}
	token := strings.Split(login, `"`)[3]
	_, err = post("/training/records/"+record.ID+"/complete", "application/json", "Bearer "+token,
		`{"employeeId":"EMP12345","completionDate":"2026-04-08T14:30:00Z","status":"COMPLETED"}`)

	record, _ = sim.Record(record.ID)
	fmt.Println("answered:", err == nil)
	fmt.Println("status:", record.Status)
	fmt.Println("raw calls:", sim.Calls(arena.EndpointComplete))
	fmt.Println("effective changes:", len(sim.Changes(record.ID)))
	// Output:
	// answered: false
	// status: COMPLETED
	// raw calls: 1
	// effective changes: 1
}
