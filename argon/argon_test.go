package argon

import "testing"

// What reads well reads back as it was written, and nothing panics.
func FuzzParse(f *testing.F) {
	f.Add(Blank(Cost{32 << 10, 3, 1}).String())
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(text, 128<<10)
		if err == nil && h.String() != text {
			t.Errorf("%q reads as %q", text, h)
		}
	})
}
