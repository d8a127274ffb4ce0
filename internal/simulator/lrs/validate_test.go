package lrs_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStrictValidation_R155 is what the strict ones among real stores refuse.
func TestStrictValidation_R155(t *testing.T) {
	const score = `{"scaled":0.915,"raw":91.5,"min":0,"max":100}`
	const account = `"account":{"homePage":"https://acme.example.com","name":"10291"}`
	refused := map[string][]string{
		"no actor":               {`"actor":`, `"actr":`},
		"unknown property":       {`"verb":`, `"mood":"good","verb":`},
		"unknown in definition":  {`"type":`, `"kind":"x","type":`},
		"null":                   {`"success":true`, `"success":null`},
		"scaled over 1":          {"0.915", "91.5"},
		"scaled as text":         {"0.915", `"0.9"`},
		"scaled under -1":        {"0.915", "-1.01"},
		"raw over max":           {`"raw":91.5`, `"raw":101`},
		"raw under min":          {`"raw":91.5`, `"raw":-1`},
		"min not under max":      {score, `{"min":5,"max":5}`},
		"success as text":        {`"success":true`, `"success":"true"`},
		"two identifiers":        {account, account + `,"mbox":"mailto:a@example.com"`},
		"no identifier":          {account, `"name":"Jordan"`},
		"account name as number": {`"name":"10291"`, `"name":10291`},
		"account without page":   {`"homePage":"https://acme.example.com",`, ""},
		"mbox without mailto":    {account, `"mbox":"a@example.com"`},
		"mbox in capitals":       {account, `"mbox":"MAILTO:a@example.com"`},
		"mbox not ASCII":         {account, `"mbox":"mailto:jürgen@example.com"`},
		"short sha1":             {account, `"mbox_sha1sum":"abc"`},
		"member of an agent":     {account, account + `,"member":[]`},
		"empty group":            {`"objectType":"Agent",` + account, `"objectType":"Group"`},
		"language with _":        {`"en-US":"completed"`, `"en_US":"completed"`},
		"display is no map":      {`{"en-US":"completed"}`, `"completed"`},
		"verb without scheme":    {"http://adlnet.gov/expapi/verbs/completed", "completed"},
		"object without id":      {`"id":"https://acme.example.com/courses/5541",`, ""},
		"object with space":      {"courses/5541", "courses/5 541"},
		"wrong object type":      {`"objectType":"Activity"`, `"objectType":"activity"`},
		"empty duration":         {"PT1H30M", "PT"},
		"fraction of hours":      {"PT1H30M", "PT1.5H"},
		"weeks with days":        {"PT1H30M", "P1W2D"},
		"no zone":                {"14:30:00.000Z", "14:30:00.000"},
		"-00:00":                 {"14:30:00.000Z", "14:30:00-00:00"},
		"+0200":                  {"14:30:00.000Z", "14:30:00+0200"},
		"space for T":            {"T14:30", " 14:30"},
		"lower case":             {"T14:30:00.000Z", "t14:30:00.000z"},
		"date only":              {"2026-04-08T14:30:00.000Z", "2026-04-08"},
		"no such day":            {"2026-04-08T", "2026-02-30T"},
		"registration no UUID":   {`"registration":"` + idB, `"registration":"88121`},
		"extension key no IRI":   {"https://acme.example.com/x", "x"},
		"version 2":              {`"timestamp"`, `"version":"2.0.0","timestamp"`},
		"nil UUID":               {idA, "00000000-0000-0000-0000-000000000000"},
		"id in braces":           {idA, "{" + idA + "}"},
		"key twice":              {`"success":true`, `"success":true,"success":true`},
		"context activities":     {`[{"id":"https://acme.example.com/p"}]`, `"https://acme.example.com/p"`},
		"revision without activity": {`{"objectType":"Activity","id":"https://acme.example.com/courses/5541","definition":{"name":{"en-US":"GDPR"},"type":"http://adlnet.gov/expapi/activities/course"}}`,
			`{"objectType":"Agent","mbox":"mailto:a@example.com"}`},
		"trailing text": {`00.000Z"}`, `00.000Z"} x`},
		"attachment without address": {`"timestamp"`,
			`"attachments":[{"usageType":"https://x.example/t","display":{"en":"c"},"contentType":"application/pdf","length":3,"sha2":"ab"}],"timestamp"`},
	}
	r := newRig(t)
	for name, edit := range refused {
		t.Run("refused/"+name, func(t *testing.T) {
			body := statement(idA, edit...)
			require.NotEqual(t, statement(idA), body, "the edit must hit something")
			status, answer := r.do("POST", "/xapi/statements", body)
			require.Equal(t, 400, status, answer)
		})
	}
	require.Empty(t, r.store.Statements())

	accepted := map[string][]string{
		"as it is":          {},
		"mbox":              {account, `"mbox":"mailto:o'neil+tag@example.com"`},
		"sha1":              {account, `"mbox_sha1sum":"0123456789abcdef0123456789abcdef01234567"`},
		"openid":            {account, `"openid":"https://id.example.com/jl"`},
		"anonymous group":   {`"objectType":"Agent",` + account, `"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}]`},
		"offset":            {"14:30:00.000Z", "16:30:00+02:00"},
		"one activity":      {`[{"id":"https://acme.example.com/p"}]`, `{"id":"https://acme.example.com/p"}`},
		"score 0 of -1":     {score, `{"scaled":-1}`},
		"fraction of sec":   {"PT1H30M", "PT5400.25S"},
		"no result at all":  {`"result":{"score":` + score + `,"success":true,"completion":true,"duration":"PT1H30M"},`, ""},
		"private language":  {`"en-US":"completed"`, `"x-klingon":"completed"`},
		"version and store": {`"timestamp"`, `"version":"1.0.3","stored":"2026-04-08T14:30:00Z","timestamp"`},
	}
	for name, edit := range accepted {
		t.Run("accepted/"+name, func(t *testing.T) {
			status, answer := newRig(t).do("POST", "/xapi/statements", statement(idA, edit...))
			require.Equal(t, 200, status, answer)
		})
	}
}
