package arenav1_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

func (w *world) enroll(c *arenav1.Client, trainingID string) (string, error) {
	return c.Create(w.t.Context(), training.NewRecord{EmployeeID: jane, TrainingID: trainingID, ExternalRef: "ref"}, "r-1")
}

func (w *world) status(c *arenav1.Client, id string) training.RecordStatus {
	w.t.Helper()
	record, err := c.Record(w.t.Context(), id)
	require.NoError(w.t, err)
	return record.Status
}

func TestPlanIsFoundByNumberOrGUID(t *testing.T) {
	w := at(t)
	w.sim.AddPlan(simulated.Plan{Number: "TRP-000013", Manager: manager}, "020-00008")
	w.sim.AddPlan(simulated.Plan{Number: "TRP-TWICE", Manager: manager}, "x")
	w.sim.AddPlan(simulated.Plan{Number: "TRP-TWICE", Manager: manager}, "x")
	w.sim.AddPlan(simulated.Plan{Number: "TRP-EMPTY", Manager: manager})
	for _, known := range []string{"TRP-000012", "trp-000012", w.plan.GUID, "TRP-000012/020-00004", w.plan.GUID + "/020-00004"} {
		_, err := w.client.Records(t.Context(), jane, known)
		require.NoError(t, err, known)
		there, approval, err := w.client.Training(t.Context(), known)
		require.NoError(t, err, known)
		require.True(t, there, known)
		require.Nil(t, approval)
	}
	for _, unknown := range []string{"TRP-0000", "TRP-*", "*", "TRP-TWICE", "TRP-EMPTY", "PNONE000000000000001", "TRP-000012/020-99999", "/020-00004"} {
		_, err := w.client.Records(t.Context(), jane, unknown)
		requireClass(t, err, training.FailureCourseUnmapped)
		known, _, err := w.client.Training(t.Context(), unknown)
		require.NoError(t, err)
		require.False(t, known, unknown)
	}
}

func TestEnrollWithADueDate(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.DueDays = 14 })
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	again, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.Equal(t, id, again)
	roster := w.sim.Roster(w.plan.GUID)
	require.Len(t, roster, 1)
	require.Equal(t, time.Date(2026, 4, 23, 7, 59, 59, 0, time.UTC), *roster[0].DueDate, "the end of 22 April where the workspace is")
	require.Equal(t, 1, w.sim.Calls(simulated.EndpointEnroll))

	_, err = w.enroll(w.client, w.plan.GUID)
	require.NoError(t, err)
	require.Len(t, w.sim.Roster(w.plan.GUID), 1, "another name of the same plan")
}

func TestEnrollThatIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		arrange func(*world)
		want    training.FailureClass
	}{
		"not the plan's manager": {func(w *world) {
			w.plan = w.sim.AddPlan(simulated.Plan{Number: "TRP-OTHERS", Manager: simulated.User{GUID: "USOMEBODYELSE"}}, "x")
		}, training.FailureEnrollForbidden},
		"no privilege":  {func(w *world) { w.sim.Fault(simulated.EndpointEnroll, fault.Status(403, 1)) }, training.FailureEnrollForbidden},
		"closed":        {func(w *world) { require.NoError(t, w.sim.SetStatus(w.plan.GUID, simulated.Closed)) }, training.FailureTrainingClosed},
		"conflict":      {func(w *world) { w.sim.Fault(simulated.EndpointEnroll, fault.Status(409, 1)) }, training.FailureRefused},
		"media type":    {func(w *world) { w.sim.Fault(simulated.EndpointEnroll, fault.Status(415, 1)) }, training.FailureRefused},
		"endpoint gone": {func(w *world) { w.sim.Fault(simulated.EndpointEnroll, fault.Status(404, 1)) }, training.FailureRefused},
		"bad request":   {func(w *world) { w.sim.Fault(simulated.EndpointEnroll, fault.Status(400, 1)) }, training.FailureRefused},
	} {
		w := at(t)
		tc.arrange(w)
		_, err := w.enroll(w.client, w.plan.Number)
		f := requireClass(t, err, tc.want)
		require.False(t, f.Class.Transient(), name)
		require.Empty(t, w.sim.Roster(w.plan.GUID), name)
	}
}

// Somebody else enrolls the same employee between our reading and our writing: what we wanted is there.
func TestRefusedBecauseAlreadyEnrolled(t *testing.T) {
	w := at(t)
	w.sim.Fault(simulated.EndpointEnroll, fault.Fault{Apply: fault.ApplyNow, Answer: fault.AnswerStatus, Status: http.StatusBadRequest})
	_, err := w.enroll(w.client, "TRP-000012")
	require.NoError(t, err)
	require.Len(t, w.sim.Roster(w.plan.GUID), 1)
}

