package settings

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// kinds are the keys of `auth`, any of which can be combined.
func kinds() []string {
	return []string{
		"hmac_sha256", "api_key", "bearer", "authorization", "basic", "token_in", "jwt", "oauth2", "login", "mtls", "learnupon_v1", "ip_allow",
	}
}

// unproven is said of a source that would take deliveries from anybody (R41).
const unproven = "none is for tests only and not accepted without mode: test: anybody could report completions"

// learnUpon is the one platform that learnupon_v1 is for.
const learnUpon = "learnupon"

func (r *tenantReader) auth(e entry, of Source) Auth {
	if e.present() && e.node.Kind == yaml.ScalarNode && e.node.Value == "none" {
		if of.Mode != ModeTest {
			e.mistake(unproven)
			return Auth{}
		}
		e.warn("none lets anybody send to this source; it is in test mode, so nothing is processed")
		return Auth{None: true}
	}
	f, ok := e.fields()
	if !ok {
		return Auth{}
	}
	var given []string
	for _, kind := range kinds() {
		if at := f.get(kind); at.present() {
			given = append(given, kind)
		} else if f.names[kind] != nil { // a check that somebody wanted must not fall away unseen
			at.mistake("is empty; say what it checks, or leave it out")
		}
	}
	a := Auth{
		HMACSHA256:    r.hmac(f.get("hmac_sha256")),
		APIKey:        r.apiKey(f.get("api_key")),
		Bearer:        r.bearer(f.get("bearer")),
		Authorization: r.authorization(f.get("authorization")),
		Basic:         r.basic(f.get("basic")),
		TokenIn:       r.tokenIn(f.get("token_in")),
		JWT:           r.jwt(f.get("jwt")),
		OAuth2:        r.oauth2(f.get("oauth2")),
		Login:         r.login(f.get("login")),
		MTLS:          r.mtls(f.get("mtls")),
		LearnUponV1:   r.learnUponV1(f.get("learnupon_v1"), of.Platform),
		IPAllow:       networks(f.get("ip_allow")),
	}
	switch _, none := f.names["none"]; {
	case none:
		f.get("none").mistake(unproven)
	case len(given) == 0:
		e.mistake("must say how deliveries prove where they come from: %s", strings.Join(kinds(), ", "))
	case slices.Equal(given, []string{"ip_allow"}):
		f.get("ip_allow").warn("is the only check: whoever sends from these addresses, such as other customers of a hosted LMS, " +
			"can report completions; add a credential if the LMS can send one")
	}
	r.weaknesses(f, a, given)
	a.collisions(e)
	f.done()
	return a
}

// weaknesses finds kinds that prove too little alone.
func (r *tenantReader) weaknesses(f *fields, a Auth, given []string) {
	others := slices.DeleteFunc(slices.Clone(given), func(kind string) bool { return kind == "jwt" || kind == "ip_allow" })
	if j := a.JWT; j != nil && len(others) == 0 {
		at := f.get("jwt")
		if j.Audience == "" && len(j.Claims) == 0 {
			at.warn("takes tokens that the issuer signed for any of its customers; name an audience or claims, or add token_in: {path: true}")
		}
		r.unshared(at, j.vouched(), "issuer, audience and claims")
	}
	if a.LearnUponV1 != nil && (a.TokenIn == nil || !a.TokenIn.Path) {
		f.get("learnupon_v1").warn("is MD5, which is weak; add token_in: {path: true} so that the URL is secret too")
	}
}

// collisions finds kinds that want the same header for themselves: no request could satisfy both.
func (a Auth) collisions(e entry) {
	taken := map[string]string{}
	claim := func(header, kind string) {
		if before, ok := taken[header]; ok {
			e.mistake("%s and %s both stand in the header %s, of which a request has one", before, kind, header)
		}
		taken[header] = kind
	}
	if h := a.HMACSHA256; h != nil && len(h.Headers) == 1 {
		claim(h.Headers[0], "hmac_sha256")
	}
	if k := a.APIKey; k != nil && k.Header != "" {
		claim(k.Header, "api_key")
	}
	if a.Bearer != nil {
		claim("Authorization", "bearer")
	}
	if a.Authorization != nil {
		claim("Authorization", "authorization")
	}
	if a.Basic != nil {
		claim("Authorization", "basic")
	}
	if a.OAuth2 != nil {
		claim("Authorization", "oauth2")
	}
	if a.Login != nil {
		claim("Authorization", "login")
	}
	if a.JWT == nil {
		return
	}
	if a.JWT.In == JWTInAuthorization {
		claim("Authorization", "jwt")
	} else if a.TokenIn != nil && a.TokenIn.Body != "" || a.LearnUponV1 != nil {
		e.mistake("jwt takes the whole body, so that nothing else can stand in it")
	}
}

