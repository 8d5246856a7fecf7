// Command copyright says whose work a program contains, and under which licences: everything that the program itself names as
// compiled in, and the C libraries that it opens. It fails on a module without a licence, or with one that it does not know,
// so that no package is made whose list has a hole.
//
//	go run ./packaging/copyright PROGRAM FOLDER    writes FOLDER/copyright, the list, and FOLDER/licences.txt, the texts
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./packaging/copyright PROGRAM FOLDER")
		os.Exit(2)
	}
	program, folder := os.Args[1], os.Args[2]
	works, err := worksIn(program)
	if err == nil {
		err = write(folder, filepath.Base(program), works)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "copyright:", err)
		os.Exit(1)
	}
}

func write(folder, program string, works []work) error {
	if err := os.WriteFile(filepath.Join(folder, "copyright"), list(program, works), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "licences.txt"), texts(works), 0o644)
}
