package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Key describes one key of the configuration file.
type Key struct {
	// Name is the key within its table, "port" or "guard.final_count".
	Name string
	// Type says what the value looks like.
	Type string
	// Default says what holds without the key. It is empty for keys that must
	// be set or that add something.
	Default string
	// Meaning says what the key is for.
	Meaning string
	// Example is a line of TOML that sets the key to something else than its
	// default. It is empty for planned keys.
	Example string
	// Top is true for keys that stand only at the top of the file. All others
	// belong to an account, or to the top as the default for all accounts.
	Top bool
	// Required is true when no account can do without the key.
	Required bool
	// Planned is true for a key whose other values are not built yet.
	Planned bool

	field string   // the field of Config, Account or Guard that it sets
	also  []string // what other programs call it
	set   func(t target, v value) error
}

// target is what a key sets.
type target struct {
	config  *Config
	account *Account
}

// Keys returns every key there is, in the order in which a reference wants
// them.
func Keys() []Key {
	return slices.Concat(topKeys(), serverKeys(), loginKeys(), treeKeys(), mailKeys(), reachKeys(), guardKeys(), plannedKeys())
}

func topKeys() []Key {
	return []Key{{
		Name: "state_dir", Type: "path", Top: true,
		Default: "$XDG_STATE_HOME/mailmoor",
		Meaning: "Directory of what Mailmoor remembers, and of the files it removed. It must be on a local disk.",
		Example: `state_dir = "/var/lib/mailmoor"`,
		field:   "StateDir",
		set: func(t target, v value) (err error) {
			t.config.StateDir, err = v.path()
			return err
		},
	}, {
		Name: "log_level", Type: `"trace", "debug", "info", "warn" or "error"`, Top: true,
		Default: `"info"`,
		Meaning: "How much is said on stderr.",
		Example: `log_level = "debug"`,
		field:   "LogLevel", also: []string{"loglevel", "verbosity"},
		set: func(t target, v value) (err error) {
			t.config.LogLevel, err = choice(v, "trace", "debug", "info", "warn", "error")
			return err
		},
	}}
}

func serverKeys() []Key {
	return []Key{{
		Name: "host", Type: "text", Required: true,
		Meaning: "Name or address of the IMAP server, without a port.",
		Example: `host = "imap.example.org"`,
		field:   "Host", also: []string{"server", "hostname", "remotehost", "address"},
		set: func(t target, v value) (err error) {
			t.account.Host, err = v.host()
			return err
		},
	}, {
		Name: "port", Type: "number",
		Default: `993, or 143 unless tls is "implicit"`,
		Meaning: "TCP port of the IMAP server.",
		Example: `port = 10993`,
		field:   "Port", also: []string{"remoteport"},
		set: func(t target, v value) (err error) {
			t.account.Port, err = v.number(1, 65535)
			return err
		},
	}, {
		Name: "tls", Type: `"implicit", "starttls" or "none"`,
		Default: `"implicit"`,
		Meaning: "How the connection is protected. \"none\" is possible only to this machine itself.",
		Example: `tls = "starttls"`,
		field:   "TLS", also: []string{"ssl", "tls_type", "ssltype", "security", "encryption"},
		set: func(t target, v value) (err error) {
			t.account.TLS, err = choice(v, TLSImplicit, TLSStart, TLSNone)
			return err
		},
	}, {
		Name: "tls_ca", Type: "path",
		Meaning: "PEM file of the certificates to trust instead of the system's.",
		Example: `tls_ca = "~/.config/mailmoor/ca.pem"`,
		field:   "CAFile", also: []string{"certificatefile", "sslcacertfile", "ca", "cafile"},
		set: func(t target, v value) (err error) {
			if t.account.CAFile, err = v.path(); err == nil && v.source.files {
				_, err = t.account.RootCAs()
			}
			return err
		},
	}, {
		Name: "tls_pin", Type: "text or list of texts",
		Meaning: "The server must show one of these public keys: \"sha256:\" and the SHA-256 of the key in Base64. " +
			"No authority needs to vouch for it then.",
		Example: `tls_pin = "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="`,
		field:   "Pins", also: []string{"cert_fingerprint", "fingerprint"},
		set: func(t target, v value) (err error) {
			t.account.Pins, err = v.pins()
			return err
		},
	}, patienceKey()}
}

