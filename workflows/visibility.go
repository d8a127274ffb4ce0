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
	runes := []rune(text)
	if len(runes) <= 50 {
		return text
	}
	return string(runes[:49]) + "…"
}

var markdown = strings.NewReplacer("`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "<", "&lt;", "\n", " ")

func escape(text string) string { return markdown.Replace(shorten(text)) }

func (c *completion) details(text string) string {
	if c.result.RecordID == "" {
		return text
	}
	return fmt.Sprintf("%s\n\nTraining record `%s`", text, escape(c.result.RecordID))
}

func (c *completion) showRunning(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, c.details("Under way again after a decision."))
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRunning)), FailureAttribute.ValueUnset())
}

func (c *completion) showRetrying(ctx workflow.Context, failure *training.Failure, gap time.Duration) error {
	workflow.SetCurrentDetails(ctx, c.details(fmt.Sprintf("Tries again in %s.\n\n%s", gap, sentences(failure))))
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRetrying)), FailureAttribute.ValueSet(string(failure.Class)))
}

func (c *completion) showApproval(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, c.details("**Waits for an approval.** Send the signal `approval`:\n\n"+
		example(training.ActionApprove)+"or the same with `\"reject\"`."))
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateWaitingApproval)), RecordAttribute.ValueSet(shorten(c.result.RecordID)))
}

func (c *completion) showReview(ctx workflow.Context, failure *training.Failure) error {
	workflow.SetCurrentDetails(ctx, c.details("**Needs a review.**\n\n"+sentences(failure)+
		"\n\nSend the signal `review`:\n\n"+example(training.ActionRetry)+"or the same with `\"close\"`."))
	updates := []temporal.SearchAttributeUpdate{
		StateAttribute.ValueSet(string(training.StateInReview)), FailureAttribute.ValueSet(string(failure.Class)),
	}
	if c.result.RecordID != "" {
		updates = append(updates, RecordAttribute.ValueSet(shorten(c.result.RecordID)))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

func (c *completion) showEnded(ctx workflow.Context) error {
	text := "Ended: **" + string(c.result.Outcome) + "**."
	if c.result.Status != "" {
		text += fmt.Sprintf(" The record was read back as %s.", c.result.Status)
	}
	workflow.SetCurrentDetails(ctx, c.details(text))
	updates := []temporal.SearchAttributeUpdate{StateAttribute.ValueSet(string(c.result.Outcome.State()))}
	if c.result.RecordID != "" {
		updates = append(updates, RecordAttribute.ValueSet(shorten(c.result.RecordID)))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// sentences is a failure as a training admin reads it.
func sentences(failure *training.Failure) string {
	e := failure.Class.Explain()
	return fmt.Sprintf("%s\n\n%s\n\n%s\n\n`%s`", e.Happened, e.Means, e.Do, escape(failure.Error()))
}

func example(action training.Action) string {
	return fmt.Sprintf("```json\n{\"action\": %q, \"by\": \"your name\", \"reason\": \"why\"}\n```\n", action)
}

// InboxAttributes are the search attributes of a tenant's AdminInbox.
func InboxAttributes(tenant string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(TenantAttribute.ValueSet(tenant))
}
