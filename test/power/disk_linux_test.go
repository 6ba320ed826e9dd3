package power

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystem is a kind of file system and the programs that it needs.
type fileSystem struct {
	name string
	// size is that of an image, in bytes. Images are sparse.
	size int64
	make []string
	// options keep the kernel from committing the journal by itself.
	options string
	// check examines an image that is not mounted, and changes nothing.
	check []string
	// from is the Debian package of the programs.
	from string
}

func fileSystems() []fileSystem {
	return []fileSystem{{
		name: "ext4", size: 32 << 20, options: "commit=300", from: "e2fsprogs",
		make:  []string{"mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"},
		check: []string{"e2fsck", "-f", "-n"},
	}, {
		name: "xfs", size: 300 << 20, options: "defaults", from: "xfsprogs",
		make:  []string{"mkfs.xfs", "-q", "-f"},
		check: []string{"xfs_repair", "-n"},
	}, {
		name: "btrfs", size: 128 << 20, options: "commit=300", from: "btrfs-progs",
		make:  []string{"mkfs.btrfs", "-q", "-f"},
		check: []string{"btrfs", "check", "--readonly"},
	}}
}

// disk is an image that is mounted at a directory.
type disk struct {
	fileSystem
	image, dir string
	// device is the loop device, such as "loop0", while it is mounted.
	device string
}

// newDisk makes an empty disk, which is not mounted yet.
func newDisk(fs fileSystem, image, dir string) (*disk, error) {
	d := &disk{fileSystem: fs, image: image, dir: dir}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(image, nil, 0o600), os.Truncate(image, fs.size)); err != nil {
		return nil, err
	}
	if err := run(append(fs.make, image)...); err != nil {
		return nil, err
	}
	// Tools write zeros where nothing need be.
	dense := image + ".dense"
	if err := errors.Join(os.Rename(image, dense), copyImage(dense, image), os.Remove(dense)); err != nil {
		return nil, err
	}
	if err := d.mount(); err != nil {
		return nil, err
	}
	err := os.Remove(filepath.Join(dir, "lost+found"))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return d, errors.Join(err, os.Chmod(dir, 0o700), d.unmount())
}

// run runs a command that must succeed.
func run(command ...string) error {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

func (d *disk) mount() error {
	if err := run("mount", "-t", d.name, "-o", "loop,"+d.options, d.image, d.dir); err != nil {
		return err
	}
	source, err := exec.Command("findmnt", "-n", "-o", "SOURCE", "-M", d.dir).Output()
	d.device = filepath.Base(strings.TrimSpace(string(source)))
	if err == nil && !strings.HasPrefix(d.device, "loop") {
		err = fmt.Errorf("%s is mounted from %q", d.dir, source)
	}
	return err
}

func (d *disk) unmount() error {
	d.device = ""
	return unix.Unmount(d.dir, 0)
}

// written says how much the device has been written to so far, and what is still
// on the way to it.
func (d *disk) written() (done, underWay string, err error) {
	text, err := os.ReadFile(filepath.Join("/sys/block", d.device, "stat"))
	if err != nil {
		return "", "", err
	}
	// Documentation/block/stat.rst of the kernel.
	fields := strings.Fields(string(text))
	if len(fields) < 15 {
		return "", "", fmt.Errorf("the statistics of %s are %q", d.device, text)
	}
	return strings.Join([]string{fields[4], fields[6], fields[11], fields[13]}, " "), fields[8], nil
}

// copiesMax is how often copies are made until nothing was written meanwhile.
const copiesMax = 1000

// copyDisks copies the images of mounted disks to the paths, all at one instant:
// nothing was written to any of them meanwhile.
func copyDisks(disks []*disk, to []string) error {
	state := func() (string, bool, error) {
		var all []string
		still := true
		for _, d := range disks {
			done, underWay, err := d.written()
			if err != nil {
				return "", false, err
			}
			all, still = append(all, done), still && underWay == "0"
		}
		return strings.Join(all, "; "), still, nil
	}
	for range copiesMax {
		before, still, err := state()
		if err != nil {
			return err
		}
		for i, d := range disks {
			if err := copyImage(d.image, to[i]); err != nil {
				return err
			}
		}
		after, stillNow, err := state()
		if err != nil {
			return err
		}
		if still && stillNow && before == after {
			return nil
		}
	}
	return fmt.Errorf("the disks were written to all the time while %d copies were made", copiesMax)
}

const blockBytes = 4096

// copyImage copies a sparse file; what holds only zeros becomes a hole.
func copyImage(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := out.Truncate(info.Size()); err != nil {
		return err
	}
	zero, buffer := make([]byte, blockBytes), make([]byte, 64*blockBytes)
	fd := int(source.Fd())
	for at := int64(0); at < info.Size(); {
		data, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // only a hole is left
		}
		if err != nil {
			return err
		}
		hole, err := unix.Seek(fd, data, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		for at = data; at < hole; {
			n, err := source.ReadAt(buffer[:min(int64(len(buffer)), hole-at)], at)
			if err != nil && !errors.Is(err, io.EOF) || n == 0 {
				return errors.Join(err, io.ErrUnexpectedEOF)
			}
			for i := 0; i < n; i += blockBytes {
				block := buffer[i:min(i+blockBytes, n)]
				if bytes.Equal(block, zero[:len(block)]) {
					continue
				}
				if _, err := out.WriteAt(block, at+int64(i)); err != nil {
					return err
				}
			}
			at += int64(n)
		}
	}
	return nil
}

// examine reports what the file system's own check finds wrong with an image
// that is not mounted; one whose journal waits to be replayed is not in order.
func (fs fileSystem) examine(image string) error { return run(append(fs.check, image)...) }
