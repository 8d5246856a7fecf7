package audit

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Export copies the log in dir into folder, which must not be there yet, in a form that Verify reads, with a table of it
// (records.csv) for people, and notes in dir up to where: what is in the copy may be deleted for room later. The log may be
// open meanwhile. A copy that does not verify is left in place, is not noted, and is an error.
func Export(dir, folder string) (Report, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return Report{}, fmt.Errorf("export the audit log: %w", err)
	}
	report, err := export(os.DirFS(dir), folder)
	if err != nil {
		return report, fmt.Errorf("export the audit log to %s: %w", folder, err)
	}
	if !report.OK() {
		return report, fmt.Errorf("the copy in %s does not verify: %s", folder, report.Problems[0])
	}
	return report, MarkExported(dir, report.Until)
}

func export(from fs.FS, folder string) (Report, error) {
	all, err := segments(from)
	if err != nil {
		return Report{}, err
	}
	// Checkpoints first: records may come meanwhile, and must not be missed by a checkpoint that was copied after them.
	names := []string{"checkpoints", "key.pub"}
	if len(all) > 0 && all[0].first > 0 {
		names = append(names, "hashes")
	}
	for _, s := range all {
		names = append(names, s.name)
	}
	for _, name := range names {
		if err := copyFile(from, name, folder); err != nil {
			return Report{}, err
		}
	}
	to := os.DirFS(folder)
	table, err := os.OpenFile(filepath.Join(folder, "records.csv"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Report{}, err
	}
	if err := errors.Join(WriteCSV(to, table), table.Sync(), table.Close()); err != nil {
		return Report{}, err
	}
	public, err := fs.ReadFile(to, "key.pub")
	if err != nil {
		return Report{}, err
	}
	return Verify(to, strings.TrimSpace(string(public)), "")
}

// copyFile copies whole lines: what is being written at this moment is left out.
func copyFile(from fs.FS, name, folder string) error {
	in, err := from.Open(name)
	if errors.Is(err, fs.ErrNotExist) && name == "checkpoints" {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if name == "hashes" {
		_, err = io.Copy(out, in)
	} else {
		err = copyLines(out, in)
	}
	return errors.Join(err, out.Sync(), out.Close())
}

func copyLines(out io.Writer, in io.Reader) error {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = out.Write(line)
		}
		if err != nil {
			return err
		}
	}
}

// WriteCSV writes the records of a log or an export as a table (RFC 4180), one line each; data stays JSON.
func WriteCSV(dir fs.FS, w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"number", "at", "up_ms", "kind", "data", "prev"}) // its error stays for Flush
	err := Each(dir, func(r *Record, _ []byte) error {
		return c.Write([]string{strconv.FormatInt(r.Number, 10), r.At.Format(time.RFC3339Nano), strconv.FormatInt(r.Up, 10), r.Kind, string(r.Data), r.Prev})
	})
	c.Flush()
	return errors.Join(err, c.Error())
}

// Each calls f for each record of a log or an export, oldest first, with its line. Lines that are no records are left out:
// Verify finds those.
func Each(dir fs.FS, f func(r *Record, line []byte) error) error {
	all, err := segments(dir)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := eachIn(dir, s.name, f); err != nil {
			return err
		}
	}
	return nil
}

func eachIn(dir fs.FS, name string, f func(r *Record, line []byte) error) error {
	file, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine+1)
	for lines.Scan() {
		r, err := parse(lines.Bytes())
		if err != nil {
			continue
		}
		if err := f(&r, lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}
