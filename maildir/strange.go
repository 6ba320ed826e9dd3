package maildir

import (
	"regexp"
	"strings"
)

// nameKind says what the name of an entry of new/ or cur/ makes of it.
type nameKind uint8

const (
	// nameMessage is a message's, as far as its key can be one.
	nameMessage nameKind = iota
	// nameControl belongs to a server, a file manager or the file system. It holds no
	// mail, and there is nothing to say about it.
	nameControl
	// nameLeftover is what an editor or a file synchroniser left beside the file that
	// it worked on.
	nameLeftover
	// nameOdd is none that a reader gives to a message or finds again.
	nameOdd
)

var (
	// controlNames are those of other programs' own files:
	// NFS and FUSE, for files that are removed while somebody has them open
	// (nfs(5); libfuse, option hard_remove); Dovecot; and file managers.
	controlNames = regexp.MustCompile(`^(` +
		`\.nfs[0-9a-f]{8,}|\.fuse_hidden[0-9a-f]{8,}|` +
		`dovecot[-.][^:!;]*|\.dovecot[^:!;]*|` +
		`\.DS_Store|\._.*|\.directory|\.localized|Thumbs\.db|desktop\.ini|` +
		`\.keep|\.gitkeep|\.placeholder` +
		`)$`)
	// leftoverNames are those of Emacs (backups "x~" and "x.~1~", auto-saves "#x#",
	// locks ".#x"), vim (".x.swp"), LibreOffice (".~lock.x#"), Syncthing
	// ("x.sync-conflict-20240101-120000-ABCDEFG", ".syncthing.x.tmp"), Dropbox and
	// Nextcloud ("x (conflicted copy ...)").
	leftoverNames = regexp.MustCompile(`^(#.*#|\.#.*|.+~|\..*\.sw[a-p]|\.~lock\..*#|[.~]syncthing[.~].*\.tmp)$` +
		`|\.sync-conflict-[0-9]{8}-|[( ]conflicted copy[ )]`)
)

// kindOfName judges an entry by its name.
func kindOfName(name string) nameKind {
	if strings.IndexByte(".#~dT", name[0]) < 0 && name[len(name)-1] != '~' && !strings.Contains(name, "conflict") {
		return nameMessage // as nearly all are; expressions take their time
	}
	switch {
	case controlNames.MatchString(name):
		return nameControl
	case leftoverNames.MatchString(name):
		return nameLeftover
	case strings.HasPrefix(name, "."):
		return nameOdd
	}
	return nameMessage
}
