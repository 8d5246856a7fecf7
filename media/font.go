package media

// glyphPath draws the test picture's characters as strokes. A path is one or more strokes; a stroke is points of two characters, x and y
// in base 36: x grows to the right from 0, y upwards; 0 is the foot of a g, 4 the base line, c the height of an x, g that of a
// capital. A stroke of one point twice is a dot. "~" makes a smooth curve through its points, "@" a smooth closed one. A function, so that
// there is no package-level table.
func glyphPath(r rune) string {
	const (
		rune0 = ' '
		bowl  = "@4c7b88754415081b"
	)
	paths := [...]string{
		' ' - rune0: "", '!' - rune0: "0g08 0404", '"' - rune0: "0g0d 3g3d", '#' - rune0: "242g 646g 0888 0c8c",
		'%' - rune0: "048g @2g4e2c0e @68866446", '\'' - rune0: "0g0d", '(' - rune0: "~3g1d0a1734", ')' - rune0: "~0g2d3a2704",
		'*' - rune0: "4e46 1c78 187c", '+' - rune0: "0a8a 464e", ',' - rune0: "1402", '-' - rune0: "0a6a", '.' - rune0: "0404",
		'/' - rune0: "046g", ':' - rune0: "0707 0d0d", ';' - rune0: "1d1d 1704", '<' - rune0: "7e0a76", '=' - rune0: "0888 0c8c",
		'>' - rune0: "0e7a06", '?' - rune0: "~0d1f4g7f8d6a48 4444", '[' - rune0: "3g0g0434", ']' - rune0: "0g3g3404", '_' - rune0: "0282",

		'0' - rune0: "@4g7e8a7644160a1e", '1' - rune0: "1d4g44", '2' - rune0: "~0d1f4g7f8d7a 7a0484",
		'3' - rune0: "~0e2g5g7f8d7b4a ~4a798775542406", '4' - rune0: "646g0888", '5' - rune0: "7g1g0a ~0a3b6b8876542405",
		'6' - rune0: "@4b7a87754415071a ~6g3e1b07", '7' - rune0: "0g8g34", '8' - rune0: "@4g6f7d6b4a2b1d2f @4a79877544150719",
		'9' - rune0: "@4g7f8d7a491a0d1f ~8d795624",

		'A' - rune0: "044g84 1878", 'B' - rune0: "040g4g 0a4a 0444 ~4g6f7d6b4a ~4a79877544", 'C' - rune0: "~8e6g3g1e0a16346486",
		'D' - rune0: "44040g4g ~4g7e8a7644", 'E' - rune0: "8g0g0484 0a6a", 'F' - rune0: "8g0g04 0a6a",
		'G' - rune0: "~8e6g3g1e0a16346486 868a5a", 'H' - rune0: "040g 848g 0a8a", 'I' - rune0: "040g", 'J' - rune0: "6g68 ~6855341507",
		'K' - rune0: "040g 8g08 3b84", 'L' - rune0: "0g0484", 'M' - rune0: "040g488g84", 'N' - rune0: "040g848g",
		'O' - rune0: "@4g7e8a7644160a1e", 'P' - rune0: "040g4g 0949 ~4g7f8c7a49", 'Q' - rune0: "@4g7e8a7644160a1e 5884",
		'R' - rune0: "040g4g 0949 ~4g7f8c7a49 4984", 'S' - rune0: "~8e6g3g1f0d1b4a798775542406", 'T' - rune0: "0g8g 4g44",
		'U' - rune0: "0g08 ~0815447588 888g", 'V' - rune0: "0g448g", 'W' - rune0: "0g244c648g", 'X' - rune0: "048g 0g84",
		'Y' - rune0: "0g4a8g 4a44", 'Z' - rune0: "0g8g0484",

		'a' - rune0: bowl + " 8c84", 'b' - rune0: bowl + " 0g04", 'c' - rune0: "~7b4c1b08154475", 'd' - rune0: bowl + " 8g84",
		'e' - rune0: "0888 ~887b4c1b08154475", 'f' - rune0: "~5g3g2e2c 2c24 0c4c", 'g' - rune0: bowl + " 8c82 ~82714011",
		'h' - rune0: "0g04 ~092b4c6b79 7974", 'i' - rune0: "0c04 0g0g", 'j' - rune0: "2c22 ~221100 2g2g", 'k' - rune0: "0g04 6c07 2964",
		'l' - rune0: "0g04", 'm' - rune0: "0c04 ~091b3c4b59 5954 ~596b8c9ba9 a9a4", 'n' - rune0: "0c04 ~092b4c6b79 7974", 'o' - rune0: bowl,
		'p' - rune0: bowl + " 0c00", 'q' - rune0: bowl + " 8c80", 'r' - rune0: "0c04 ~092b4c5c", 's' - rune0: "~6b3c1b193857653405",
		't' - rune0: "2g26 ~263454 0c5c", 'u' - rune0: "0c07 ~0715346577 7c74", 'v' - rune0: "0c448c", 'w' - rune0: "0c244b648c",
		'x' - rune0: "047c 0c74", 'y' - rune0: "0c44 8c20", 'z' - rune0: "0c7c0474",
	}
	if i := int(r) - rune0; i >= 0 && i < len(paths) && (paths[i] != "" || i == 0) {
		return paths[i]
	}
	return "040g8g8404" // a box for what we cannot write
}
