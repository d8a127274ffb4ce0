package notify_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
	"countersign/internal/training"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func fingerprint(n int) training.Fingerprint {
	return training.Fingerprint(fmt.Sprintf("%012x%052d", 0xabc0000+n, 0))
}

func single() notify.Notice {
	return notify.Notice{
		ID: "acme/inbox/1", Tenant: "acme", TenantName: "Acme Medical Devices", Kind: notify.KindReview,
		Failures: []notify.Item{{
			Fingerprint: training.Fingerprint("9f86d081884c" + strings.Repeat("0", 52)), CourseLabel: "GDPR-2026", RecordID: "TR-2026-000123",
			Class: training.FailureUnreachable, Detail: "503", Learner: notify.Learner{ID: "E-0042", Name: "Jane Doe"},
		}},
		Link: "https://countersign.example/acme/review",
		At:   time.Date(2026, 3, 14, 14, 30, 0, 0, time.UTC),
	}
}

func digest() notify.Notice {
	n := single()
	n.ID, n.Failures, n.Courses = "acme/inbox/2", nil, 4
	n.Failures = append(n.Failures,
		notify.Item{Fingerprint: fingerprint(90), CourseLabel: "Lötkurs <1> & more", Class: training.FailureRecordLocked, RecordID: "TR-9"},
		notify.Item{Fingerprint: fingerprint(91), Class: training.FailureRecordMissing})
	for i := range 22 {
		n.Failures = append(n.Failures, notify.Item{Fingerprint: fingerprint(i), CourseLabel: "GDPR-2026",
			RecordID: fmt.Sprintf("TR-%d", i), Class: training.FailureUnreachable, Detail: "503",
			Learner: notify.Learner{ID: fmt.Sprintf("E-%04d", i), Name: "Jane Doe"}})
	}
	n.Failures = append(n.Failures, notify.Item{Fingerprint: fingerprint(92), CourseLabel: "FIRE-1", Class: training.FailureRecordLocked, Count: 3})
	return n
}

func TestLogIsOneWarningPerNotice_R133(t *testing.T) {
	var out bytes.Buffer
	log := notify.NewLog(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	require.NoError(t, log.Send(t.Context(), single()))
	require.NoError(t, log.Send(t.Context(), digest()))
	golden(t, "log.jsonl", out.String())
}

type fake struct {
	err   error
	calls int
}

func (f *fake) Send(context.Context, notify.Notice) error { f.calls++; return f.err }

func TestAllTriesEveryChannel(t *testing.T) {
	down, gone := errors.New("down"), errors.New("gone")
	channels := []*fake{{err: down}, {}, {err: gone}}
	err := notify.All{channels[0], channels[1], channels[2]}.Send(t.Context(), single())
	require.ErrorIs(t, err, down)
	require.ErrorIs(t, err, gone)
	for _, c := range channels {
		require.Equal(t, 1, c.calls)
	}
	require.NoError(t, notify.All{channels[1]}.Send(t.Context(), single()))
}

func TestNoticeAboutNothingIsNotSent(t *testing.T) {
	for _, change := range []func(*notify.Notice){
		func(n *notify.Notice) { n.ID = "" },
		func(n *notify.Notice) { n.Failures = nil },
	} {
		n := single()
		change(&n)
		require.Error(t, notify.NewLog(slog.New(slog.DiscardHandler)).Send(t.Context(), n))
	}
}
