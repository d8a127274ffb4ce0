package rest

import "countersign/internal/outbound"

// TooLarge reports whether err is an answer with more bytes than are read of one: asking again brings the same.
func TooLarge(err error) bool { return outbound.TooLarge(err) }

// Pieces reads a page of a listing, number page from 0 of size rows each, and says whether more follow. Where the answer
// is larger than is read, the same rows are asked for in smaller pages, down to single ones; one row that is too large
// alone is the error. So one listing goes on over rows of any length, and its cursors stay what they are.
//
// While rows come and go between two pieces, one may move from one to the other, as between two pages.
func Pieces[T any](page, size int, read func(page, size int) (rows []T, more bool, err error)) (rows []T, more bool, err error) {
	rows, more, err = read(page, size)
	if !TooLarge(err) || size <= 1 {
		return rows, more, err
	}
	parts := smallestDivisor(size)
	var all []T
	for i := range parts {
		rows, more, err = Pieces(page*parts+i, size/parts, read)
		if err != nil {
			return nil, false, err
		}
		if all = append(all, rows...); !more {
			break
		}
	}
	return all, more, nil
}

// smallestDivisor of n > 1, other than 1: pages of n rows fall on the borders of pages of n over that.
func smallestDivisor(n int) int {
	d := 2
	for n%d != 0 {
		d++
	}
	return d
}
