package failover

import "strconv"

// String writes seconds with all their digits and at least three decimals: 10.350, 0.000000001.
func (t Instant) String() string { return string(t.appendText(nil)) }

func (t Instant) appendText(b []byte) []byte {
	n := int64(t)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/1e9, 10)
	b = append(b, '.')
	digits := strconv.AppendInt(make([]byte, 0, 10), n%1e9+1e9, 10)[1:]
	keep := 9
	for keep > 3 && digits[keep-1] == '0' {
		keep--
	}
	return append(b, digits[:keep]...)
}
