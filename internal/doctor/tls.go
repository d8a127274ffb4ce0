package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"time"
)

const (
	// expiresSoon and expiresNow are when a certificate's end is a warning and when an error (R205).
	expiresSoon = 30 * 24 * time.Hour
	expiresNow  = 3 * 24 * time.Hour
)

// connection checks the way to a URL: name, port, and over https version and certificate. whose names the other
// side in sentences: "the QMS".
func connection(ctx context.Context, d Dialer, now time.Time, check, whose, address string) Finding {
	f, _ := connect(ctx, d, now, check, whose, address)
	return f
}

// connect is connection, and says why there was none.
func connect(ctx context.Context, d Dialer, now time.Time, check, whose, address string) (Finding, error) {
	u, err := url.Parse(address)
	if err != nil {
		return unfit(Error, check, "the address is not a URL", "correct it in the settings"), err
	}
	found, err := d.reach(ctx, u)
	via := ""
	if found.via != "" {
		via = " through the proxy " + found.via
	}
	switch {
	case err != nil:
		return unfit(Error, check, fmt.Sprintf("%s cannot be reached%s: %s", whose, via, trouble(err)),
			"check address, DNS, firewall, proxy and certificate from this machine, e.g. with curl -v"), err
	case found.plain:
		return fine(check, "%s is reached%s in the clear", whose, via), nil
	}
	return expiry(check, fmt.Sprintf("%s speaks %s%s", whose, tls.VersionName(found.version), via), found.expires, now), nil
}

// expiry judges a certificate's end. before is what was found so far.
func expiry(check, before string, end, now time.Time) Finding {
	left := end.Sub(now)
	when := end.UTC().Format(time.DateOnly)
	switch {
	case left <= 0:
		return unfit(Error, check, fmt.Sprintf("%s, and the certificate has expired on %s", before, when), "have it renewed now")
	case left < expiresNow:
		return unfit(Error, check, fmt.Sprintf("%s, and the certificate expires on %s, in %s", before, when, days(left)), "have it renewed today")
	case left < expiresSoon:
		return unfit(Warning, check, fmt.Sprintf("%s, and the certificate expires on %s, in %s", before, when, days(left)), "have it renewed before then")
	default:
		return fine(check, "%s; the certificate is good until %s", before, when)
	}
}

// days writes a span as people count it.
func days(d time.Duration) string {
	if d < 48*time.Hour {
		return plural(int(d.Hours()), "hour")
	}
	return plural(int(d.Hours()/24), "day")
}
