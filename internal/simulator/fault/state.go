package fault

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// StateFile keeps a simulated system's state over a restart: one JSON line per changed thing,
// the last line of a thing wins. Lines are handed to the operating system one by one and not
// synced: they survive a killed process, not a power cut.
//
// The first failure to write is kept (Err) and nothing is written after it: the system then
// answers 500, because one that forgets would make every test after a restart lie. A nil
// *StateFile keeps nothing and never fails.
type StateFile struct {
	path   string
	logger *slog.Logger

	mu   sync.Mutex
	file *os.File
	err  error
}

// Line is one changed thing.
type Line struct {
	Kind  string          `json:"kind"`
	Value json.RawMessage `json:"value"`
}

// OpenState reads path, if it exists, line by line into load. A last line without its end,
// from a process killed while writing, is dropped. Rewrite must follow: it opens the file for
// Save.
func OpenState(path string, logger *slog.Logger, load func(Line) error) (*StateFile, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read state: %w", err)
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	number := 0
	for text := range bytes.Lines(data) {
		number++
		var line Line
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, fmt.Errorf("read state %s, line %d: %w", path, number, err)
		}
		if err := load(line); err != nil {
			return nil, fmt.Errorf("read state %s, line %d: %w", path, number, err)
		}
	}
	return &StateFile{path: path, logger: logger}, nil
}

// DecodeLine hands the value of line to use.
func DecodeLine[T any](line Line, use func(T)) error {
	var value T
	if err := json.Unmarshal(line.Value, &value); err != nil {
		return err
	}
	use(value)
	return nil
}

// Save appends one changed thing.
func (s *StateFile) Save(kind string, value any) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	line, err := encodeLine(kind, value)
	if err == nil && s.file == nil {
		err = errors.New("file is not open")
	}
	if err == nil {
		_, err = s.file.Write(line)
	}
	s.keep("save state", err)
}

// Rewrite replaces the whole file in one step: after loading, to drop lines that were
// overtaken, and after a reset. fill adds everything there is.
func (s *StateFile) Rewrite(fill func(add func(kind string, value any))) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.keep("rewrite state", s.rewrite(fill))
	}
}

func (s *StateFile) rewrite(fill func(add func(kind string, value any))) error {
	temp, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".*")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(temp)
	fill(func(kind string, value any) {
		line, encodeErr := encodeLine(kind, value)
		_, writeErr := w.Write(line)
		err = errors.Join(err, encodeErr, writeErr)
	})
	if err := errors.Join(err, w.Flush(), temp.Close()); err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	// Not every system renames over an open file.
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	if err := errors.Join(err, os.Rename(temp.Name(), s.path)); err != nil {
		return err
	}
	s.file, err = os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

func encodeLine(kind string, value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	line, err := json.Marshal(Line{Kind: kind, Value: data})
	return append(line, '\n'), err
}

func (s *StateFile) keep(operation string, err error) {
	if err != nil {
		s.err = fmt.Errorf("%s: %w", operation, err)
		s.logger.Error("the simulator's state is not saved any more", slog.Any("error", s.err))
	}
}

// Err is the failure after which nothing is kept any more, nil while all is well.
func (s *StateFile) Err() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close closes the file.
func (s *StateFile) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
