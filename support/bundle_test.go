package support

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func text(s string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(s), nil }
}

// open is what is in a bundle, by name.
func open(t *testing.T, b *Bundle) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b.Zip), int64(len(b.Zip)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(got)
	}
	return all
}

func TestScrub(t *testing.T) {
	clean := newScrub([]string{"hunter22", "hunter22 and more", "a/b+c", "abc"})
	for in, want := range map[string]string{
		"the password is hunter22.":                             "the password is [removed].",
		"hunter22 and more":                                     "[removed]",
		"https://x/?q=a%2Fb%2Bc":                                "https://x/?q=[removed]",
		"abc is too short to be one":                            "abc is too short to be one",
		"Authorization: Bearer eyJhbGciOi.x-y":                  "Authorization: Bearer [removed]",
		`{"token": "s3cr3t", "kind": "video"}`:                  `{"token": "[removed]", "kind": "video"}`,
		"POST https://host/w?access_token=zzz&room=mri-2":       "POST https://host/w?access_token=[removed]&room=mri-2",
		"signin/once?code=12345678":                             "signin/once?code=[removed]",
		"dial http://ada:pw1@proxy.example.org:3128: refused":   "dial http://[removed]@proxy.example.org:3128: refused",
		"turn:ada:pw@turn.example.org":                          "turn:[removed]@turn.example.org",
		"token_file: /etc/scanside/secrets/whip":                "token_file: /etc/scanside/secrets/whip",
		"Cookie: session=abcdef":                                "Cookie: [removed]",
		"the exit code: 1 of 3, 12:30:05, a@b, udp:192.0.2.1:5": "the exit code: 1 of 3, 12:30:05, a@b, udp:192.0.2.1:5",
	} {
		if got := string(clean.text([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestBundle(t *testing.T) {
	b, err := Make(t.Context(), time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC), "box.zip", []Piece{
		{Name: "a.txt", What: "the first", Text: text("hello, hunter22")},
		{Name: "b.log", What: "a long one", Most: 10, Text: text("0123456789newest ten")},
		{Name: "c.txt", What: "a broken one", Text: func(context.Context) ([]byte, error) { return nil, errors.New("may not: token=zzz") }},
		{Name: "d.txt", What: "an empty one", Text: text("")},
	}, []string{"hunter22"})
	if err != nil {
		t.Fatal(err)
	}
	in := open(t, b)
	if in["a.txt"] != "hello, [removed]" || in["b.log"] != "newest ten" || len(in) != 3 {
		t.Errorf("in it: %q", in)
	}
	for i, note := range []string{"", "its first 10 bytes are left out", "could not be read: may not: token=[removed]", "is empty"} {
		if b.Contents[i].Note != note {
			t.Errorf("%s: %q, want %q", b.Contents[i].Name, b.Contents[i].Note, note)
		}
		if b.Contents[i].Bytes != len(in[b.Contents[i].Name]) {
			t.Errorf("%s: listed with %d bytes, %d are packed", b.Contents[i].Name, b.Contents[i].Bytes, len(in[b.Contents[i].Name]))
		}
	}
	if !strings.Contains(in["CONTENTS.txt"], "a broken one (could not be read") {
		t.Errorf("the list: %s", in["CONTENTS.txt"])
	}
}

// However much there is, a bundle stays small.
func TestBundleIsBounded(t *testing.T) {
	var pieces []Piece
	long := strings.Repeat("a line that says something\n", 60_000) // 1.6 MB
	for range 11 {
		pieces = append(pieces, Piece{Name: "x", What: "x", Text: text(long)})
	}
	b, err := Make(t.Context(), time.Now(), "box.zip", pieces, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum, full := 0, 0
	for _, c := range b.Contents {
		sum += c.Bytes
		if c.Note == "left out: the bundle is full" {
			full++
		}
	}
	if sum > Most || full != 3 || b.Bytes > Most {
		t.Errorf("%d bytes, %d left out, zip of %d", sum, full, b.Bytes)
	}
}
