package main

import (
	"fmt"

	"countersign/dev/options"
	"countersign/internal/stack"
)

// ports are the ones in use.
type ports struct {
	ingress, metrics, simulators, temporal, temporalUI, smtp int
}

// choosePorts takes the ports that were asked for, and the next free ones in the place of
// defaults that are taken. notes say which.
func choosePorts(wanted options.Ports) (p ports, notes []string, err error) {
	var taken []int
	for _, port := range []struct {
		what   string
		wanted options.Port
		chosen *int
	}{
		{"the ingress", wanted.Ingress, &p.ingress},
		{"the worker's metrics", wanted.Metrics, &p.metrics},
		{"the simulators", wanted.Simulators, &p.simulators},
		{"Temporal", wanted.Temporal, &p.temporal},
		{"the Temporal Web UI", wanted.TemporalUI, &p.temporalUI},
		{"the mail sink", wanted.SMTP, &p.smtp},
	} {
		if *port.chosen, err = stack.FreePortFrom(port.wanted.Number, taken...); err != nil {
			return ports{}, nil, err
		}
		taken = append(taken, *port.chosen)
		if *port.chosen == port.wanted.Number {
			continue
		}
		if port.wanted.Given {
			return ports{}, nil, fmt.Errorf("port %d for %s is taken", port.wanted.Number, port.what)
		}
		notes = append(notes, fmt.Sprintf("port %d is taken: %s on %d instead", port.wanted.Number, port.what, *port.chosen))
	}
	return p, notes, nil
}
