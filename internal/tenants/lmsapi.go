package tenants

import (
	"fmt"
	"log/slog"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/platform"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/settings"
)

// apis are the clients of the tenant's LMSs, by source; a source without one is not in it.
func apis(t settings.Tenant, log *slog.Logger) (map[string]lmsapi.Client, error) {
	clients := map[string]lmsapi.Client{}
	for _, source := range t.Sources {
		if source.API == nil {
			continue
		}
		speaks, ok := platform.Find(source.Platform)
		if !ok {
			return nil, fmt.Errorf("source %s: no api of platform %s", source.ID, source.Platform)
		}
		credentials := map[rest.Key]string{}
		for name, credential := range source.API.Credentials {
			credentials[rest.Key(name)] = credential.Reveal()
		}
		client, err := speaks.New(rest.Config{
			URL: source.API.URL, Credentials: credentials, ExternalIDField: source.API.ExternalIDField,
			PerHour: source.API.PerHour, Log: log.With("source", source.ID),
		})
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", source.ID, err)
		}
		clients[source.ID] = client
	}
	return clients, nil
}
