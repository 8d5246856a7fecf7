package support

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"time"
)

const (
	// Most is how large a bundle is before it is packed, in bytes: it can be sent by mail when packed.
	Most = 8 << 20

	// pieceMost is how large a piece may be that does not say.
	pieceMost = 1 << 20

	// seam is what is cleaned beyond a cut, so that no secret is cut in half and left: longer than any secret.
	seam = 16 << 10
)

// Piece is one file of a bundle.
type Piece struct {
	Name string // its path in the zip
	What string // what it is, for people
	Most int    // bytes; 0: a MiB
	Text func(ctx context.Context) ([]byte, error)
}

// Content is one line of the list.
type Content struct {
	Name  string `json:"name"`
	What  string `json:"what"`
	Bytes int    `json:"bytes"` // as packed into the zip, before compression; 0: it is not in it
	Note  string `json:"note"`  // what is missing, and why; "": it is whole
}

// Bundle is what was made.
type Bundle struct {
	ID       string    `json:"id"` // by which it is fetched
	Made     time.Time `json:"made"`
	Name     string    `json:"name"`  // a file name
	Bytes    int       `json:"bytes"` // of the zip
	Contents []Content `json:"contents"`

	Zip []byte `json:"-"`
}

// Make collects the pieces in their order. Secrets are what must not be in it.
func Make(ctx context.Context, now time.Time, name string, pieces []Piece, secrets []string) (*Bundle, error) {
	b := &Bundle{Made: now, Name: name, Contents: []Content{}}
	clean := newScrub(secrets)
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	left := Most
	add := func(name string, text []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	for _, p := range pieces {
		c := Content{Name: p.Name, What: p.What}
		text, err := p.Text(ctx)
		most := p.Most
		if most == 0 {
			most = pieceMost
		}
		whole := len(text)
		text = text[max(0, whole-most-seam):]
		short := whole - len(text) // left out already
		text = clean.text(text)
		switch {
		case err != nil:
			c.Note = string(clean.text([]byte("could not be read: " + err.Error())))
		case len(text) == 0:
			c.Note = "is empty"
		case min(len(text), most) > left:
			c.Note = "left out: the bundle is full"
		default:
			if over := len(text) - most; over > 0 || short > 0 {
				text = text[max(over, 0):]
				c.Note = fmt.Sprintf("its first %d bytes are left out", short+max(over, 0))
			}
			c.Bytes = len(text)
			left -= len(text)
			if err := add(p.Name, text); err != nil {
				return nil, fmt.Errorf("pack %s: %w", p.Name, err)
			}
		}
		b.Contents = append(b.Contents, c)
	}
	if err := add("CONTENTS.txt", b.list()); err != nil {
		return nil, fmt.Errorf("pack the list: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	b.Zip, b.Bytes = packed.Bytes(), packed.Len()
	return b, nil
}

// list is the bundle's own table of contents.
func (b *Bundle) list() []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s, made %s\n\nPasswords, tokens and keys were taken out. No sound, no pictures and no patients' names are ever kept by the box.\n\n", b.Name, b.Made.Format(time.RFC3339))
	for _, c := range b.Contents {
		fmt.Fprintf(&text, "%9d  %-28s %s", c.Bytes, c.Name, c.What)
		if c.Note != "" {
			fmt.Fprintf(&text, " (%s)", c.Note)
		}
		text.WriteByte('\n')
	}
	return text.Bytes()
}
