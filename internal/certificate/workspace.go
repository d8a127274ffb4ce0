package certificate

import (
	"bytes"
	"compress/zlib"
	"fmt"
)

// workspace is what one drawing needs for itself and leaves to the next one: made anew for each it would be more
// than half of the time and most of the garbage. Nothing of what is drawn depends on what was drawn in it before.
type workspace struct {
	typesetter *typesetter
	compressor *zlib.Writer
	// shapes is the room for what is seen of a page.
	shapes []byte
}

func newWorkspace(fonts fontSet) (*workspace, error) {
	// As fpdf compresses. At level 6 a certificate is a quarter smaller, and drawing it takes two and a half times as long.
	compressor, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("new compressor: %w", err)
	}
	return &workspace{typesetter: newTypesetter(fonts), compressor: compressor}, nil
}

// compress returns data as a zlib stream.
func (w *workspace) compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w.compressor.Reset(&out)
	if _, err := w.compressor.Write(data); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.compressor.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return out.Bytes(), nil
}