func (r *tenantReader) hmac(e entry) *HMACSHA256 {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	h := &HMACSHA256{Signed: oneOf(f.get("signed"), "choice", SignedBody, SignedStandard)}
	headers, prefix, encoding, tolerance := f.get("headers"), f.get("prefix"), f.get("encoding"), f.get("tolerance")
	if h.Signed == SignedStandard {
		h.Secrets = r.sourceSecrets(f, standardKey)
		h.Tolerance = tolerance.duration(5*time.Minute, time.Second, time.Hour)
		for _, fixed := range []entry{headers, prefix, encoding} {
			if fixed.present() {
				fixed.mistake("belongs to signed: body; Standard Webhooks leaves no choice")
			}
		}
	} else {
		h.Secrets = r.sourceSecrets(f, nil)
		for _, item := range headers.list() {
			h.Headers = append(h.Headers, secretHeader(item))
		}
		h.Prefix = prefix.textOr("sha256=")
		h.Encoding = oneOf(encoding, "encoding", EncodingHex, EncodingBase64)
		if tolerance.present() {
			tolerance.mistake("belongs to signed: id.timestamp.body; a body alone has no time")
		}
	}
	f.done()
	return h
}

func (r *tenantReader) apiKey(e entry) *APIKey {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	k := &APIKey{Header: "X-Api-Key", Secrets: r.sourceSecrets(f, inHeader)}
	if name := f.get("header"); name.present() {
		k.Header = secretHeader(name)
	}
	f.done()
	return k
}

func (r *tenantReader) bearer(e entry) *Bearer {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	b := &Bearer{Secrets: r.sourceSecrets(f, inHeader)}
	f.done()
	return b
}

func (r *tenantReader) authorization(e entry) *Authorization {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	v := &Authorization{Secrets: r.sourceSecrets(f, inHeader)}
	f.done()
	return v
}

func (r *tenantReader) basic(e entry) *Basic {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	username := f.get("username").required()
	b := &Basic{Username: username.text(), Secrets: r.sourceSecrets(f, nil)}
	if strings.Contains(b.Username, ":") { // RFC 7617 §2
		username.mistake("must have no colon: the password begins after the first one")
	}
	f.done()
	return b
}

func (r *tenantReader) tokenIn(e entry) *TokenIn {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	t := &TokenIn{Query: f.get("query").textOr(""), Path: f.get("path").flag(false), Body: f.get("body").textOr("")}
	check := func(string) string { return "" }
	if t.Path {
		check = inPath
	}
	t.Secrets = r.sourceSecrets(f, check)
	places := 0
	for _, given := range []bool{t.Query != "", t.Path, t.Body != ""} {
		if given {
			places++
		}
	}
	if t.Body != "" {
		f.get("body").warn("has the secret kept in the journal, with the body of every delivery; use it only where the LMS can do nothing else")
	}
	if places != 1 {
		e.mistake("must have exactly one of query: NAME, path: true and body: NAME")
	}
	f.done()
	return t
}

func (r *tenantReader) learnUponV1(e entry, platform string) *LearnUponV1 {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	if platform != learnUpon {
		e.mistake("is for platform %s only", learnUpon)
	}
	v := &LearnUponV1{Secrets: r.sourceSecrets(f, nil)}
	f.done()
	return v
}

// networks reads addresses and networks. Wide ones are refused: 0.0.0.0/0 is no check at all.
func networks(e entry) []netip.Prefix {
	var all []netip.Prefix
	for _, item := range e.list() {
		text := item.required().text()
		if text == "" {
			continue
		}
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil && address.Zone() == "" {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		switch {
		case err != nil:
			item.mistake("must be an address such as 203.0.113.7 or a network such as 203.0.113.0/24")
		case network.Addr().Is4In6():
			item.mistake("must be written as IPv4, without ::ffff:")
		case network != network.Masked():
			item.mistake("must begin its network: %s", network.Masked())
		case network.Bits() < 8 || network.Addr().Is6() && network.Bits() < 16:
			item.mistake("is too wide to tell anybody apart; at least /8, for IPv6 /16")
		default:
			all = append(all, network)
		}
	}
	if e.present() && e.node.Kind == yaml.SequenceNode && len(e.node.Content) == 0 {
		e.mistake("must name at least one address or network")
	}
	return all
}
