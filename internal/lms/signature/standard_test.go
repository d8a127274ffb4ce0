package signature_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

const (
	messageID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	tolerance = 5 * time.Minute
)

func sentAt() time.Time { return time.Unix(1614265330, 0) }

func whsec(key string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(key)) }

// standardEntry signs as a sender that holds key does.
func standardEntry(t testing.TB, key, id, timestamp, body string) string {
	t.Helper()
	digits := sign(key, id+"."+timestamp+"."+body)
	raw := make([]byte, len(digits)/2)
	_, err := fmt.Sscanf(digits, "%x", &raw)
	require.NoError(t, err)
	return "v1," + base64.StdEncoding.EncodeToString(raw)
}

func standard(t testing.TB, now time.Time, secrets ...string) *signature.Standard {
	t.Helper()
	v, err := signature.NewStandard(secrets, tolerance, func() time.Time { return now })
	require.NoError(t, err)
	return v
}

// The vector of the specification's own libraries: an independent witness.
func TestKnownVectorOfStandardWebhooks(t *testing.T) {
	r := request("webhook-id", messageID, "webhook-timestamp", "1614265330",
		"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	r.Body = []byte(`{"test": 2432232314}`)
	for _, secret := range []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		index, err := standard(t, sentAt(), secret).Verify(r)
		require.NoError(t, err)
		require.Zero(t, index)
	}
}

func TestStandardTimestamps_R197(t *testing.T) {
	for name, test := range map[string]struct {
		timestamp string
		want      string // "" is accepted
	}{
		"now":               {"1614265330", ""},
		"as old as may be":  {"1614265030", ""},
		"older":             {"1614265029", "lies more than 5m0s back"},
		"as new as may be":  {"1614265630", ""},
		"newer":             {"1614265631", "lies more than 5m0s ahead"},
		"recorded long ago": {"0", "lies more than 5m0s back"},
		"milliseconds":      {"1614265330000", "is not in whole seconds"},
		"out of all bounds": {"999999999999999999999", "is not in whole seconds"},
		"a sign":            {"+1614265330", "is not in whole seconds"},
		"negative":          {"-1614265330", "is not in whole seconds"},
		"a fraction":        {"1614265330.5", "is not in whole seconds"},
		"white space":       {" 1614265330", "is not in whole seconds"},
		"other digits":      {"１６１４２６５３３０", "is not in whole seconds"},
		"a date":            {"2021-02-25T15:02:10Z", "is not in whole seconds"},
		"empty":             {"", "webhook-timestamp is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request("webhook-id", messageID, "webhook-timestamp", test.timestamp,
				"webhook-signature", standardEntry(t, "key", messageID, test.timestamp, body))
			_, err := standard(t, sentAt(), whsec("key")).Verify(r)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestStandardSignatures_R26(t *testing.T) {
	timestamp := strconv.FormatInt(sentAt().Unix(), 10)
	good := standardEntry(t, "key", messageID, timestamp, body)
	other := standardEntry(t, "other", messageID, timestamp, body)
	for name, test := range map[string]struct{ value, want string }{
		"alone":                  {good, ""},
		"among others":           {other + " " + good, ""},
		"among other versions":   {"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw " + good + " v2,x v3", ""},
		"other key":              {other, "no signature matches"},
		"other body":             {standardEntry(t, "key", messageID, timestamp, body+" "), "no signature matches"},
		"other id":               {standardEntry(t, "key", "msg_x", timestamp, body), "no signature matches"},
		"other timestamp":        {standardEntry(t, "key", messageID, "1614265331", body), "no signature matches"},
		"the secret undecoded":   {standardEntry(t, whsec("key"), messageID, timestamp, body), "no signature matches"},
		"other version only":     {"v2" + good[2:], "no signature of version v1"},
		"no version":             {good[3:], "no signature of version v1"},
		"version in capitals":    {"V1" + good[2:], "no signature of version v1"},
		"separated by a comma":   {good + "," + good, "is not base64 of 32 bytes"},
		"nothing in it":          {"v1,", "is not base64 of 32 bytes"},
		"cut off":                {good[:len(good)-4], "is not base64 of 32 bytes"},
		"hexadecimal":            {"v1," + sign("key", messageID+"."+timestamp+"."+body), "is not base64 of 32 bytes"},
		"a line end inside":      {good[:9] + "\n" + good[9:], "is not base64 of 32 bytes"},
		"empty":                  {"", "webhook-signature is empty"},
		"a flood of good ones":   {strings.Repeat(good+" ", 16) + good, "more than 16 signatures"},
		"a flood of white space": {strings.Repeat(" ", 1<<15), "more than 16 signatures"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request("webhook-id", messageID, "webhook-timestamp", timestamp, "webhook-signature", test.value)
			_, err := standard(t, sentAt(), whsec("key")).Verify(r)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), good, "the expected value is never shown")
		})
	}
}

