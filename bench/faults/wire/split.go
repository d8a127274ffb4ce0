package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
)

// splitter cuts what a client sends into messages.
type splitter interface {
	// next returns the length of the first message in data and what it says, as far as a point
	// may ask for it; 0 when it is not complete.
	next(data []byte) (length int, says string)
}

func newSplitter(p Protocol) splitter {
	switch p {
	case Postgres:
		return &postgresSplitter{statements: map[string]string{}}
	case GRPC:
		return &grpcSplitter{}
	default:
		return chunks{}
	}
}

// chunks takes every read as one message.
type chunks struct{}

func (chunks) next(data []byte) (int, string) { return len(data), string(data) }

// postgresSplitter reads frontend messages: a type, a length of four bytes that includes itself,
// a body (PostgreSQL 17, "Message Formats"). A statement is sent as text once and called by its
// name afterwards, so the names are remembered. A Sync says "sync": outside of a transaction it commits what was
// executed before it.
type postgresSplitter struct {
	started    bool
	statements map[string]string // text by name
}

func (p *postgresSplitter) next(data []byte) (int, string) {
	head := 1
	if !p.started {
		head = 0 // the first message has no type
	}
	if len(data) < head+4 {
		return 0, ""
	}
	length := head + int(binary.BigEndian.Uint32(data[head:]))
	if len(data) < length || length < head+4 {
		return 0, ""
	}
	if !p.started {
		p.started = true
		return length, ""
	}
	body := data[5:length]
	switch data[0] {
	case 'Q':
		text, _ := word(body)
		return length, text
	case 'P':
		name, rest := word(body)
		p.statements[name], _ = word(rest)
	case 'B':
		_, rest := word(body) // the portal
		name, _ := word(rest)
		return length, p.statements[name]
	case 'S':
		return length, "sync"
	}
	return length, ""
}

// word cuts a text that a zero byte ends.
func word(data []byte) (text string, rest []byte) {
	before, after, _ := bytes.Cut(data, []byte{0})
	return string(before), after
}

// grpcSplitter reads HTTP/2 frames (RFC 9113, section 4.1) and unpacks the messages in DATA
// frames: a flag for gzip, a length of four bytes, the message.
type grpcSplitter struct{ prefaced bool }

const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeader = 9
	frameData   = 0
	grpcHeader  = 5
	maxUnpacked = 1 << 20 // bytes; a point is near the beginning
)

func (g *grpcSplitter) next(data []byte) (int, string) {
	if !g.prefaced {
		if len(data) < len(preface) {
			return 0, ""
		}
		g.prefaced = true
		return len(preface), ""
	}
	if len(data) < frameHeader {
		return 0, ""
	}
	length := frameHeader + (int(data[0])<<16 | int(data[1])<<8 | int(data[2]))
	if len(data) < length {
		return 0, ""
	}
	body := data[frameHeader:length]
	if data[3] != frameData || len(body) < grpcHeader {
		return length, ""
	}
	if body[0] == 0 {
		return length, string(body[grpcHeader:])
	}
	packed, err := gzip.NewReader(bytes.NewReader(body[grpcHeader:]))
	if err != nil {
		return length, "" // the continuation of a message longer than a frame
	}
	text, _ := io.ReadAll(io.LimitReader(packed, maxUnpacked)) // what can be read is enough
	return length, string(text)
}
