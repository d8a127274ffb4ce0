// Package jwks keeps the public keys with which an issuer's tokens are verified: a JWK set (RFC 7517)
// from the issuer's own address or from a file.
//
// A set is asked for again every six hours, beside the deliveries that use it, and never older than a
// day when its issuer can be reached. A token that names an unknown key has it asked for at once, so
// that a rotation is no outage, but once a minute at most, so that strangers cannot make us a
// nuisance. When the issuer is away the keys that are there keep working, and the log says so; with
// a cache folder they survive a restart too. Status is for metrics.
//
// How often Canvas changes its keys: monthly, and three are published (documented); how long before
// its first use a key is published is not known.
package jwks

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// fresh is how long a set is used without asking for it again.
	fresh = 6 * time.Hour
	// stale is the age at which a delivery waits for a new set first.
	stale = 24 * time.Hour
	// freshFile is both for a file, which costs nothing to read.
	freshFile = time.Minute
	// cooldown lies between two questions to an issuer.
	cooldown = time.Minute
	// patience is how long an issuer may take. A delivery waits no longer for it.
	patience = 5 * time.Second
)

// Config says where the keys are. One of URL and File is required.
type Config struct {
	// URL is the issuer's address, https, or http on this machine.
	URL string
	// File holds a JWK set. It is read again when a minute has passed.
	File string
	// Cache is a folder of our own, in which a set from a URL survives a restart; "" for none.
	Cache string
	// Log is told when the issuer cannot be asked; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Set is a JWK set. It is safe for concurrent use.
type Set struct {
	source       source
	fresh, stale time.Duration
	cooldown     time.Duration
	cache        cacheFile
	log          *slog.Logger
	now          func() time.Time

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when keys were, the zero time for never
	tried   time.Time
	failure error // of the last try
	running chan struct{}
}

// source reads the JSON of a set. Its errors hold no more of an address than the host.
type source interface {
	read(ctx context.Context) ([]byte, error)
}

// New reads the file, or what the cache has of a URL. It asks no issuer: Keys does.
func New(c Config) (*Set, error) {
	s := &Set{
		fresh: fresh, stale: stale, cooldown: cooldown,
		log: cmp.Or(c.Log, slog.New(slog.DiscardHandler)), now: c.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	switch {
	case (c.URL == "") == (c.File == ""):
		return nil, errors.New("new JWK set: want either a URL or a file")
	case c.File != "":
		s.source, s.fresh, s.stale, s.cooldown = file(c.File), freshFile, freshFile, time.Second
		s.fetch()
		return s, s.failure
	}
	issuer, err := newIssuer(c.URL)
	if err != nil {
		return nil, err
	}
	s.source, s.cache = issuer, newCacheFile(c.Cache, c.URL)
	s.keys, s.fetched, err = s.cache.load(s.now())
	if err != nil {
		s.log.Warn("JWK set: the cache is not used", "host", issuer.host, "error", err)
	}
	return s, nil
}

// Keys returns the keys with this id, all of them for "". It returns none when the issuer has no
// such key, and an error when the issuer cannot be asked and there is none from before, or was asked so
// lately that a key it has begun to use since may be unknown here: strangers can ask for keys that do not
// exist, and must not make us call a good one wrong.
func (s *Set) Keys(id string) ([]jose.JSONWebKey, error) {
	found, age := s.lookUp(id)
	if len(found) > 0 && age < s.fresh {
		return found, nil
	}
	done, asked := s.refresh()
	if len(found) > 0 && age < s.stale {
		return found, nil // and the new set comes when it comes
	}
	<-done
	found, _ = s.lookUp(id)
	if len(found) > 0 { // however old: better than to refuse what the issuer signed
		return found, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !asked && s.failure == nil {
		return nil, errAskedLately
	}
	return nil, s.failure
}

var errAskedLately = errors.New("JWK set: the key is not known, and its issuer was asked a moment ago")

// Status is what metrics and people ask a set for.
type Status struct {
	// Keys is their number, Fetched when the issuer was last read (zero: never).
	Keys    int
	Fetched time.Time
	// Err is why the last try failed; nil when it did not.
	Err error
}

// Status returns how the set is.
func (s *Set) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{Keys: len(s.keys), Fetched: s.fetched, Err: s.failure}
}

// lookUp also says how old the set is. One from the future, after a clock was put right, is old.
func (s *Set) lookUp(id string) ([]jose.JSONWebKey, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := s.now().Sub(s.fetched)
	if age < 0 {
		age = s.stale
	}
	var found []jose.JSONWebKey
	for _, key := range s.keys {
		if id == "" || key.KeyID == id {
			found = append(found, key)
		}
	}
	return found, age
}

// refresh asks the issuer, once for all who want it at the same time, and not again before the
// cooldown is over: asked is false then. The channel closes when there is nothing more to wait for.
func (s *Set) refresh() (done chan struct{}, asked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return s.running, true
	}
	done = make(chan struct{})
	now := s.now()
	if since := now.Sub(s.tried); !s.tried.IsZero() && since >= 0 && since < s.cooldown {
		close(done)
		return done, false
	}
	s.tried, s.running = now, done
	// It ends by itself within patience, whoever waits for it.
	go func() {
		defer close(done)
		s.fetch()
	}()
	return done, true
}

// fetch reads the set and keeps it when there are keys in it.
func (s *Set) fetch() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	content, err := s.source.read(ctx)
	var keys []jose.JSONWebKey
	if err == nil {
		keys, err = parse(content)
	}
	now := s.now()
	s.mu.Lock()
	s.running, s.failure = nil, err
	if err == nil {
		s.keys, s.fetched = keys, now
	}
	since := s.fetched
	s.mu.Unlock()
	if err != nil {
		s.log.Warn("JWK set: not read; the keys that are there keep working", "error", err, "read_at", since)
		return
	}
	if err := s.cache.store(content, now); err != nil {
		s.log.Warn("JWK set: not kept in the cache", "error", err)
	}
}
