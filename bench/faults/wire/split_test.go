package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// message is a frontend message of PostgreSQL's.
func message(kind byte, body string) []byte {
	out := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	return append(out, body...)
}

func startup() []byte {
	body := "\x00\x03\x00\x00user\x00postgres\x00\x00"
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
}

// frame is an HTTP/2 frame.
func frame(kind byte, body []byte) []byte {
	n := len(body)
	return append([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, 0, 0, 0, 0, 1}, body...)
}

func grpcMessage(t *testing.T, text string, packed bool) []byte {
	t.Helper()
	body, flag := []byte(text), byte(0)
	if packed {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, err := w.Write(body)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		body, flag = out.Bytes(), 1
	}
	return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(body))), body...)
}

// say feeds a conversation in pieces of the given size and collects what was said.
func say(s splitter, data []byte, piece int) (said []string, left int) {
	var pending []byte
	for len(data) > 0 {
		n := min(piece, len(data))
		pending, data = append(pending, data[:n]...), data[n:]
		for len(pending) > 0 {
			length, says := s.next(pending)
			if length == 0 {
				break
			}
			said, pending = append(said, says), pending[length:]
		}
	}
	return said, len(pending)
}

func TestPostgresStatementsAreRememberedByName(t *testing.T) {
	conversation := bytes.Join([][]byte{
		startup(), message('Q', "begin\x00"),
		message('P', "stmt_1\x00INSERT INTO deliveries (id) VALUES ($1)\x00\x00\x00"), message('S', ""),
		message('B', "\x00stmt_1\x00\x00\x00\x00\x00\x00\x00"), message('E', "\x00\x00\x00\x00\x00"), message('S', ""),
		message('Q', "commit\x00"),
		message('B', "\x00stmt_1\x00\x00\x00\x00\x00\x00\x00"),
	}, nil)
	insert := "INSERT INTO deliveries (id) VALUES ($1)"
	for _, piece := range []int{1, 3, 7, len(conversation)} {
		said, left := say(newSplitter(Postgres), conversation, piece)
		require.Equal(t, []string{"", "begin", "", "sync", insert, "", "sync", "commit", insert}, said)
		require.Zero(t, left)
	}
}

func TestGRPCMessagesAreUnpacked(t *testing.T) {
	for _, packed := range []bool{false, true} {
		conversation := bytes.Join([][]byte{
			[]byte(preface), frame(4, nil), frame(1, []byte("headers")),
			frame(frameData, grpcMessage(t, `{"platform":"canonical"}`, packed)), frame(8, []byte{0, 0, 1, 0}),
		}, nil)
		for _, piece := range []int{1, 5, len(conversation)} {
			said, left := say(newSplitter(GRPC), conversation, piece)
			require.Equal(t, []string{"", "", "", `{"platform":"canonical"}`, ""}, said)
			require.Zero(t, left)
		}
	}
}

func FuzzSplittersPassEverythingOn(f *testing.F) {
	f.Add(append(startup(), message('Q', "commit\x00")...), byte(0))
	f.Add([]byte(preface+"\x00\x00\x05\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00"), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		s := newSplitter([]Protocol{Postgres, GRPC, HTTP}[which%3])
		passed := 0
		for passed < len(data) {
			length, _ := s.next(data[passed:])
			if length == 0 {
				return // waits for more
			}
			require.Positive(t, length)
			passed += length
			require.LessOrEqual(t, passed, len(data))
		}
	})
}
