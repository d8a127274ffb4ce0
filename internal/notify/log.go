package notify

import (
	"context"
	"log/slog"
)

// Log writes notices as warnings, one line each: for operators who route logs to people, and
// beside e-mail so that a notice leaves a trace.
type Log struct {
	log *slog.Logger
}

// NewLog sends notices to log.
func NewLog(log *slog.Logger) *Log { return &Log{log: log} }

// Send implements Channel.
func (l *Log) Send(ctx context.Context, n Notice) error {
	if err := n.validate(); err != nil {
		return err
	}
	m := compose(n, listed)
	attrs := []slog.Attr{
		slog.String("tenant", n.Tenant),
		slog.String("notice", n.ID),
		slog.String("kind", string(n.Kind)),
		slog.String("what", m.Opening),
		slog.String("link", m.Link),
	}
	if len(n.Failures) == 1 {
		attrs = append(attrs,
			slog.String("fingerprint", string(n.Failures[0].Fingerprint)),
			slog.String("record", n.Failures[0].RecordID),
			slog.String("class", string(n.Failures[0].Class)),
			slog.String("detail", n.Failures[0].Detail))
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, "notice", attrs...)
	return nil
}
