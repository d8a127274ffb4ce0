package workflows

import (
	"fmt"
	"strings"
	"time"

	"countersign/internal/training"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Search attributes, by which operators list completions in the Web UI. They are stored in the
// clear: no personal data in them.
var (
	TenantAttribute   = temporal.NewSearchAttributeKeyKeyword("CountersignTenant")
	StateAttribute    = temporal.NewSearchAttributeKeyKeyword("CountersignState")
	PlatformAttribute = temporal.NewSearchAttributeKeyKeyword("CountersignPlatform")
	CourseAttribute   = temporal.NewSearchAttributeKeyKeyword("CountersignCourse")
	RecordAttribute   = temporal.NewSearchAttributeKeyKeyword("CountersignRecord")
	FailureAttribute  = temporal.NewSearchAttributeKeyKeyword("CountersignFailure")
)

// SearchAttributes is what must be registered in the namespace before the first start.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	types := map[string]enumspb.IndexedValueType{}
	for _, key := range []temporal.SearchAttributeKeyKeyword{
		TenantAttribute, StateAttribute, PlatformAttribute, CourseAttribute, RecordAttribute, FailureAttribute,
	} {
		types[key.GetName()] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	return types
}

// StartAttributes are the search attributes a completion starts with.
func (in CompletionInput) StartAttributes() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		TenantAttribute.ValueSet(in.Tenant),
		StateAttribute.ValueSet(string(training.StateRunning)),
		PlatformAttribute.ValueSet(in.Platform),
		CourseAttribute.ValueSet(shorten(in.Course)),
	)
}

// Summary is the one line by which an operator knows a completion in lists.
func (in CompletionInput) Summary() string {
	return fmt.Sprintf("%s · %s · %s", shorten(in.Course), in.Tenant, in.Source)
}

// StaticDetails is the Markdown at the head of a completion's page. delivery is the id of the
// delivery that reported it.
func (in CompletionInput) StaticDetails(delivery string) string {
	return fmt.Sprintf("Completion of **%s**\n\n- tenant `%s`, source `%s` (%s)\n- delivery `%s`\n- fingerprint `%s`\n\n"+
		"Learner and score are in the journal, not here.",
		escape(in.Course), in.Tenant, in.Source, in.Platform, delivery, in.Fingerprint)
}

// shorten keeps a text inside the limits of summaries (200 bytes) and search attributes.
func shorten(text string) string {
	return clip(text, 50)
}

func clip(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

var markdown = strings.NewReplacer("`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "<", "&lt;", "\n", " ")

func escape(text string) string { return markdown.Replace(shorten(text)) }

func (c *completion) showRunning(ctx workflow.Context) error {
	c.page = func(*completion) string { return "**Under way again** after a decision. Nothing is waited for." }
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRunning)), FailureAttribute.ValueUnset())
}

func (c *completion) showRetrying(ctx workflow.Context, failure *training.Failure, gap time.Duration, rest training.Retry) error {
	next := workflow.Now(ctx).Add(gap)
	c.retrying++
	c.page = func(*completion) string { return retryingPage(failure, next, rest) }
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRetrying)), FailureAttribute.ValueSet(string(failure.Class)))
}

// showTried says that the retries of a step are over, one way or the other.
func (c *completion) showTried(ctx workflow.Context) {
	if c.retrying = max(c.retrying-1, 0); c.retrying == 0 {
		c.page = underwayPage
		c.show(ctx)
	}
}

func (c *completion) showApproval(ctx workflow.Context) error {
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateWaitingApproval)), RecordAttribute.ValueSet(shorten(c.result.RecordID)))
}

func (c *completion) showReview(ctx workflow.Context, failure *training.Failure) error {
	c.show(ctx)
	updates := []temporal.SearchAttributeUpdate{
		StateAttribute.ValueSet(string(training.StateInReview)), FailureAttribute.ValueSet(string(failure.Class)),
	}
	if c.result.RecordID != "" {
		updates = append(updates, RecordAttribute.ValueSet(shorten(c.result.RecordID)))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

func (c *completion) showEnded(ctx workflow.Context) error {
	c.page = endedPage
	c.show(ctx)
	updates := []temporal.SearchAttributeUpdate{StateAttribute.ValueSet(string(c.result.Outcome.State()))}
	if c.result.RecordID != "" {
		updates = append(updates, RecordAttribute.ValueSet(shorten(c.result.RecordID)))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// OutageAttributes are the search attributes of an Outage.
func OutageAttributes(tenant string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(TenantAttribute.ValueSet(tenant))
}

// InboxAttributes are the search attributes of a tenant's AdminInbox.
func InboxAttributes(tenant string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(TenantAttribute.ValueSet(tenant))
}