func loginKeys() []Key {
	return []Key{{
		Name: "user", Type: "text", Required: true,
		Meaning: "Name to log in with, often the whole address.",
		Example: `user = "me@example.org"`,
		field:   "User", also: []string{"username", "login", "remoteuser"},
		set: func(t target, v value) (err error) {
			t.account.User, err = v.text()
			return err
		},
	}, {
		Name: "auth", Type: `"plain" or "login"`,
		Default: "the best that the server offers",
		Meaning: "Way to log in: the mechanism PLAIN, or the mechanism or command LOGIN.",
		Example: `auth = "login"`,
		field:   "Auth", also: []string{"authmechs", "auth_mechanisms", "authmech"},
		set: func(t target, v value) (err error) {
			t.account.Auth, err = choice(v, AuthPlain, AuthLogin)
			return err
		},
	}, {
		Name: "password_command", Type: "text or list of texts",
		Meaning: "Command whose first line of output is the password. " +
			"A text is given to the shell, a list is run as it is. It has 30 seconds, at a terminal 90.",
		Example: `password_command = ["pass", "show", "mail/personal"]`,
		field:   "PasswordCommand",
		also:    []string{"passcmd", "passwordeval", "remotepasseval", "password_cmd", "pass_cmd"},
		set: func(t target, v value) (err error) {
			t.account.PasswordCommand, err = v.command()
			t.account.Password = Secret{}
			return err
		},
	}, {
		Name: "password", Type: "text",
		Meaning: "The password itself, only in a file that nobody else can read (mode 0600).",
		Example: `password = "correct horse"`,
		field:   "Password", also: []string{"pass", "passwd", "remotepass"},
		set: func(t target, v value) (err error) {
			t.account.Password, err = v.secret()
			t.account.PasswordCommand = nil
			return err
		},
	}}
}

func treeKeys() []Key {
	return []Key{{
		Name: "maildir", Type: "path", Required: true,
		Meaning: "Directory that holds the account's folders. No two accounts may share one.",
		Example: `maildir = "~/Mail/personal"`,
		field:   "Maildir", also: []string{"path", "root", "localfolders", "dir"},
		set: func(t target, v value) (err error) {
			t.account.Maildir, err = v.root()
			return err
		},
	}, {
		Name: "layout", Type: `"fs" or "maildir++"`, Default: `"fs"`,
		Meaning: "How folders are nested on the disk: \"fs\" makes Archive/2024, \"maildir++\" makes .Archive.2024, with INBOX " +
			"in the directory itself. It is fixed with the first run.",
		Example: `layout = "maildir++"`,
		field:   "Layout", also: []string{"subfolders", "folder_layout", "sep"},
		set: func(t target, v value) (err error) {
			t.account.Layout, err = choice(v, LayoutFS, LayoutMaildirPlus)
			return err
		},
	}, {
		Name: "info_separator", Type: `":", "!" or ";"`,
		Meaning: "What stands before the flags in the names of message files, such as the colon in 1700000000.x:2,S. All three are " +
			"read, and this one is written. Without the key it is that of the tree, a colon in a new one, or ! where the disk " +
			"takes no colon, as exFAT.",
		Example: `info_separator = "!"`,
		field:   "InfoSeparator", also: []string{"infodelimiter", "fielddelimiter", "maildir_windows_compatible", "maildir_field_delimiter"},
		set: func(t target, v value) (err error) {
			t.account.InfoSeparator, err = choice(v, SeparatorColon, SeparatorExclamation, SeparatorSemicolon)
			return err
		},
	}}
}

func mailKeys() []Key {
	return []Key{{
		Name: "mailboxes", Type: "list of texts", Default: `["*"]`,
		Meaning: "Patterns of the mailboxes to keep in step; the last one that fits decides. A leading ! leaves out, " +
			"* stands for anything, % for anything without /, ? for one character, / for the server's separator.",
		Example: `mailboxes = ["*", "!Spam", "!Lists/*"]`,
		field:   "Mailboxes", also: []string{"patterns", "pattern", "folders", "boxes", "folderfilter"},
		set: func(t target, v value) (err error) {
			t.account.Mailboxes, err = v.mailboxes()
			return err
		},
	}, {
		Name: "connections", Type: "number", Default: "4",
		Meaning: "Greatest number of connections to the server at a time, 1 to 10.",
		Example: `connections = 2`,
		field:   "Connections", also: []string{"maxconnections", "max_connections"},
		set: func(t target, v value) (err error) {
			t.account.Connections, err = v.number(1, 10)
			return err
		},
	}, {
		Name: "delete", Type: `"trash" or "expunge"`, Default: `"trash"`,
		Meaning: "What becomes of a message on the server that was deleted locally: " +
			"it moves to the server's Trash where there is one (see roles), or it is removed for good.",
		Example: `delete = "expunge"`,
		field:   "Delete", also: []string{"expunge"},
		set: func(t target, v value) (err error) {
			t.account.Delete, err = choice(v, DeleteTrash, DeleteExpunge)
			return err
		},
	}, {
		Name: "hold_days", Type: "number", Default: "30",
		Meaning: "Days for which removed files rest in the hold area, 1 to 3650.",
		Example: `hold_days = 90`,
		field:   "HoldDays",
		set: func(t target, v value) (err error) {
			t.account.HoldDays, err = v.number(1, 3650)
			return err
		},
	}}
}