// Whether Arena takes a user twice is not known. An answer that is lost doubles nothing even if it does.
func TestLostAnswerDoublesNobody(t *testing.T) {
	w := at(t)
	w.sim.SetSwitches(simulated.Switches{DuplicateTrainees: true})
	w.sim.Fault(simulated.EndpointEnroll, fault.DropAfter(1))
	_, err := w.enroll(w.client, "TRP-000012")
	requireClass(t, err, training.FailureUnreachable)
	for range 3 {
		_, err := w.enroll(w.client, "TRP-000012")
		require.NoError(t, err)
	}
	require.Len(t, w.sim.Roster(w.plan.GUID), 1)
}

// One enrollment is one record per item: all of them count, or the one that is mapped.
func TestSeveralItems(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		w := at(t)
		w.sim.SetSwitches(simulated.Switches{UnsignedHidden: hidden})
		w.plan = w.sim.AddPlan(simulated.Plan{Number: "TRP-2", Manager: manager}, "020-00004", "020-00005", "020-00008")
		all, err := w.enroll(w.client, "TRP-2")
		require.NoError(t, err)
		one := recordOf(jane, "TRP-2/020-00005")
		require.Equal(t, training.RecordAssigned, w.status(w.client, all))

		require.NoError(t, w.sim.Sign(w.plan.GUID, jane, "020-00005"))
		require.Equal(t, training.RecordInProgress, w.status(w.client, all))
		require.Equal(t, training.RecordCompleted, w.status(w.client, one), "what is mapped is signed")
		none, err := w.client.Signatures(t.Context(), all)
		require.NoError(t, err)
		require.Empty(t, none, "a part is no proof")

		w.clock.Advance(time.Hour)
		require.NoError(t, w.sim.Sign(w.plan.GUID, jane, ""))
		record, err := w.client.Record(t.Context(), all)
		require.NoError(t, err)
		require.Equal(t, training.RecordCompleted, record.Status)
		require.Equal(t, w.clock.Now(), record.CompletedAt, "complete with the last signature")
		signatures, err := w.client.Signatures(t.Context(), all)
		require.NoError(t, err)
		require.Len(t, signatures, 3)
		for _, s := range signatures {
			require.Equal(t, jane, s.UserID)
			require.Equal(t, "A", s.Revision)
		}
	}
}

// A new revision that asks for retraining opens the training again, whether the unsigned record is shown
// or not; one that does not ask for it, only where the settings say that a signature is of a revision.
func TestNewRevision(t *testing.T) {
	for _, tc := range []struct {
		retrain, hidden, any bool
		want                 training.RecordStatus
	}{
		{retrain: true, want: training.RecordAssigned},
		{retrain: true, hidden: true, want: training.RecordAssigned},
		{retrain: true, any: true, want: training.RecordInProgress},
		{retrain: false, want: training.RecordAssigned},
		{retrain: false, any: true, want: training.RecordCompleted},
	} {
		w := at(t)
		w.sim.SetSwitches(simulated.Switches{UnsignedHidden: tc.hidden})
		c := w.connect(func(cfg *arenav1.Config) { cfg.AnyRevision = tc.any })
		id, err := w.enroll(c, "TRP-000012")
		require.NoError(t, err)
		w.Sign(id)
		require.Equal(t, training.RecordCompleted, w.status(c, id))
		require.NoError(t, w.sim.Revise(w.plan.GUID, "020-00004", "B", tc.retrain))
		require.Equal(t, tc.want, w.status(c, id), tc)
		if !tc.retrain {
			continue
		}
		w.Sign(id)
		signatures, err := c.Signatures(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, "B", signatures[0].Revision)
	}
}

// What was overtaken before it was signed is not waited for.
func TestOvertakenRevisionIsNotWaitedFor(t *testing.T) {
	w := at(t)
	id, err := w.enroll(w.client, "TRP-000012")
	require.NoError(t, err)
	require.NoError(t, w.sim.Revise(w.plan.GUID, "020-00004", "B", true))
	require.Len(t, w.sim.Records(w.plan.GUID), 2)
	require.Equal(t, training.RecordAssigned, w.status(w.client, id))
	require.NoError(t, w.sim.SignRevision(w.plan.GUID, jane, "020-00004", "B"))
	require.Equal(t, training.RecordCompleted, w.status(w.client, id))
}

