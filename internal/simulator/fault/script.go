package fault

import "sync"

// script holds the faults that wait for each endpoint; the zero value is an empty one.
type script struct {
	mu     sync.Mutex
	faults map[Endpoint][]Fault
}

func (s *script) add(endpoint Endpoint, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = make(map[Endpoint][]Fault)
	}
	for _, f := range faults {
		s.faults[endpoint] = append(s.faults[endpoint], f.Normal())
	}
}

func (s *script) clear(endpoints ...Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(endpoints) == 0 {
		s.faults = nil
	}
	for _, e := range endpoints {
		delete(s.faults, e)
	}
}

func (s *script) list() map[Endpoint][]Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[Endpoint][]Fault, len(s.faults))
	for e, faults := range s.faults {
		if len(faults) > 0 {
			out[e] = append([]Fault(nil), faults...)
		}
	}
	return out
}

// take uses up the next fault for a request to endpoint about key. What is scripted for the
// endpoint itself comes before what is scripted for Any.
func (s *script) take(endpoint Endpoint, key string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range []Endpoint{endpoint, Any} {
		queue := s.faults[e]
		for i := range queue {
			f := queue[i]
			if f.Key != "" && f.Key != key {
				continue
			}
			if f.Times != Forever {
				queue[i].Times--
				if queue[i].Times == 0 {
					s.faults[e] = append(queue[:i:i], queue[i+1:]...)
				}
			}
			return f, true
		}
	}
	return Fault{}, false
}
