package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"countersign/internal/training"
)

// LRS is what is asked of a tenant's LRS; *xapi.Client is one.
type LRS interface {
	// About lists the xAPI versions it speaks; it asks for no credentials.
	About(ctx context.Context) ([]string, error)
	// Readable reads one statement at most, which needs the credentials.
	Readable(ctx context.Context) error
}

// records checks a tenant's LRS.
type records struct {
	client  LRS
	version string // as the settings have it
	witness *Witness
}

func (r records) run(ctx context.Context) []Finding {
	found := []Finding{r.about(ctx), r.credentials(ctx)}
	if r.witness != nil {
		found = append(found, clock("lrs.clock", "the LRS", r.witness))
	}
	return found
}

func (r records) about(ctx context.Context) Finding {
	const check = "lrs.version"
	versions, err := r.client.About(ctx)
	switch {
	case err != nil:
		return unfit(Warning, check, "the LRS does not say which xAPI it speaks: "+said(err), "see whether lrs.url is the address of the xAPI, the one below which /about and /statements lie")
	case !slices.Contains(versions, r.version) && !sameMinor(versions, r.version):
		return unfit(Error, check, fmt.Sprintf("the LRS speaks xAPI %s, and not %s", strings.Join(versions, ", "), r.version), "set lrs.version to one that it speaks")
	default:
		return fine(check, "xAPI %s", r.version)
	}
}

// sameMinor reports whether one of the versions differs in the patch only: those agree (xAPI 1.0.3, part three, 3.3).
func sameMinor(versions []string, want string) bool {
	minor := func(v string) string {
		parts := strings.SplitN(v, ".", 3)
		return strings.Join(parts[:min(2, len(parts))], ".")
	}
	return slices.ContainsFunc(versions, func(v string) bool { return minor(v) == minor(want) })
}

func (r records) credentials(ctx context.Context) Finding {
	const check = "lrs.credentials"
	err := r.client.Readable(ctx)
	failure, _ := errors.AsType[*training.Failure](err)
	switch {
	case err == nil:
		return fine(check, "the credentials are good for reading; that they are for writing only a statement shows")
	case failure != nil && failure.Class == training.FailureCredentials && strings.HasPrefix(failure.Detail, "403"):
		return unfit(Warning, check, "these credentials may not read statements, which a repeated send needs to settle a 409", "have the right statements/read given to them in the LRS")
	default:
		return unfit(Error, check, "statements cannot be read: "+said(err), accountFix(err))
	}
}