func TestTakenOffThePlan(t *testing.T) {
	w := at(t)
	id, err := w.enroll(w.client, "TRP-000012")
	require.NoError(t, err)
	require.NoError(t, w.sim.Remove(w.plan.GUID, jane))
	_, err = w.client.Record(t.Context(), id)
	requireClass(t, err, training.FailureRecordMissing)

	_, err = w.enroll(w.client, "TRP-000012")
	require.NoError(t, err)
	w.Sign(id)
	require.NoError(t, w.sim.Remove(w.plan.GUID, jane))
	record, err := w.client.Record(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, training.RecordCompleted, record.Status, "what was signed stays signed")
	require.Equal(t, jane, record.EmployeeID)
}

// Nobody can sign in a closed plan, so nobody waits for it; what is signed is signed.
func TestClosedPlan(t *testing.T) {
	w := at(t)
	id, err := w.enroll(w.client, "TRP-000012")
	require.NoError(t, err)
	require.NoError(t, w.sim.SetStatus(w.plan.GUID, simulated.Closed))
	_, err = w.client.Record(t.Context(), id)
	requireClass(t, err, training.FailureTrainingClosed)
	require.NoError(t, w.sim.SetStatus(w.plan.GUID, simulated.Open))
	w.Sign(id)
	require.NoError(t, w.sim.SetStatus(w.plan.GUID, simulated.Closed))
	require.Equal(t, training.RecordCompleted, w.status(w.client, id))
}

// A roster of more than one page, whatever a count counts: nobody on a later page is overlooked.
func TestLongRoster(t *testing.T) {
	for _, counts := range []bool{false, true} {
		for _, crowd := range []int{900, 799} { // the latter has a last page that is full
			w := at(t)
			w.sim.SetSwitches(simulated.Switches{PageCounts: counts})
			for i := range crowd {
				u := w.sim.AddUser(simulated.User{GUID: fmt.Sprintf("UCROWD%014d", i), Email: fmt.Sprintf("u%d@acme.example", i)})
				require.NoError(t, w.sim.Enroll(w.plan.GUID, u.GUID))
			}
			require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
			records, err := w.client.Records(t.Context(), jane, "TRP-000012")
			require.NoError(t, err)
			require.Len(t, records, 1)
			if crowd < 900 {
				continue
			}
			require.Equal(t, 3, w.sim.Calls(simulated.EndpointRoster))
			require.Equal(t, 3, w.sim.Calls(simulated.EndpointRecords))
			c := w.connect(func(cfg *arenav1.Config) { cfg.CacheFor = 5 * time.Minute })
			w.Sign(records[0].ID)
			require.Equal(t, training.RecordCompleted, w.status(c, records[0].ID))
			before := w.sim.Calls(simulated.EndpointRecords)
			signatures, err := c.Signatures(t.Context(), records[0].ID)
			require.NoError(t, err)
			require.Len(t, signatures, 1)
			require.Equal(t, 1, w.sim.Calls(simulated.EndpointRecord), "one record for itself is cheaper than three pages again")
			require.Equal(t, before, w.sim.Calls(simulated.EndpointRecords))
		}
	}
}

// Where a page of the roster is larger than is read of an answer, smaller ones are asked for; where even those are, the
// failure names the bound, and nobody is overlooked.
func TestRosterOfLongRows_R143(t *testing.T) {
	for most, read := range map[int]bool{100: true, 30: true, 20: false} {
		w := at(t)
		for i := range 450 {
			u := w.sim.AddUser(simulated.User{GUID: fmt.Sprintf("UCROWD%014d", i), Email: fmt.Sprintf("u%d@acme.example", i)})
			require.NoError(t, w.sim.Enroll(w.plan.GUID, u.GUID))
		}
		require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
		handler := w.sim.Handler()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler.ServeHTTP(w, r)
			if limit, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && limit > most {
				_, _ = w.Write(bytes.Repeat([]byte(" "), 4<<20)) // the client hangs up where it has read enough
			}
		}))
		t.Cleanup(server.Close)
		w.url = server.URL
		records, err := w.connect(nil).Records(t.Context(), jane, "TRP-000012")
		if !read {
			requireClass(t, err, training.FailureMisread)
			require.ErrorContains(t, err, "answer is larger than 4 MiB, the most that is read")
			continue
		}
		require.NoError(t, err)
		require.Len(t, records, 1)
	}
}