func TestStandardHeadersAreThereOnce(t *testing.T) {
	timestamp := strconv.FormatInt(sentAt().Unix(), 10)
	whole := func() lms.Request {
		return request("webhook-id", messageID, "webhook-timestamp", timestamp,
			"webhook-signature", standardEntry(t, "key", messageID, timestamp, body))
	}
	v := standard(t, sentAt(), whsec("key"))
	for _, header := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		missing, twice := whole(), whole()
		missing.Header.Del(header)
		_, err := v.Verify(missing)
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
		require.ErrorContains(t, err, "no header "+header)
		twice.Header.Add(header, twice.Header.Get(header))
		_, err = v.Verify(twice)
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
		require.ErrorContains(t, err, header+" is there 2 times")
	}
	_, err := v.Verify(whole())
	require.NoError(t, err)
}

// Where id and timestamp may hold a full stop, "a" + "1.2" and "a.1" + "2" are signed alike.
func TestStandardIDsLeaveNoDoubtWhereTheyEnd(t *testing.T) {
	timestamp := strconv.FormatInt(sentAt().Unix(), 10)
	for _, id := range []string{"a." + timestamp, ".", strings.Repeat("x", 257)} {
		r := request("webhook-id", id, "webhook-timestamp", timestamp, "webhook-signature", standardEntry(t, "key", id, timestamp, body))
		_, err := standard(t, sentAt(), whsec("key")).Verify(r)
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
		require.ErrorContains(t, err, "webhook-id")
	}
}

func TestStandardRotation_R208(t *testing.T) {
	timestamp := strconv.FormatInt(sentAt().Unix(), 10)
	v := standard(t, sentAt(), whsec("new"), whsec("old"), whsec("older"))
	for keys, want := range map[string]int{"new": 0, "old": 1, "older": 2, "older old": 1, "older new": 0, "new older": 0} {
		var entries []string
		for _, key := range strings.Fields(keys) {
			entries = append(entries, standardEntry(t, key, messageID, timestamp, body))
		}
		index, err := v.Verify(request("webhook-id", messageID, "webhook-timestamp", timestamp, "webhook-signature", strings.Join(entries, " ")))
		require.NoError(t, err)
		require.Equal(t, want, index, "a sender that signs with the new secret too is done: %s", keys)
	}
}

func TestStandardEmptyBodyIsVerifiedAsSuch_R189(t *testing.T) {
	timestamp := strconv.FormatInt(sentAt().Unix(), 10)
	r := request("webhook-id", messageID, "webhook-timestamp", timestamp, "webhook-signature", standardEntry(t, "key", messageID, timestamp, ""))
	r.Method, r.Body = http.MethodGet, nil
	_, err := standard(t, sentAt(), whsec("key")).Verify(r)
	require.NoError(t, err)
}

func TestNewStandardRefusesWhatWouldAcceptAnybody(t *testing.T) {
	for _, secrets := range [][]string{nil, {}, {""}, {"whsec_"}, {"whsec_not base64!"}, {whsec("key"), ""}} {
		_, err := signature.NewStandard(secrets, tolerance, time.Now)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "not base64!")
	}
	_, err := signature.NewStandard([]string{whsec("key")}, 0, time.Now)
	require.Error(t, err)
	_, err = signature.NewStandard([]string{whsec("key")}, tolerance, nil)
	require.Error(t, err)
}
