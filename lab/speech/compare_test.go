package speech

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Speech that was softened, made noisy and delayed is found where it is; what was left out is not.
func TestCompare(t *testing.T) {
	said, err := Say(British, Physician)
	if err != nil {
		t.Skip(err)
	}
	said = said[:8*Rate]
	const late = 187 * time.Millisecond
	random := rand.New(rand.NewPCG(1, 2))
	heard := make([]int16, len(said)+Rate)
	gone := [2]int{4 * Rate, 5 * Rate} // samples of what was said
	for i := range heard {
		heard[i] = int16(100 * random.NormFloat64())
		if from := i - int(late*Rate/time.Second); from >= 0 && from < len(said) && (from < gone[0] || from >= gone[1]) {
			heard[i] += said[from] / 3
		}
	}
	begun := time.Unix(1000, 0)
	all := Compare(Sound{begun, said}, Sound{begun.Add(-50 * time.Millisecond), heard}) // heard begins earlier: all is 50 ms less late
	if len(all) < 30 {
		t.Fatalf("%d pieces in eight seconds", len(all))
	}
	missed := 0
	for _, h := range all {
		from := int(h.At.Sub(begun) * Rate / time.Second)
		switch whole := from+int(Piece*Rate/time.Second) <= gone[0] || from >= gone[1]; {
		case !whole:
			if !h.Understood() {
				missed++
			}
		case !h.Understood():
			t.Errorf("at %v: not found (%.2f)", h.At.Sub(begun), h.Like)
		case (h.Delay - (late - 50*time.Millisecond)).Abs() > time.Millisecond:
			t.Errorf("at %v: %v late, want %v", h.At.Sub(begun), h.Delay, late-50*time.Millisecond)
		}
	}
	if missed < 4 {
		t.Errorf("of a second that was left out, %d pieces are missed", missed)
	}
}

func TestOtherSpeechIsNotHeard(t *testing.T) {
	said, err := Say(British, Physician)
	if err != nil {
		t.Skip(err)
	}
	other, err := Say(British, Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range Compare(Sound{PCM: said[:4*Rate]}, Sound{PCM: other}) {
		if h.Understood() {
			t.Errorf("at %v: taken for the same (%.2f)", h.At.Sub(time.Time{}), h.Like)
		}
	}
}
