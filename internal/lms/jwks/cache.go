package jwks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// cacheFile is where a set survives a restart, "" for nowhere. Whoever can write there can make
// keys of their own good, so the folder belongs to the process alone.
type cacheFile string

// cached is the content of the file.
type cached struct {
	Read time.Time       `json:"read"`
	Set  json.RawMessage `json:"set"`
}

// newCacheFile names the file by the URL, so that another issuer never gets its keys.
func newCacheFile(folder, url string) cacheFile {
	if folder == "" {
		return ""
	}
	digest := sha256.Sum256([]byte(url))
	return cacheFile(filepath.Join(folder, "jwks-"+hex.EncodeToString(digest[:16])+".json"))
}

// load returns what was kept and when it was read from the issuer; nothing where there is nothing.
func (c cacheFile) load(now time.Time) ([]jose.JSONWebKey, time.Time, error) {
	if c == "" {
		return nil, time.Time{}, nil
	}
	file, err := os.Open(string(c))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("load JWK set: %w", err)
	}
	defer file.Close()
	content, err := bounded(file)
	if err != nil {
		return nil, time.Time{}, err
	}
	var kept cached
	if err := json.Unmarshal(content, &kept); err != nil || kept.Read.After(now) {
		return nil, time.Time{}, fmt.Errorf("load JWK set: %s is damaged, or from the future", string(c))
	}
	keys, err := parse(kept.Set)
	if err != nil {
		return nil, time.Time{}, err
	}
	return keys, kept.Read, nil
}

// store keeps a set. A crash leaves the old file or the new one, and never half of one.
func (c cacheFile) store(set []byte, read time.Time) error {
	if c == "" {
		return nil
	}
	content, err := json.Marshal(cached{Read: read, Set: set})
	if err != nil {
		return fmt.Errorf("store JWK set: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(string(c)), ".jwks-*") // mode 0600
	if err != nil {
		return fmt.Errorf("store JWK set: %w", err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), string(c))
	}
	if err != nil {
		return fmt.Errorf("store JWK set: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}
