package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/process"
	"countersign/internal/training"
)

// explain shows how a source reads a delivery: for every field the path, what was found there, what each
// step made of it, and what the completion got; of a stored delivery also what its LMS was asked and said.
// It writes nothing. What it prints is personal data.
func explain(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter explain", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: starter explain [-header 'NAME: VALUE']… [-path TAIL] [-json] TENANT SOURCE FILE   explain a body (- is standard input)\n"+
			"       starter explain -delivery ID [-json] TENANT                                           explain a stored delivery\n")
		flags.PrintDefaults()
	}
	delivery := flags.String("delivery", "", "id of a stored `delivery`")
	asJSON := flags.Bool("json", false, "print JSON")
	request := lms.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}}
	flags.StringVar(&request.Path, "path", "", "what stands `behind` the source in the URL")
	flags.Func("header", "a `header` of the delivery; may be given several times", func(text string) error {
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return errors.New("want NAME: VALUE")
		}
		request.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if wanted := 3; flags.NArg() != wanted && *delivery == "" || *delivery != "" && flags.NArg() != 1 {
		flags.Usage()
		return errors.New("explain: wrong arguments")
	}
	show := showExplanation
	if *asJSON {
		show = printJSON
	}
	if *delivery != "" {
		return explainStored(ctx, flags.Arg(0), *delivery, show, stdout, stderr)
	}
	body, err := readInput(flags.Arg(2), stdin)
	if err != nil {
		return err
	}
	request.Body = body
	own, tenants, err := process.Load()
	if err != nil {
		return err
	}
	sources, err := newSources(tenants, verifiers{})
	if err != nil {
		return err
	}
	source, ok := sources.Source(flags.Arg(0), flags.Arg(1))
	if !ok {
		return fmt.Errorf("explain: the settings have no source %s/%s", flags.Arg(0), flags.Arg(1))
	}
	return show(stdout, ingress.Explain(source, request, own.MaxBody), nil)
}

func explainStored(ctx context.Context, tenant, id string, show func(io.Writer, ingress.Result, lookups) error, stdout, stderr io.Writer) error {
	return opened(ctx, stderr, func(p *process.Process) error {
		d, err := p.Journal.Delivery(ctx, tenant, id)
		if err != nil {
			return err
		}
		sources, err := newSources(p.Tenants, verifiers{log: p.Log})
		if err != nil {
			return err
		}
		source, ok := sources.Source(d.Tenant, d.Source)
		if !ok {
			return fmt.Errorf("explain delivery %s: the settings have no source %s/%s", id, d.Tenant, d.Source)
		}
		request, err := ingress.Stored(source, d)
		if err != nil {
			return err
		}
		result := ingress.Explain(source, request, p.Settings.MaxBody)
		found, err := lookedUp(ctx, p.Journal, result)
		if err != nil {
			return err
		}
		return show(stdout, result, found)
	})
}

// lookups are what LMSs said of completions beyond their events.
type lookups map[training.Fingerprint]lookup

type lookup struct {
	At    time.Time       `json:"at"`
	Found json.RawMessage `json:"found"`
}

func lookedUp(ctx context.Context, j *journal.Journal, r ingress.Result) (lookups, error) {
	found := lookups{}
	for _, c := range r.Completions {
		e, err := j.Enrichment(ctx, c.Tenant, c.Fingerprint())
		if err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
		if e.Document != nil {
			found[c.Fingerprint()] = lookup{e.LookedUpAt, e.Document}
		}
	}
	return found, nil
}

// longestInput bounds what is read from a file, in bytes: more than any delivery has.
const longestInput = 16 << 20

func readInput(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
		defer file.Close()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, longestInput))
	if err != nil {
		return nil, fmt.Errorf("explain: read %s: %w", name, err)
	}
	return body, nil
}

// printJSON prints what programs want to know.
func printJSON(w io.Writer, r ingress.Result, found lookups) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"verdict": r.Verdict, "reason": r.Reason, "completions": r.Completions, "enrollments": r.Enrollments,
		"ignored": r.Ignored, "problems": r.Problems, "explain": r.Explanation, "lookedUp": found,
	})
}

// showExplanation prints a block per event, a line per field:
//
//	learner.externalId  staffNo  "4829"  concat:EMP{value} → "EMP4829"
func showExplanation(w io.Writer, r ingress.Result, found lookups) error {
	var page strings.Builder
	fmt.Fprintln(&page, strings.TrimSuffix(fmt.Sprintf("verdict: %s: %s", r.Verdict, r.Reason), ": "))
	events, _ := r.Explanation.([]*mapping.TracedEvent) // an adapter that read nothing has none
	for _, event := range events {
		fmt.Fprintf(&page, "\nevent %d\n", event.Event+1)
		for _, read := range event.Reads {
			fmt.Fprintf(&page, "  %-20s %-32s %s", read.Target, cmp.Or(read.Path, "(constant)"), read.Input)
			for _, step := range read.Steps {
				fmt.Fprintf(&page, "  %s → %s", step.Step, step.Output)
			}
			if len(read.Steps) == 0 && string(read.Output) != string(read.Input) {
				fmt.Fprintf(&page, "  → %s", read.Output)
			}
			for _, note := range append(read.Notes, read.Error) {
				if note != "" {
					fmt.Fprintf(&page, "  (%s)", note)
				}
			}
			page.WriteByte('\n')
		}
	}
	for _, c := range r.Completions {
		fmt.Fprintf(&page, "\ncompletion %s, mapping %s\n", c.Fingerprint(), c.MappingVersion)
		if l, ok := found[c.Fingerprint()]; ok {
			fmt.Fprintf(&page, "  looked up at %s: %s\n", l.At.UTC().Format(time.RFC3339), l.Found)
		}
	}
	for _, e := range r.Enrollments {
		fmt.Fprintf(&page, "\nenrollment %s, mapping %s\n", e.Key(), e.MappingVersion)
	}
	for _, ignored := range r.Ignored {
		fmt.Fprintf(&page, "\nignored %s: %s\n", ignored.Event, ignored.Reason)
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(&page, "\nproblem %s: %s\n", problem.Event, problem.Reason)
	}
	_, err := io.WriteString(w, page.String())
	return err
}
