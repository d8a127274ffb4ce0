package signature

import (
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// check holds the claims against what the source expects. Every text names a claim and no value.
func (v *JWT) check(payload []byte) error {
	var registered jwt.Claims
	var claims map[string]any
	// This JSON package refuses doubled members and takes names letter for letter.
	if json.Unmarshal(payload, &registered) != nil || json.Unmarshal(payload, &claims) != nil || claims == nil {
		return refuse("what the token says is not a JSON object of claims")
	}
	now := v.Now()
	switch {
	case v.Issuer != "" && registered.Issuer != v.Issuer:
		return refuse("the token's iss is another issuer than the source's, or absent")
	case v.Audience != "" && !slices.Contains(registered.Audience, v.Audience):
		return refuse("the token's aud does not name the source's audience")
	case registered.Expiry != nil && now.Add(-v.Tolerance).After(registered.Expiry.Time()):
		return refuse("the token has expired (exp): fetch a new one, or compare the clocks")
	case registered.NotBefore != nil && now.Add(v.Tolerance).Before(registered.NotBefore.Time()):
		return refuse("the token is not valid yet (nbf): compare the clocks")
	case registered.IssuedAt != nil && now.Add(v.Tolerance).Before(registered.IssuedAt.Time()):
		return refuse("the token was issued ahead of our clock (iat): compare the clocks")
	}
	for pointer, want := range v.Claims {
		if got, ok := at(claims, pointer).(string); !ok || got != want {
			return refuse("the token's claim %s is not the source's", pointer)
		}
	}
	return nil
}

// at is the value at a JSON pointer (RFC 6901), nil when there is none. Arrays are not walked into:
// a claim that stands somewhere in a list is not one that the issuer vouches for by place.
func at(value any, pointer string) any {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, name := range strings.Split(pointer, "/")[1:] {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[unescape.Replace(name)]
	}
	return value
}
