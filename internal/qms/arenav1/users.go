package arenav1

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"countersign/internal/training"
)

const (
	// userTrust is how long a known user is not asked for again.
	userTrust = 5 * time.Minute
	// mostUsers bounds the memory of a client, about 1 MiB.
	mostUsers = 10_000
)

// user is a user as Arena shows it everywhere.
type user struct {
	GUID  string `json:"guid"`
	Email string `json:"email"`
}

// users remembers whom Arena knows, by the employee id. Who is unknown is not remembered: a person may
// create the user at any moment and press retry.
type users struct {
	mu    sync.Mutex
	known map[string]knownUser
}

type knownUser struct {
	guid  string
	until time.Time
}

func (u *users) get(id string, now time.Time) (guid string, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	known := u.known[id]
	return known.guid, now.Before(known.until)
}

func (u *users) remember(id, guid string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil || len(u.known) >= mostUsers {
		u.known = map[string]knownUser{} // rare, and costs one question per user
	}
	u.known[id] = knownUser{guid, now.Add(userTrust)}
}

// Employee checks that the workspace has the user.
func (c *Client) Employee(ctx context.Context, employeeID string) error {
	_, err := c.userGUID(ctx, employeeID)
	return err
}

// userGUID is the user's GUID. The employee id is kept out of failures and logs. That an e-mail address
// stands in the query of one call cannot be helped: the API has no other search.
func (c *Client) userGUID(ctx context.Context, employeeID string) (string, error) {
	const operation = "check employee"
	unknown := func(detail string) (string, error) {
		return "", training.Fail(training.FailureEmployeeUnknown, operation, "/settings/users", detail)
	}
	id := c.employeeID(user{GUID: employeeID, Email: employeeID})
	if known, ok := c.users.get(id, c.now()); ok {
		return known, nil
	}
	var found user
	if c.cfg.EmployeeKey == ByGUID {
		if !guid(id) {
			return unknown("not a user's GUID")
		}
		call := call{
			operation: operation, key: "/settings/users", template: "/settings/users/{guid}",
			path: "/settings/users/" + id, missing: training.FailureEmployeeUnknown,
		}
		if err := c.read(ctx, call, &found); err != nil {
			return "", err
		}
	} else {
		if !strings.Contains(id, "@") {
			return unknown("not an e-mail address")
		}
		call := call{
			operation: operation, key: "/settings/users", template: "/settings/users", path: "/settings/users",
			query: url.Values{"email": {id}},
		}
		all, err := list(ctx, c, call, func(u user) string { return u.GUID })
		if err != nil {
			return "", err
		}
		for _, u := range all { // the search may find more than it was asked for
			if c.employeeID(u) != id {
				continue
			}
			if found.GUID != "" {
				return unknown("two users have this e-mail address")
			}
			found = u
		}
	}
	if c.employeeID(found) != id || !guid(found.GUID) {
		return unknown("no such user")
	}
	c.users.remember(id, found.GUID, c.now())
	return found.GUID, nil
}

// employeeID is how the tenant's settings know a user.
func (c *Client) employeeID(u user) string {
	if c.cfg.EmployeeKey == ByGUID {
		return u.GUID
	}
	return strings.ToLower(u.Email)
}
