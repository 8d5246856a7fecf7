package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Image is a disk that boots: a kernel, its initial ram disk and a root file system. It is never written to.
type Image struct {
	Dir string
}

func (i Image) kernel() string { return filepath.Join(i.Dir, "vmlinuz") }
func (i Image) initrd() string { return filepath.Join(i.Dir, "initrd") }
func (i Image) root() string   { return filepath.Join(i.Dir, "root.img") }

// cacheDir is where images are kept between runs.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for the image: %w (set XDG_CACHE_HOME)", err)
	}
	return filepath.Join(base, "scanside", "vm"), nil
}

// OpenImage returns the recipe's image, and builds it first if it is not there: one to two minutes, and about 250 MB from
// the Debian mirrors of this machine. Of several processes that call it at once, one builds and the others wait.
// progress is told what goes on.
func OpenImage(ctx context.Context, progress io.Writer) (Image, error) {
	cache, err := cacheDir()
	if err != nil {
		return Image{}, err
	}
	hash, err := recipeHash()
	if err != nil {
		return Image{}, fmt.Errorf("reading the recipe: %w", err)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Image{}, fmt.Errorf("making the image's folder: %w", err)
	}
	unlock, err := lockFile(filepath.Join(cache, "lock"))
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	image := Image{Dir: filepath.Join(cache, hash)}
	if _, err := os.Stat(image.root()); err == nil {
		return image, nil
	}
	building := image.Dir + ".building"
	defer os.RemoveAll(building)
	began := time.Now()
	fmt.Fprintf(progress, "building the guest's disk in %s (once for each recipe) …\n", image.Dir)
	if err := buildImage(ctx, building); err != nil {
		return Image{}, fmt.Errorf("building the guest's disk: %w", err)
	}
	if err := os.Rename(building, image.Dir); err != nil {
		return Image{}, fmt.Errorf("putting the guest's disk in its place: %w", err)
	}
	fmt.Fprintf(progress, "built in %.0f s\n", time.Since(began).Seconds())
	return image, dropOtherImages(cache, hash)
}

// lockFile takes an exclusive lock that ends with the returned function, or with the process.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the image's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("waiting for another process that builds the image: %w", err)
	}
	return func() { f.Close() }, nil
}

// dropOtherImages forgets the images of older recipes: each is about 600 MB.
func dropOtherImages(cache, keep string) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != keep {
			if err := os.RemoveAll(filepath.Join(cache, e.Name())); err != nil {
				return fmt.Errorf("removing an older image: %w", err)
			}
		}
	}
	return nil
}

// Shell commands on the guest's root, "$1".
const (
	// Only what is needed to find the disk: a full initial ram disk takes the emulated processor 20 s to unpack.
	smallInitrd = `mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=lz4\n' > "$1/etc/initramfs-tools/conf.d/lab"
printf 'virtio_pci\nvirtio_blk\next4\n' > "$1/etc/initramfs-tools/modules"`

	// When all is installed: no traces of the machine it was built on, nothing that runs by itself in the background, and
	// the three files of an Image in "$2".
	settle = `set -eu
rm -f "$1/etc/resolv.conf" "$1/etc/machine-id" "$1"/etc/apt/sources.list.d/* "$1/etc/apt/sources.list"
: > "$1/etc/machine-id"
mkdir -p "$1/lab"
systemctl --quiet --root="$1" enable systemd-networkd
systemctl --quiet --root="$1" mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer systemd-pstore.service getty@tty1.service serial-getty@ttyS0.service \
  systemd-networkd-wait-online.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
cp "$1"/boot/vmlinuz-* "$2/vmlinuz"
cp "$1"/boot/initrd.img-* "$2/initrd"
mke2fs -q -t ext4 -O ^has_journal -L scanroom -d "$1" "$2/root.img" 2G`
)

func buildImage(ctx context.Context, dir string) error {
	if err := needTools("mmdebstrap", "mke2fs"); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	packages, err := recipePackages()
	if err != nil {
		return err
	}
	sources, err := debianSources(ctx)
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	cmd := exec.CommandContext(ctx, "nice", "mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory",
		"--include="+strings.Join(packages, ","),
		"--aptopt=APT::Install-Recommends false", `--aptopt=Acquire::Languages "none"`,
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*",
		"--essential-hook="+smallInitrd,
		suite, tree, "-")
	cmd.Stdin = strings.NewReader(strings.Join(sources, "\n") + "\n")
	if err := runQuietly(cmd); err != nil {
		return err
	}
	if err := writeRecipeRoot(tree); err != nil {
		return err
	}
	if err := runQuietly(exec.CommandContext(ctx, "nice", "sh", "-c", settle, "settle", tree, dir)); err != nil {
		return err
	}
	return os.RemoveAll(tree)
}

// runQuietly runs a command and shows what it said only if it failed. It is stopped softly, so that it can unmount what
// it mounted.
func runQuietly(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Args[1], err, lastLines(said.String(), 20))
	}
	return nil
}

// debianSources asks this machine's own apt where it takes the guest's Debian release from, so that no mirror is written
// down anywhere.
func debianSources(ctx context.Context) ([]string, error) {
	// What is configured, not what was downloaded: apt-get update may never have run here.
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--no-release-info", "--format", "$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)").Output()
	if err != nil {
		return nil, fmt.Errorf("asking apt for its Debian mirror: %w", err)
	}
	return sourcesFrom(string(out))
}

// sourcesFrom reads lines "Packages RELEASE COMPONENT URI" and returns apt's one-line sources of the guest's release.
func sourcesFrom(targets string) ([]string, error) {
	var sources []string
	found := false
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != "Packages" || f[2] != "main" {
			continue
		}
		if f[1] != suite && !strings.HasPrefix(f[1], suite+"-") {
			continue
		}
		source := fmt.Sprintf("deb %s %s main", f[3], f[1])
		if !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
		found = found || f[1] == suite
	}
	if !found {
		return nil, fmt.Errorf("this machine's apt has no source for Debian %s main: add one under /etc/apt/sources.list.d and run apt-get update", suite)
	}
	return sources, nil
}

// needTools says at once which programs are missing, and from which Debian package they come.
func needTools(names ...string) error {
	packages := map[string]string{"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "qemu-system-x86_64": "qemu-system-x86", "chromium": "chromium"}
	var missing []string
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, fmt.Sprintf("%s is missing (apt-get install --no-install-recommends %s)", name, packages[name]))
		}
	}
	if missing != nil {
		return errors.New(strings.Join(missing, "; "))
	}
	return nil
}

// lastLines returns the end of a program's output, where it says what went wrong.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
