package certificate

import (
	"bytes"
	"fmt"
	"sync"

	"codeberg.org/go-pdf/fpdf"
)

var (
	ink  = color{0x1b, 0x1f, 0x24}
	blue = color{0x1f, 0x3a, 0x5f}
	gold = color{0xb0, 0x8d, 0x57}
	gray = color{0x5a, 0x63, 0x6e}
)

// Drawer draws certificates. It holds the parsed fonts and the outlines drawn so far, and is safe for concurrent use.
type Drawer struct {
	fonts    fontSet
	outlines outlines
	// workspaces are those that no drawing needs just now.
	workspaces sync.Pool
}

// NewDrawer parses the embedded fonts, once for all drawings.
func NewDrawer() (*Drawer, error) {
	fonts, err := loadFonts()
	if err != nil {
		return nil, err
	}
	return &Drawer{fonts: fonts}, nil
}

// Draw returns c as a PDF of one A4 page in landscape (R158). Equal certificates are equal
// bytes. The error wraps ErrNotDrawable or ErrNoGlyph where the content is the reason; what to
// print for a learner without a name is the caller's decision.
func (d *Drawer) Draw(c Certificate) ([]byte, error) {
	c = c.cleaned()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("draw certificate: %w", err)
	}
	room, err := d.workspace()
	if err != nil {
		return nil, fmt.Errorf("draw certificate: %w", err)
	}
	drawing := &drawing{
		page:        page{pdf: document(c), outlines: &d.outlines, shapes: room.shapes[:0]},
		typesetter:  room.typesetter,
		certificate: c,
	}
	if err := drawing.all(); err != nil {
		return nil, fmt.Errorf("draw certificate: %w", err)
	}
	room.shapes = drawing.shapes
	if err := drawing.finish(room.typesetter.width, room.compress); err != nil {
		return nil, fmt.Errorf("draw certificate: %w", err)
	}
	var out bytes.Buffer
	if err := drawing.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("draw certificate: write PDF: %w", err)
	}
	d.workspaces.Put(room) // what a failed drawing may have left in its own, the next one need not find
	return out.Bytes(), nil
}

func (d *Drawer) workspace() (*workspace, error) {
	if w, ok := d.workspaces.Get().(*workspace); ok {
		return w, nil
	}
	return newWorkspace(d.fonts)
}

// document opens the PDF with everything in it that would otherwise be the clock's or chance's.
func document(c Certificate) *fpdf.Fpdf {
	pdf := fpdf.New("L", "pt", "A4", "")
	pdf.SetCompression(false) // what is large comes compressed, see finish
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(c.CompletedAt)
	pdf.SetModificationDate(c.CompletedAt)
	pdf.SetProducer("Countersign", false)
	pdf.SetCreator("Countersign", false)
	pdf.SetTitle(c.phrases().title+": "+c.LearnerName+", "+c.CourseTitle, true)
	pdf.SetSubject(c.Number, true)
	pdf.SetAuthor(c.Issuer, true)
	pdf.SetLang("en")
	pdf.SetMargins(0, 0, 0)
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddPage()
	return pdf
}

// drawing is one certificate in the making.
type drawing struct {
	page
	*typesetter
	certificate Certificate
}

const middle = pageWidth / 2

// all draws the page from top to bottom.
func (d *drawing) all() error {
	c, say := d.certificate, d.certificate.phrases()
	if !c.Report { // it must not look like one from afar either
		d.frame(24, 2.2, blue)
		d.frame(31, 0.6, gold)
	}
	d.rule(middle, 112, 64, 1.2, gold)
	d.rule(middle, 300, 380, 0.6, gold)

	for _, t := range []struct {
		field, text         string
		weight              weight
		size                float64
		top, bottom, margin float64
		color               color
	}{
		{"issuer", c.Issuer, bold, 15, 66, 104, 110, blue},
		{"title", say.title, bold, 36, 120, 172, 60, blue},
		{"sentence", say.opening, regular, 13, 180, 202, 60, gray},
		{"learner name", c.LearnerName, regular, 44, 206, 296, 80, ink},
		{"sentence", say.closing, regular, 13, 306, 328, 60, gray},
		{"course title", c.CourseTitle, bold, 24, 330, 390, 80, blue},
		{"course code", c.shownCode(), regular, 11, 390, 408, 110, gray},
		{"sentence", "on " + c.date(), regular, 14, 410, 432, 60, ink},
		{"score", c.score(), regular, 12, 432, 454, 110, gray},
		{"note", say.note, bold, 11, 454, 476, 64, ink},
		{"fingerprint", string(c.Fingerprint), regular, 6.5, 545, 557, 60, gray},
	} {
		if t.text == "" {
			continue
		}
		p, err := d.shape(t.field, t.text, t.weight)
		if err != nil {
			return err
		}
		d.lines(d.fit(p, pageWidth-2*t.margin, t.bottom-t.top, t.size), middle, t.top, t.bottom, t.color)
	}
	if err := d.particulars(); err != nil {
		return err
	}
	if c.VerifyURL == "" || c.Report {
		return nil
	}
	return d.verification()
}

// particulars draws what an auditor copies off the page, in columns at its foot.
func (d *drawing) particulars() error {
	c := d.certificate
	x := 64.0
	for _, column := range []struct {
		label, text string
		width       float64
	}{
		{c.phrases().number, c.Number, 170},
		{"Issued for", c.shownTenant(), 150},
		{"Training record", c.RecordID, 140},
		{"Valid until", c.validUntil(), 110},
	} {
		if column.text == "" {
			continue
		}
		label, err := d.shape("label", column.label, regular)
		if err != nil {
			return err
		}
		text, err := d.shape(column.label, column.text, regular)
		if err != nil {
			return err
		}
		small := d.fit(label, column.width, 12, 8)
		d.line(small, small.lines[0], x, 492, left, gray)
		value := d.fit(text, column.width-12, 30, 10.5)
		for i, line := range value.lines {
			d.line(value, line, x, 507+float64(i)*value.size*leading, left, ink)
		}
		x += column.width
	}
	return nil
}

// verification draws the QR code, 39 mm with its quiet zone: 31 mm of code for a usual address.
func (d *drawing) verification() error {
	const side, x, y = 110.0, 684.0, 418.0
	if err := d.qrCode(d.certificate.VerifyURL, x, y, side); err != nil {
		return err
	}
	caption, err := d.shape("label", "Scan to verify", regular)
	if err != nil {
		return err
	}
	d.lines(d.fit(caption, side, 12, 8), x+side/2, y+side, y+side+12, gray)
	return nil
}