// reachKeys say how far the program goes: which way, and to which messages.
func reachKeys() []Key {
	return []Key{{
		Name: "direction", Type: `"both", "pull" or "push"`, Default: `"both"`,
		Meaning: "Which side's changes travel: with \"pull\" only the server's, with \"push\" only those of the files. " +
			"Changes against the direction stay where they are; nothing undoes them.",
		Example: `direction = "pull"`,
		field:   "Direction", also: []string{"sync", "readonly"},
		set: func(t target, v value) (err error) {
			t.account.Direction, err = choice(v, DirectionBoth, DirectionPull, DirectionPush)
			return err
		},
	}, {
		Name: "max_size", Type: `text such as "20 MB"`,
		Meaning: "Larger messages stay on the server. Those that are on both sides already are kept.",
		Example: `max_size = "20 MB"`,
		field:   "MaxSize", also: []string{"maxsize", "size_max"},
		set: func(t target, v value) (err error) {
			t.account.MaxSize, err = v.size()
			return err
		},
	}, {
		Name: "max_age", Type: `text such as "90 days" or "2 years"`,
		Meaning: "Messages that the server received longer ago stay there. Those that are on both sides already are kept.",
		Example: `max_age = "2 years"`,
		field:   "MaxAgeDays", also: []string{"maxage", "age_max", "startdate"},
		set: func(t target, v value) (err error) {
			t.account.MaxAgeDays, err = v.days()
			return err
		},
	}, renameKey(), rolesKey()}
}

func rolesKey() Key {
	return Key{
		Name: "roles", Type: "table of texts",
		Meaning: "Mailboxes of a special use (archive, drafts, junk, sent, trash) that the server does not mark so (RFC 6154). " +
			"Without it a mailbox that is not marked is known by its name: Trash, Deleted Items, Papierkorb and so on.",
		Example: `roles = { trash = "Papierkorb" }`,
		field:   "Roles", also: []string{"special_use", "trashfolder", "trash", "specialuse"},
		set: func(t target, v value) (err error) {
			t.account.Roles, err = v.roles()
			return err
		},
	}
}

func renameKey() Key {
	return Key{
		Name: "rename", Type: "table of texts",
		Meaning: "Other names for the folders of mailboxes, by the mailbox's name or by its special use (RFC 6154). " +
			"Levels are separated by slashes on the right.",
		Example: `rename = { '\Sent' = "sent", "Lists.golang" = "lists/go" }`,
		field:   "Rename", also: []string{"nametrans", "map"},
		set: func(t target, v value) (err error) {
			t.account.Rename, err = v.names()
			return err
		},
	}
}

func guardKeys() []Key {
	return []Key{
		guardKey("reversible_count", "ReversibleCount", "100", countMax, func(g *Guard) *int { return &g.ReversibleCount },
			"Removals to Trash or the hold area wait for approval when more than this many messages of a mailbox "+
				"vanish at once, and more than reversible_percent of it."),
		guardKey("reversible_percent", "ReversiblePercent", "50", 100, func(g *Guard) *int { return &g.ReversiblePercent },
			"See guard.reversible_count."),
		guardKey("final_count", "FinalCount", "20", countMax, func(g *Guard) *int { return &g.FinalCount },
			"Removals for good wait for approval when more than this many messages of a mailbox vanish at once, "+
				"and more than final_percent of it."),
		guardKey("final_percent", "FinalPercent", "10", 100, func(g *Guard) *int { return &g.FinalPercent },
			"See guard.final_count."),
		guardKey("trash_count", "TrashCount", "500", countMax, func(g *Guard) *int { return &g.TrashCount },
			"Emptying Trash waits for approval when it held more than this many messages."),
	}
}

// countMax bounds the counts of the guard.
const countMax = 1_000_000

// guardKey returns a key of the table guard, a number from 0 to high.
func guardKey(name, field, byDefault string, high int, at func(*Guard) *int, meaning string) Key {
	return Key{
		Name: "guard." + name, Type: "number", Default: byDefault, Meaning: meaning,
		Example: "guard." + name + " = 7",
		field:   "Guard." + field,
		set: func(t target, v value) (err error) {
			*at(&t.account.Guard), err = v.number(0, high)
			return err
		},
	}
}

// plannedKeys are known but not built yet. What they will do is refused rather
// than ignored; their default may be written down.
func plannedKeys() []Key {
	planned := func(name, kind, byDefault, meaning string, later ...string) Key {
		return Key{
			Name: name, Type: kind, Meaning: meaning, Planned: true,
			Default: byDefault,
			set: func(_ target, v value) error {
				return v.planned(strings.Trim(byDefault, `"`), later)
			},
		}
	}
	return []Key{
		planned("trashed_flag", `"mirror", "local" or "delete"`, `"mirror"`,
			"What the letter T of a file name means to the server.", "local", "delete"),
		planned("hooks", "table", "", "Commands to run after a change."),
	}
}

var errPlanned = errors.New("is not built yet; leave it out")

// planned accepts nothing but the default of a key that is not built yet.
func (v value) planned(byDefault string, later []string) error {
	if byDefault == "" {
		return errPlanned
	}
	s, err := choice(v, append([]string{byDefault}, later...)...)
	if err != nil || s == byDefault {
		return err
	}
	return fmt.Errorf("%q is not built yet; write %q or leave it out", s, byDefault)
}