// What is remembered saves budget, ends with what the bridge writes, and never stops a completion.
func TestMemory(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.CacheFor = 5 * time.Minute })
	_, err := c.Records(t.Context(), jane, "TRP-000012")
	require.NoError(t, err)
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.Equal(t, training.RecordAssigned, w.status(c, id), "read anew after our own write")
	before := w.sim.Calls(fault.Any)
	for range 20 {
		require.Equal(t, training.RecordAssigned, w.status(c, id))
	}
	require.Equal(t, before, w.sim.Calls(fault.Any))

	require.NoError(t, w.sim.Sign(w.plan.GUID, jane, ""))
	w.clock.Advance(5 * time.Minute)
	require.Equal(t, training.RecordCompleted, w.status(c, id))
	before = w.sim.Calls(fault.Any)
	signatures, err := c.Signatures(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, signatures, 1)
	require.Greater(t, w.sim.Calls(fault.Any), before, "a proof is read, not remembered")

	// John is enrolled in Arena a moment after we have seen that he is not.
	none, err := c.Records(t.Context(), "UJOHN000000000000002", "TRP-000012")
	require.NoError(t, err)
	require.Empty(t, none)
	w.clock.Advance(time.Second)
	require.NoError(t, w.sim.Enroll(w.plan.GUID, "UJOHN000000000000002"))
	found, err := c.Records(t.Context(), "UJOHN000000000000002", "TRP-000012")
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestEmployeesByEmail(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.EmployeeKey = arenav1.ByEmail })
	w.sim.AddUser(simulated.User{Email: "Jordan.Lee@acme.example"})
	w.sim.AddUser(simulated.User{Email: "twice@acme.example"})
	w.sim.AddUser(simulated.User{Email: "TWICE@acme.example"})
	for _, known := range []string{"jordan.lee@acme.example", "JORDAN.LEE@acme.example", "Jordan.Lee@acme.example"} {
		require.NoError(t, c.Employee(t.Context(), known))
	}
	require.Equal(t, 1, w.sim.Calls(simulated.EndpointUsers), "one person, asked for once in five minutes")
	for _, unknown := range []string{"twice@acme.example", "nobody@acme.example", "HR-4829", "", "*@acme.example", jane} {
		f := requireClass(t, c.Employee(t.Context(), unknown), training.FailureEmployeeUnknown)
		require.NotContains(t, f.Error(), "acme.example")
	}
	require.NotContains(t, w.log.String(), "acme.example", "no address in the log")

	records := training.NewRecord{EmployeeID: "jordan.lee@acme.example", TrainingID: "TRP-000012", ExternalRef: "ref"}
	got, err := qms.Ensure(t.Context(), c, records, qms.ApplyOptions{ReadBack: []time.Duration{0}})
	require.NoError(t, err)
	require.Equal(t, "jordan.lee@acme.example", got.EmployeeID)
}

func TestUploadedDocument(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.FileCategory = "CEVIDENCE00000000001" })
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	document := qms.Document{Name: "EV-7QHF.pdf", Title: "Report of COMP-2026", ContentType: "application/pdf", Bytes: []byte("%PDF")}
	require.NoError(t, qms.Keep(t.Context(), c, id, document, qms.ApplyOptions{}))
	files := w.sim.Files(w.plan.GUID)
	require.Len(t, files, 1)
	require.NoError(t, w.sim.SpoilFiles(w.plan.GUID))
	f := requireClass(t, qms.Keep(t.Context(), c, id, document, qms.ApplyOptions{}), training.FailureOtherContent)
	require.Contains(t, f.Detail, "EV-7QHF.pdf has another size")
	require.Len(t, w.sim.Files(w.plan.GUID), 1, "a person looks, and nothing is sent on top of it")

	files[0].GUID = ""
	require.Equal(t, simulated.File{
		Name: "EV-7QHF.pdf", Title: "EV-7QHF", Format: "pdf", Category: "CEVIDENCE00000000001", Private: "true", Bytes: []byte("%PDF"),
	}, files[0])
}

// Whoever administers the workspace sees who asks, on every call.
func TestEveryCallSaysWhoAsks(t *testing.T) {
	w := at(t)
	asked := 0
	transport := http.DefaultTransport
	c := w.connect(func(cfg *arenav1.Config) {
		cfg.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			asked++
			require.Equal(t, "Countersign", r.Header.Get("Arena-Usage-Reason"), r.URL.Path)
			return transport.RoundTrip(r)
		})}
	})
	_, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.Greater(t, asked, 3)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
