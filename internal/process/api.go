package process

import (
	"slices"

	lmsapi "countersign/internal/lmsapi/platform"
	"countersign/internal/settings"
)

// knownAPIs is what the platforms at which something can be looked up take, in the words of settings.
func knownAPIs() map[string]settings.KnownAPI {
	known := map[string]settings.KnownAPI{}
	for _, name := range lmsapi.Names() {
		p, ok := lmsapi.Find(name)
		if !ok {
			continue
		}
		api := settings.KnownAPI{ExternalIDField: p.Manner.ExternalIDField}
		for _, key := range slices.Concat(p.Manner.Needs, p.Manner.May) {
			api.Credentials = append(api.Credentials, settings.KnownCredential{
				Name: string(key), Secret: key.Secret(), Required: slices.Contains(p.Manner.Needs, key),
			})
		}
		known[name] = api
	}
	return known
}
