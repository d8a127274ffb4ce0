package workflows

import (
	"fmt"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// show renders the details, and what was wrong with the last signal.
func (e *enrollment) show(ctx workflow.Context) {
	text := e.page
	if e.desk.note != "" {
		text = fmt.Sprintf("**The last signal changed nothing:** %s.\n\n%s", escapeLong(e.desk.note), text)
	}
	workflow.SetCurrentDetails(ctx, text)
}

// shows renders the details and makes the state one that operators can list.
func (e *enrollment) shows(ctx workflow.Context, state training.EnrollmentState, class training.FailureClass) error {
	e.show(ctx)
	failure := FailureAttribute.ValueUnset()
	if class != "" {
		failure = FailureAttribute.ValueSet(string(class))
	}
	updates := []temporal.SearchAttributeUpdate{StateAttribute.ValueSet(string(state)), failure}
	if e.result.RecordID != "" {
		updates = append(updates, RecordAttribute.ValueSet(shorten(e.result.RecordID)))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// StartAttributes are the search attributes an enrollment starts with.
func (in EnrollmentInput) StartAttributes() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		TenantAttribute.ValueSet(in.Tenant),
		StateAttribute.ValueSet(string(training.EnrollmentRunning)),
		PlatformAttribute.ValueSet(in.Platform),
		CourseAttribute.ValueSet(shorten(in.Course)),
	)
}

// Summary is the one line by which an operator knows an enrollment in lists.
func (in EnrollmentInput) Summary() string {
	return fmt.Sprintf("enrollment in %s · %s · %s", shorten(in.Course), in.Tenant, in.Source)
}

// StaticDetails is the Markdown at the head of an enrollment's page.
func (in EnrollmentInput) StaticDetails(delivery string) string {
	return fmt.Sprintf("Enrollment in **%s**\n\n- tenant `%s`, source `%s` (%s)\n- delivery `%s`\n- enrollment `%s`\n\n"+
		"The learner is in the journal, not here.",
		escape(in.Course), in.Tenant, in.Source, in.Platform, delivery, in.Key)
}
