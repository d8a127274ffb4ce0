// Package page is the control page of the simulators: what the QMS, the LRS and the mail sink
// hold, and buttons that break and mend them. One page, rendered here, without a script.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/lrs"
	"countersign/internal/simulator/mailsink"
	"countersign/internal/training"
)

// Mailbox lists received mails, oldest first.
type Mailbox interface {
	Messages() []mailsink.Message
}

// QMS is one simulated Arena and whose it is.
type QMS struct {
	Name string
	Sim  *arena.Arena
}

// Options say what the page shows; LRS and Mails may be nil.
type Options struct {
	QMS   []QMS
	LRS   *lrs.LRS
	Mails Mailbox
	// Logger gets pages that could not be drawn; nil discards it.
	Logger *slog.Logger
}

// How much of each list the page shows.
const (
	shownRecords    = 60
	shownStatements = 15
	shownCalls      = 25
	shownMails      = 10
)

//go:embed page.html
var files embed.FS

type pageHandler struct {
	options  Options
	template *template.Template
}

// New makes the page's handler: the page on / and its buttons on /do, for callers on this
// machine only. The error is a template that does not parse.
func New(options Options) (http.Handler, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	t, err := template.New("page.html").Funcs(template.FuncMap{"clock": clock, "short": short}).ParseFS(files, "page.html")
	if err != nil {
		return nil, fmt.Errorf("control page: %w", err)
	}
	p := &pageHandler{options: options, template: t}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("POST /do", p.do)
	return fault.Loopback(mux), nil
}

func (p *pageHandler) show(w http.ResponseWriter, r *http.Request) {
	var out bytes.Buffer
	if err := p.template.Execute(&out, p.view(r.URL.Query().Has("live"))); err != nil {
		p.options.Logger.Error("draw control page", slog.Any("error", err))
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	// A reader who has gone away is nobody's error.
	_, _ = w.Write(out.Bytes())
}

// view is what the template draws.
type view struct {
	Live  bool
	QMS   []qmsView
	LRS   *lrsView
	Mails []mailsink.Message
}

type qmsView struct {
	Index    int
	Name     string
	Down     bool
	Faults   int
	Switches arena.Switches
	Total    int
	Counts   []statusCount
	Records  []recordView
	Log      []fault.Entry
}

type statusCount struct {
	Status training.RecordStatus
	Count  int
}

type recordView struct {
	arena.Record
	Changes []arena.Change
	Pending bool
	// Twice says that the record was completed more than once: never, if all is well.
	Twice bool
}

type lrsView struct {
	Down       bool
	Faults     int
	Total      int
	Statements []statementView
	Log        []fault.Entry
}

type statementView struct {
	lrs.Statement
	Sends int
}

func (p *pageHandler) view(live bool) view {
	v := view{Live: live}
	for i, q := range p.options.QMS {
		v.QMS = append(v.QMS, viewQMS(i, q))
	}
	if store := p.options.LRS; store != nil {
		all := store.Statements()
		l := &lrsView{Total: len(all), Log: newest(store.Log(shownCalls), shownCalls)}
		l.Down, l.Faults = summary(store.Faults())
		for _, s := range newest(all, shownStatements) {
			l.Statements = append(l.Statements, statementView{s, store.Sends(s.ID)})
		}
		v.LRS = l
	}
	if p.options.Mails != nil {
		v.Mails = newest(p.options.Mails.Messages(), shownMails)
	}
	return v
}

func viewQMS(index int, q QMS) qmsView {
	records := q.Sim.Records()
	v := qmsView{Index: index, Name: q.Name, Switches: q.Sim.Switches(), Total: len(records),
		Log: newest(q.Sim.Log(shownCalls), shownCalls)}
	v.Down, v.Faults = summary(q.Sim.Faults())
	counts := map[training.RecordStatus]int{}
	for _, record := range records {
		counts[record.Status]++
	}
	for _, status := range []training.RecordStatus{training.RecordAssigned, training.RecordInProgress, training.RecordPendingApproval,
		training.RecordCompleted, training.RecordExpired, training.RecordCancelled} {
		if counts[status] > 0 {
			v.Counts = append(v.Counts, statusCount{status, counts[status]})
		}
	}
	// What waits for a person comes first, then the latest.
	slices.SortStableFunc(records, func(a, b arena.Record) int {
		if x, y := a.Status == training.RecordPendingApproval, b.Status == training.RecordPendingApproval; x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.UpdatedAt.Compare(a.UpdatedAt)
	})
	for _, record := range records[:min(len(records), shownRecords)] {
		rv := recordView{Record: record, Changes: q.Sim.Changes(record.ID), Pending: record.Status == training.RecordPendingApproval}
		completed := 0
		for _, c := range rv.Changes {
			if c.To == training.RecordCompleted {
				completed++
			}
		}
		rv.Twice = completed > 1
		v.Records = append(v.Records, rv)
	}
	return v
}

// summary says whether a script takes the whole system down, and how many faults it has left.
func summary(faults map[fault.Endpoint][]fault.Fault) (down bool, count int) {
	for endpoint, list := range faults {
		count += len(list)
		down = down || (endpoint == fault.Any && slices.ContainsFunc(list, func(f fault.Fault) bool { return f.Times == fault.Forever }))
	}
	return down, count
}

// newest is the last n of list, the last one first.
func newest[T any](list []T, n int) []T {
	tail := slices.Clone(list[max(0, len(list)-n):])
	slices.Reverse(tail)
	return tail
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }

func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}
