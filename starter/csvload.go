package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"countersign/internal/csvtable"
	"countersign/internal/journal"
	"countersign/internal/settings"
)

const (
	// mostMistakes is how many bad lines are named; the others are counted.
	mostMistakes = 50
	// mostRows bounds a file: what is remembered of a row are 20 bytes.
	mostRows = 1_000_000
	// rowsHandedOn is how many rows are handed on together.
	rowsHandedOn = 1000
)

// rowsOf is the sheet of one kind of rows.
type rowsOf[T any] struct {
	columns []csvtable.Column
	// cells and read are each other's inverse. read says in which column something is wrong, and what.
	cells func(T) []string
	read  func(tenant settings.Tenant, cells []string) (row T, column, problem string)
	// key is what no two rows have in common.
	key          func(T) string
	each         func(j *journal.Journal, ctx context.Context, tenant string, each func(T) error) error
	put          func(i *journal.Import, ctx context.Context, rows []T) error
	removeOthers func(i *journal.Import, ctx context.Context, keep func(T) bool) error
}

func (s rowsOf[T]) export(ctx context.Context, j *journal.Journal, tenant string, to io.Writer) error {
	w, err := csvtable.NewWriter(to, s.columns)
	if err != nil {
		return err
	}
	if err := s.each(j, ctx, tenant, func(row T) error { return w.Write(s.cells(row)) }); err != nil {
		return err
	}
	return w.Flush()
}

// mark stands for a key: half a SHA-256, so that a file of any length is remembered in little.
type mark [16]byte

func markOf(key string) mark {
	sum := sha256.Sum256([]byte(key))
	return mark(sum[:16])
}

func (s rowsOf[T]) load(ctx context.Context, j *journal.Journal, tenant settings.Tenant, file io.ReadSeeker, o importOptions) (journal.ImportCounts, error) {
	lines, sum, err := s.check(tenant, file)
	if err != nil {
		return journal.ImportCounts{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return journal.ImportCounts{}, fmt.Errorf("csv import: %w", err)
	}
	entry := journal.ImportEntry{Tenant: tenant.ID, Kind: o.kind, By: o.by, Reason: o.reason, SHA256: sum}
	return j.Import(ctx, entry, o.dry, func(i *journal.Import) error {
		var rows []T
		again, err := s.scan(tenant, file, func(_ int, row T) error {
			rows = append(rows, row)
			if len(rows) < rowsHandedOn {
				return nil
			}
			defer func() { rows = rows[:0] }()
			return s.put(i, ctx, rows)
		}, func(err error) error { return err })
		if err != nil {
			return err
		}
		if again != sum {
			return errors.New("csv import: the file has changed while it was read")
		}
		if err := s.put(i, ctx, rows); err != nil || !o.replace {
			return err
		}
		return s.removeOthers(i, ctx, func(row T) bool {
			_, named := lines[markOf(s.key(row))]
			return named
		})
	})
}

// check finds every mistake of a file, before anything is written, and returns which line has which key.
func (s rowsOf[T]) check(tenant settings.Tenant, file io.Reader) (lines map[mark]uint32, sum string, err error) {
	lines = map[mark]uint32{}
	var mistakes []string
	bad := 0
	mistake := func(err error) {
		if bad++; bad <= mostMistakes {
			mistakes = append(mistakes, "  "+err.Error())
		}
	}
	sum, err = s.scan(tenant, file, func(line int, row T) error {
		key := markOf(s.key(row))
		if first, twice := lines[key]; twice {
			mistake(&csvtable.Mistake{Line: line, Text: fmt.Sprintf("is about the same as line %d", first)})
			return nil
		}
		if len(lines) == mostRows {
			return fmt.Errorf("csv import: more than %d rows; import them in parts", mostRows)
		}
		lines[key] = uint32(line)
		return nil
	}, func(err error) error {
		mistake(err)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	if bad > len(mistakes) {
		mistakes = append(mistakes, fmt.Sprintf("  and %d more", bad-len(mistakes)))
	}
	if bad > 0 {
		return nil, "", fmt.Errorf("csv import: nothing imported, %d mistakes:\n%s", bad, strings.Join(mistakes, "\n"))
	}
	return lines, sum, nil
}

// scan reads a file row by row and returns its hash. What is wrong with a row goes to mistake, whose error ends it.
func (s rowsOf[T]) scan(tenant settings.Tenant, file io.Reader, each func(line int, row T) error, mistake func(error) error) (sum string, err error) {
	hash := sha256.New()
	whole := io.TeeReader(file, hash)
	r, err := csvtable.NewReader(whole, s.columns)
	for err == nil {
		var line int
		var cells []string
		line, cells, err = r.Next()
		var wrong *csvtable.Mistake
		var unreadable *csvtable.Unreadable
		switch {
		case errors.As(err, &unreadable):
			return "", mistake(unreadable)
		case errors.As(err, &wrong):
			err = mistake(wrong)
		case err == nil:
			row, column, problem := s.read(tenant, cells)
			if problem != "" {
				err = mistake(&csvtable.Mistake{Line: line, Column: column, Text: problem})
				break
			}
			err = each(line, row)
		}
	}
	var wrong *csvtable.Mistake
	switch {
	case errors.As(err, &wrong):
		return "", mistake(wrong)
	case !errors.Is(err, io.EOF):
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
