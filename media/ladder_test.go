package media

import (
	"fmt"
	"strings"
	"testing"
)

// Size goes before pace, pace ends at 15 and size at 360 lines; a step back up needs more than the step down left.
func TestLadder(t *testing.T) {
	hd, full, small := Shape{1280, 720, 30}, Shape{1920, 1080, 30}, Shape{640, 360, 15}
	for _, c := range []struct {
		story  string
		ladder Ladder
		full   Shape
		kbits  []int
		want   string
	}{
		{"the rate falls and rises", Ladder{Rate: 2_500_000}, hd, []int{2500, 1000, 800, 500, 400, 200, 150, 230, 300, 500, 600, 900, 1000},
			"720@30 720@30 540@30 540@30 360@30 360@15 360@15 360@15 360@30 360@30 540@30 540@30 720@30"},
		{"it goes to and fro about a threshold", Ladder{Rate: 2_500_000}, hd, []int{840, 820, 840, 990, 1010}, "720@30 540@30 540@30 540@30 720@30"},
		{"full size", Ladder{Rate: 4_000_000}, full, []int{4000, 1200, 500, 300, 140}, "1080@30 810@30 540@30 360@30 360@15"},
		{"small already", Ladder{Rate: 400_000}, small, []int{400, 100}, "360@15 360@15"},
		{"a small rate was asked for", Ladder{Rate: 800_000}, hd, []int{800, 300, 200}, "720@30 720@30 540@30"},
		{"25 a second are not halved", Ladder{Rate: 2_500_000}, Shape{1280, 720, 25}, []int{2500, 100}, "720@25 360@25"},
	} {
		var got []string
		for _, k := range c.kbits {
			s := c.ladder.Fit(c.full, k*1000)
			got = append(got, fmt.Sprintf("%d@%d", s.Height, s.FPS))
			if s.Width*c.full.Height-s.Height*c.full.Width > 2*c.full.Height || s.Width%2 != 0 {
				t.Errorf("%s: %v is not of the same form", c.story, s)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: at %v\n got %s\nwant %s", c.story, c.kbits, strings.Join(got, " "), c.want)
		}
	}
}
