package rest

import (
	"errors"

	"countersign/internal/outbound"
)

// TooLarge reports whether err is an answer with more bytes than are read of one: asking again brings the same.
func TooLarge(err error) bool {
	_, ok := errors.AsType[outbound.TooLargeError](err)
	return ok
}
