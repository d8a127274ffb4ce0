package lrs

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"countersign/internal/simulator/fault"
)

// incoming is one statement on its way in.
type incoming struct {
	id     string
	raw    []byte
	fields map[string]any
	sent   bool // the sender chose the id
}

// postStatements is POST: one statement or an array, all or nothing.
func (l *LRS) postStatements(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	if len(r.URL.Query()) > 0 {
		refuse(http.StatusBadRequest, "POST takes no parameters").write(w, x)
		return
	}
	raws := []json.RawMessage{x.Body}
	if bytes.HasPrefix(bytes.TrimLeft(x.Body, " \t\r\n"), []byte("[")) {
		raws = nil
		if err := json.Unmarshal(x.Body, &raws); err != nil {
			refuse(http.StatusBadRequest, "body is no JSON").write(w, x)
			return
		}
	}
	batch := make([]incoming, 0, len(raws))
	ids := make([]string, 0, len(raws))
	for _, raw := range raws {
		in, problem := decode(raw, "")
		if problem.none() && slices.Contains(ids, in.id) {
			problem = refuse(http.StatusBadRequest, "id %s twice in one batch", in.id)
		}
		if !problem.none() {
			problem.write(w, x)
			return
		}
		batch, ids = append(batch, in), append(ids, in.id)
	}
	if problem := l.store(x, batch); !problem.none() {
		problem.write(w, x)
		return
	}
	writeJSON(w, http.StatusOK, ids)
}

