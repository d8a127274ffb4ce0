package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"countersign/internal/settings"
	"countersign/internal/training"
)

// QMS is what is asked of a tenant's QMS: reading calls of qms.Client. Scopes and Trainings are asked for where
// the adapter has them.
type QMS interface {
	Employee(ctx context.Context, employeeID string) error
	ExternalUpdatesAllowed(ctx context.Context) (bool, error)
}

// Scopes are a QMS's account and what it may do.
type Scopes interface {
	// NeededScopes are those without which no completion is carried.
	NeededScopes() []string
	// GrantedScopes are those of the present token; stated is false where the other side did not say.
	GrantedScopes(ctx context.Context) (granted []string, stated bool, err error)
}

// Trainings finds training programs by their id; approval is nil where it is not said.
type Trainings interface {
	Training(ctx context.Context, trainingID string) (known bool, approval *bool, err error)
}

// quality checks a tenant's QMS, one question after the other: they share a budget.
type quality struct {
	tenant string
	client QMS
	// standing is what holds it, and budget what the settings allow.
	standing func(ctx context.Context) (standing, error)
	budget   settings.Budget
	// witness saw the calls of client; nil where nobody did.
	witness *Witness
	courses []mappedCourse
	// employees are those to ask for.
	employees func(ctx context.Context) (learners, error)
	// signs is true where the trainee's own signature completes a record, and nothing from outside does.
	signs bool
	// most bounds the calls for courses, and those for employees.
	most int
}

func (q quality) run(ctx context.Context) []Finding {
	s, err := q.standing(ctx)
	held, ask := q.held(s, err)
	if !ask {
		return []Finding{held, unfit(Note, "qms.asked", "the QMS was asked nothing", "")}
	}
	found := []Finding{held}
	calls, most := q.own(s)
	found, q.most = append(found, calls...), most
	account, usable := q.account(ctx)
	found = append(found, account...)
	if usable {
		found = append(found, q.updates(ctx))
		found = append(found, q.trainings(ctx)...)
		found = append(found, q.people(ctx)...)
	} else {
		found = append(found, unfit(Note, "qms.asked", "without a token nobody was asked about external updates, courses and employees", ""))
	}
	if q.witness != nil {
		found = append(found, clock("qms.clock", "the QMS", q.witness), budget("qms.budget", "the QMS", q.witness.last()))
	}
	return found
}

// account checks that there is a token, and what it may do (R113, R118).
func (q quality) account(ctx context.Context) (found []Finding, usable bool) {
	account, ok := q.client.(Scopes)
	if !ok {
		return []Finding{unfit(Note, "qms.token", "this QMS's adapter shows no token; the calls below use it all the same", "")}, true
	}
	granted, stated, err := account.GrantedScopes(ctx)
	if err != nil {
		return []Finding{unfit(Error, "qms.token", "no token: "+said(err), accountFix(err))}, false
	}
	found = append(found, fine("qms.token", "a token was issued to the service account"))
	missing := slices.DeleteFunc(account.NeededScopes(), func(s string) bool { return slices.Contains(granted, s) })
	switch {
	case len(missing) > 0 && stated:
		found = append(found, unfit(Error, "qms.scopes", "the token lacks "+strings.Join(missing, ", "),
			"have the service account given these permissions in the QMS; if it has them, see whether qms.scopes in the settings asks for them"))
	case len(missing) > 0:
		found = append(found, unfit(Error, "qms.scopes", "the settings do not ask for "+strings.Join(missing, ", "), "add them to qms.scopes, or leave qms.scopes out"))
	case !stated:
		found = append(found, unfit(Note, "qms.scopes", "the QMS does not say which permissions the token has; the first call that lacks one will", ""))
	default:
		found = append(found, fine("qms.scopes", "%s", strings.Join(granted, ", ")))
	}
	return found, true
}

// updates checks the switch without which completions are answered 200 and change nothing (R109).
func (q quality) updates(ctx context.Context) Finding {
	if q.signs {
		return fine("qms.updates", "none is made: the trainee's own signature completes a training record")
	}
	allowed, err := q.client.ExternalUpdatesAllowed(ctx)
	switch {
	case err != nil:
		return unfit(Error, "qms.updates", "whether external updates are allowed could not be read: "+said(err), accountFix(err))
	case !allowed:
		return unfit(Error, "qms.updates", "external status updates are switched off: completions would be answered 200 and change nothing",
			`switch on "Allow external status updates" in the QMS's training configuration`)
	default:
		return fine("qms.updates", "external status updates are allowed")
	}
}

// said is what went wrong, without addresses and persons.
func said(err error) string {
	failure, ok := errors.AsType[*training.Failure](err)
	switch {
	case ok:
		return failure.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no answer in time"
	default:
		return trouble(err)
	}
}

// accountFix is what to do about a call that failed.
func accountFix(err error) string {
	failure, ok := errors.AsType[*training.Failure](err)
	if !ok {
		return "run the doctor again; if it stays, see whether the other side is well"
	}
	switch failure.Class {
	case training.FailureCredentials:
		return "compare account and secret in the settings with those of the other side, and see which permissions the account has there"
	case training.FailureUnreachable:
		return "see the finding about the connection; if that is fine, the other side is down or broken"
	case training.FailureRateLimited:
		return "wait until the budget begins anew, or ask for a larger one"
	case training.FailureMisread, training.FailureRefused:
		return "see whether the address in the settings is that of the API, and not of a web page or of another version"
	default:
		return "ask the other side what it means by that; if nobody knows, send this line to support"
	}
}
