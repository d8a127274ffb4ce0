package docebo_test

import (
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/docebo"
	"countersign/internal/lms/mapping"
)

// A tenant whose logins are e-mail addresses, and whose QMS knows the courses by a longer id.
func ExampleNew() {
	m, err := docebo.DefaultMapping().Override(mapping.Definition{Version: "acme-3", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerEmail:    {Path: "$.payload.username"},
		mapping.LearnerUsername: {Omit: true},
		mapping.CourseID:        {Path: "$.payload.course_id", Transform: "concat:DOC-{value}"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	decoded, err := docebo.New(m).Decode(lms.Request{Body: []byte(`{"event":"course.enrollment.completed","payload":{
		"user_id":10291,"username":"jane.roe@example.com","course_id":5541,"completion_date":"2026-04-08 14:30:22"}}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := decoded.Completions[0]
	fmt.Println(c.Learner.ID, c.Learner.Email, c.Course.ID, c.CompletedAtSource, c.MappingVersion)
	// Output: 10291 jane.roe@example.com DOC-5541 payload.completion_date docebo/acme-3
}