// putStatement is PUT ?statementId=: one statement under that id.
func (l *LRS) putStatement(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	query := r.URL.Query()
	id := query.Get("statementId")
	if len(query) != 1 || !isUUID(id) {
		refuse(http.StatusBadRequest, "PUT needs statementId, a UUID, and nothing else").write(w, x)
		return
	}
	in, problem := decode(x.Body, id)
	if problem.none() {
		problem = l.store(x, []incoming{in})
	}
	if !problem.none() {
		problem.write(w, x)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// decode parses and validates one statement. id is that of the address, "" for none.
func decode(raw []byte, id string) (incoming, failure) {
	fields, err := parseObject(raw)
	if err != nil {
		return incoming{}, refuse(http.StatusBadRequest, "statement: %v", err)
	}
	if problems := Validate(fields); len(problems) > 0 {
		return incoming{}, refuse(http.StatusBadRequest, "%s", strings.Join(problems, "; "))
	}
	own, _ := fields["id"].(string)
	switch {
	case id != "" && own != "" && !strings.EqualFold(own, id):
		return incoming{}, refuse(http.StatusBadRequest, "id differs from statementId")
	case id == "":
		id = own
	}
	in := incoming{id: strings.ToLower(id), raw: bytes.Clone(raw), fields: fields, sent: id != ""}
	if !in.sent {
		in.id = uuid.NewString()
	}
	return in, failure{}
}

// store keeps a batch, all or nothing. A statement that is there already is never changed; an
// equal one is success.
func (l *LRS) store(x *fault.Exchange, batch []incoming) failure {
	l.mu.Lock()
	for _, in := range batch {
		l.sends[in.id]++
	}
	l.mu.Unlock()
	authority := x.Subject
	return fault.Attempt(x, func(commit bool) (failure, bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		var fresh []incoming
		for _, in := range batch {
			old, exists := l.statements[in.id]
			switch {
			case !exists:
				fresh = append(fresh, in)
			case l.compare == CompareRefuse || !equal(old.Raw, in.raw, l.compare):
				return refuse(http.StatusConflict, "another statement has the id %s", in.id), false
			}
		}
		if commit {
			for _, in := range fresh {
				l.keep(Statement{ID: in.id, Raw: in.raw, Stored: l.clock.Now(), Authority: authority, Sent: in.sent})
				l.void(in)
			}
		}
		return failure{}, len(fresh) > 0
	})
}

// keep stores and saves a statement; l.mu is held.
func (l *LRS) keep(s Statement) {
	l.put(s)
	l.state.Save(kindStatement, s)
}

func (l *LRS) put(s Statement) {
	if _, ok := l.statements[s.ID]; !ok {
		l.order = append(l.order, s.ID)
	}
	l.statements[s.ID] = &s
}

// void marks the target of a voiding statement; a voiding statement cannot be voided itself.
func (l *LRS) void(in incoming) {
	target, ok := l.statements[voided(in.fields)]
	if !ok || target.VoidedBy != "" {
		return
	}
	if fields, err := parseObject(target.Raw); err != nil || voided(fields) != "" {
		return
	}
	marked := *target
	marked.VoidedBy = in.id
	l.keep(marked)
}

const verbVoided = "http://adlnet.gov/expapi/verbs/voided"

// voided is the id a statement voids, "" when it is no voiding statement.
func voided(fields map[string]any) string {
	verb, _ := fields["verb"].(map[string]any)
	object, _ := fields["object"].(map[string]any)
	if verb["id"] != verbVoided || object["objectType"] != "StatementRef" {
		return ""
	}
	id, _ := object["id"].(string)
	return strings.ToLower(id)
}

// getStatements is GET: one statement by id, or the newest first.
func (l *LRS) getStatements(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	query := r.URL.Query()
	w.Header().Set("X-Experience-API-Consistent-Through", l.clock.Now().Format("2006-01-02T15:04:05.000Z"))
	known := []string{"statementId", "voidedStatementId", "verb", "activity", "limit"}
	for name := range query {
		if !slices.Contains(known, name) {
			refuse(http.StatusBadRequest, "unknown parameter %q", name).write(w, x)
			return
		}
	}
	if query.Has("statementId") || query.Has("voidedStatementId") {
		l.getOne(w, x, query)
		return
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if query.Get("limit") != "" && (err != nil || limit < 0) {
		refuse(http.StatusBadRequest, "limit must be a number").write(w, x)
		return
	}
	statements := l.Statements()
	slices.Reverse(statements)
	out := []json.RawMessage{}
	for _, s := range statements {
		if (limit == 0 || len(out) < limit) && s.VoidedBy == "" && matches(s, query) {
			out = append(out, s.full())
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"statements": out, "more": ""})
}

func (l *LRS) getOne(w http.ResponseWriter, x *fault.Exchange, query url.Values) {
	wantVoided := query.Has("voidedStatementId")
	id := strings.ToLower(query.Get("statementId") + query.Get("voidedStatementId"))
	s, ok := l.Statement(id)
	switch {
	case len(query) != 1 || !isUUID(id):
		refuse(http.StatusBadRequest, "one id, a UUID, and nothing else").write(w, x)
	case !ok || wantVoided != (s.VoidedBy != ""):
		refuse(http.StatusNotFound, "no such statement").write(w, x)
	default:
		writeJSON(w, http.StatusOK, s.full())
	}
}

func matches(s Statement, query url.Values) bool {
	fields, err := parseObject(s.Raw)
	if err != nil {
		return false
	}
	is := func(parameter, part string) bool {
		object, _ := fields[part].(map[string]any)
		return query.Get(parameter) == "" || object["id"] == query.Get(parameter)
	}
	return is("verb", "verb") && is("activity", "object")
}

// full is the statement with what the store adds: id, stored, authority, version and, where
// the sender gave none, timestamp (xAPI 1.0.3 Data 2.4).
func (s Statement) full() json.RawMessage {
	fields, err := parseObject(s.Raw)
	if err != nil {
		return s.Raw // cannot be: it was parsed before it was stored
	}
	out := maps.Clone(fields)
	stored := s.Stored.Format("2006-01-02T15:04:05.000Z")
	out["id"], out["stored"] = s.ID, stored
	out["authority"] = map[string]any{"objectType": "Agent", "account": map[string]any{"homePage": "http://lrs.example.com/keys", "name": s.Authority}}
	if _, ok := out["timestamp"]; !ok {
		out["timestamp"] = stored
	}
	if _, ok := out["version"]; !ok {
		out["version"] = "1.0.0"
	}
	data, err := json.Marshal(out)
	if err != nil {
		return s.Raw
	}
	return data
}
