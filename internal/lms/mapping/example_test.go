package mapping_test

import (
	"encoding/json"
	"fmt"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// A tenant keeps its staff numbers in another member than the platform's default mapping thinks, without the prefix
// that its quality system puts before them. Everything else stays as the platform's mapping has it.
func ExampleMapping_Override() {
	standard := mapping.MustCompile("lessonly", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerExternalID: {Path: "$.user.ext_uid"},
		mapping.CourseID:          {Path: "$.lesson.id"},
		mapping.CompletedAt:       {Path: "$.completed_at"},
	}})
	acme, err := standard.Override(mapping.Definition{Version: "acme-1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerExternalID: {Path: "$.user.custom[?@.name=='staff no'].value", Transform: "concat:EMP{value}"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	event, err := strictjson.Decode([]byte(`{"completed_at":"2026-05-03","lesson":{"id":812},
		"user":{"ext_uid":null,"custom":[{"name":"site","value":"Basel"},{"name":"staff no","value":"00417"}]}}`), strictjson.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range []*mapping.Mapping{standard, acme} {
		r := m.Read(event)
		c := r.Completion(mapping.Dates)
		fmt.Printf("%s: learner %q, course %q, %s, %v\n", c.MappingVersion, c.Learner.ExternalID, c.Course.ID, c.CompletedAt.Format("2 Jan 2006"), r.Err())
	}
	// Output:
	// lessonly/1: learner "", course "812", 3 May 2026, <nil>
	// lessonly/acme-1: learner "EMP00417", course "812", 3 May 2026, <nil>
}

// What explain shows: where a value was found, what each step made of it, and what the completion got.
func ExampleMapping_WithTrace() {
	m := mapping.MustCompile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.Passed: {Path: "$['result','status']", Transform: "toInt | statusMap:100=true,0=false,*=null"},
	}})
	event, err := strictjson.Decode([]byte(`{"result":"","status":"100.0"}`), strictjson.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	var trace mapping.Trace
	m.WithTrace(&trace).Read(event).Bool(mapping.Passed)
	shown, err := json.MarshalIndent(trace.Events[0].Reads[0], "", "  ")
	fmt.Println(string(shown), err)
	// Output:
	// {
	//   "target": "passed",
	//   "path": "status",
	//   "input": "100.0",
	//   "steps": [
	//     {
	//       "step": "toInt",
	//       "output": 100
	//     },
	//     {
	//       "step": "statusMap:100=true,0=false,*=null",
	//       "output": "true"
	//     }
	//   ],
	//   "output": true
	// } <nil>
}

// Mistakes are found when the mapping is loaded, all of them, with the byte where they are.
func ExampleCompile() {
	_, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.CourseID:    {Path: "$.course["},
		mapping.Passed:      {Path: "$.result", Transform: "toInt | statusmap:1=true"},
		mapping.CompletedAt: {Path: "$.done", Parse: "DD/MM/yyyy", Zone: "Europe/Basel"},
	}})
	fmt.Println(err)
	// Output:
	// course.id: path, byte 9: unexpected eof (invalid_path)
	// completedAt: parse, byte 0: "DD" is no token; other text stands in single quotes (bad_date_pattern)
	// completedAt: zone: want the IANA name of a time zone, e.g. America/Chicago (unknown_zone)
	// passed: transform, byte 8: want dateFormat, statusMap, concat, omitIfNull, toString or toInt (unknown_transform)
}
