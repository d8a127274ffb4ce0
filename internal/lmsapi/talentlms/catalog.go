package talentlms

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// catalog is the list of courses, kept for a while: a course alone would come with all of its users, and the list with
// every completion would cost a third of the budget.
type catalog struct {
	mu      sync.Mutex
	courses map[string]training.Course
	read    time.Time
}

// How long the list is believed, and how soon it is read again for a course that is not in it.
const (
	catalogLife = time.Hour
	catalogRest = 10 * time.Minute
)

// find returns title and code of a course, nothing for one that the portal does not have. Those who ask at the same
// time wait for one answer.
func (k *catalog) find(ctx context.Context, c *Client, course string) (training.Course, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.courses[course]
	age := c.api.Now().Sub(k.read)
	if k.courses == nil || age >= catalogLife || (!ok && age >= catalogRest) {
		list, err := c.courses(ctx)
		if err != nil {
			return training.Course{}, err
		}
		k.courses, k.read = make(map[string]training.Course, len(list)), c.api.Now()
		for _, one := range list {
			k.courses[string(one.ID)] = training.Course{Title: one.Name, Code: string(one.Code)}
		}
		found = k.courses[course]
	}
	return found, nil
}

// course is a course in the list.
type course struct {
	ID   rest.Text `json:"id"`
	Name string    `json:"name"`
	Code rest.Text `json:"code"`
}

// courses is GET /courses: all of them, in one answer, without their users.
func (c *Client) courses(ctx context.Context) ([]course, error) {
	var answer []course
	_, err := c.api.Do(ctx, rest.Call{Operation: "list courses", Path: "/api/v1/courses", Whole: true}, &answer)
	return answer, err
}

// courseIDs are the ids of all courses, in order.
func (c *Client) courseIDs(ctx context.Context) ([]int, error) {
	list, err := c.courses(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]int, 0, len(list))
	for _, one := range list {
		number, err := strconv.Atoi(string(one.ID))
		if err != nil || number < 1 {
			return nil, training.Fail(training.FailureMisread, "list courses", "/api/v1/courses", "id is not a number")
		}
		ids = append(ids, number)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
