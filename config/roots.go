package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var (
	errNoHome   = errors.New("begins with ~ but $HOME is not set")
	errUserHome = errors.New("only ~/ stands for a home directory; write the other one in full")
	errRelative = errors.New("must be a whole path that begins with / or ~/")
	errVariable = errors.New("variables are not replaced; write a whole path that begins with / or ~/")
	errTooWide  = errors.New("must be a directory of its own, not the home directory or /")
)

// path returns an absolute path.
func (v value) path() (string, error) {
	s, err := v.text()
	switch {
	case err != nil:
		return "", err
	case s == "~" || strings.HasPrefix(s, "~/"):
		if !filepath.IsAbs(v.source.home) {
			return "", errNoHome
		}
		return filepath.Join(v.source.home, s[1:]), nil
	case s[0] == '~':
		return "", errUserHome
	case s[0] == '$':
		return "", errVariable
	case !filepath.IsAbs(s):
		return "", errRelative
	}
	return filepath.Clean(s), nil
}

// root returns the path of an account's root.
func (v value) root() (string, error) {
	p, err := v.path()
	if err == nil && (p == "/" || p == filepath.Clean(v.source.home)) {
		err = errTooWide
	}
	return p, err
}

// root is a directory that belongs to one owner alone.
type root struct {
	key  []string
	path string
	// whole is path without symbolic links, as far as it exists.
	whole string
	// self and above are the directory and those that it lies in, as far as
	// they exist. They show what names do not: bind mounts, and file systems
	// that do not tell upper from lower case.
	self  os.FileInfo
	above []os.FileInfo
}

// roots reports directories that contain one another: what one owner creates
// there, another would take for a change of its own.
func (b *builder) roots() {
	if !b.source.files {
		return
	}
	var roots []root
	add := func(dir string, key []string) {
		if dir == "" {
			return // reported already
		}
		r, err := newRoot(dir, key)
		if err != nil {
			b.problem(fmt.Sprintf("look at %q: %s", dir, plain(err)), key...)
			return
		}
		for _, other := range roots {
			if text := overlap(r, other); text != "" {
				b.problem(text, key...)
			}
		}
		roots = append(roots, r)
	}
	add(b.config.StateDir, []string{"state_dir"})
	for _, a := range b.config.Accounts {
		add(a.Maildir, []string{"account", a.Name, "maildir"})
	}
}

// overlap says how two roots share files, "" when they do not.
func overlap(r, other root) string {
	how := ""
	switch in, out := r.isWithin(other), other.isWithin(r); {
	case in && out:
		how = "is the same directory as"
	case in:
		how = "lies inside of"
	case out:
		how = "contains"
	default:
		return ""
	}
	return fmt.Sprintf("%q %s %q of %s; give each a directory of its own", r.path, how, other.path, path(other.key...))
}

func newRoot(dir string, key []string) (root, error) {
	r := root{key: key, path: dir}
	var err error
	if r.whole, err = resolve(dir, linksMax); err != nil {
		return root{}, err
	}
	for at := r.whole; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err != nil:
		case at == r.whole:
			r.self = info
		default:
			r.above = append(r.above, info)
		}
		if at == filepath.Dir(at) {
			return r, nil
		}
	}
}

// isWithin reports whether r is other or lies below it.
func (r root) isWithin(other root) bool {
	if r.whole == other.whole || strings.HasPrefix(r.whole, strings.TrimSuffix(other.whole, "/")+"/") {
		return true
	}
	if other.self == nil {
		return false
	}
	for _, info := range append(r.above, r.self) {
		if info != nil && os.SameFile(info, other.self) {
			return true
		}
	}
	return false
}

// linksMax bounds how many links to nothing are followed.
const linksMax = 40

var errLinks = errors.New("too many symbolic links")

// resolve returns the path without symbolic links. What does not exist yet
// stays as it is.
func resolve(dir string, links int) (string, error) {
	whole, err := filepath.EvalSymlinks(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return whole, err
	}
	if links == 0 {
		return "", errLinks
	}
	parent, err := resolve(filepath.Dir(dir), links)
	if err != nil {
		return "", err
	}
	dir = filepath.Join(parent, filepath.Base(dir))
	target, err := os.Readlink(dir)
	if err != nil {
		return dir, nil //nolint:nilerr // it is no link, it merely does not exist
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(parent, target)
	}
	return resolve(target, links-1)
}
