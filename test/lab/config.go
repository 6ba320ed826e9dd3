package lab

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// Option changes the configuration of a server.
type Option func(*settings)

type settings struct {
	host       string
	password   string
	layout     string
	separator  string
	prefix     string
	shares     string // the setting "list" of the namespace, empty for none
	public     bool
	quota      int64 // bytes, 0 = no quota
	acl        bool
	requireTLS bool
	specialUse []string
	fsync      string
	extra      []string
}

// newSettings returns the settings that the options make of the defaults.
func newSettings(opts []Option) *settings {
	s := &settings{host: "127.0.0.1", password: "secret", separator: "/", fsync: "never"}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// specialUses returns the mailboxes of RFC 6154 that accounts commonly have.
func specialUses() []string { return []string{"Drafts", "Sent", "Trash", "Junk", "Archive"} }

// Password makes this the password of all users; the default is "secret".
func Password(password string) Option { return func(s *settings) { s.password = password } }

// SpecialUse creates the named mailboxes for every user and marks them with
// the attribute of the same name; without names Drafts, Sent, Trash, Junk and
// Archive. RFC 6154.
func SpecialUse(names ...string) Option {
	if len(names) == 0 {
		names = specialUses()
	}
	return func(s *settings) { s.specialUse = names }
}

// Quota limits what each user may store; APPEND beyond it is answered
// NO [OVERQUOTA].
func Quota(bytes int64) Option { return func(s *settings) { s.quota = bytes } }

// ACL switches access control lists on; see [Server.SetACL].
func ACL() Option { return func(s *settings) { s.acl = true } }

// RequireTLS refuses every login on the plain port before STARTTLS and
// announces LOGINDISABLED there. The server then listens on 127.0.0.2, because
// Dovecot trusts a connection between equal addresses as if it had TLS; this
// works on Linux, where all of 127.0.0.0/8 is loopback.
func RequireTLS() Option {
	return func(s *settings) { s.requireTLS, s.host = true, "127.0.0.2" }
}

// Separator sets the hierarchy separator; the default is "/".
func Separator(sep string) Option { return func(s *settings) { s.separator = sep } }

// Prefix puts this before the names of all of a user's mailboxes but INBOX, such as
// "INBOX.". RFC 2342.
func Prefix(prefix string) Option { return func(s *settings) { s.prefix = prefix } }

// Shares lets users share mailboxes, which others find below "shared", the owner's name
// and their name there; see [Server.Share]. list is "yes" when LIST "" "*" shows them,
// "no" when they have to be asked for.
func Shares(list string) Option { return func(s *settings) { s.acl, s.shares = true, list } }

// Public gives all users a namespace below "Public"; see [Server.Publish].
func Public() Option { return func(s *settings) { s.acl, s.public = true, true } }

// NestedStorage stores child mailboxes as nested directories instead of
// Maildir++, so that names may contain dots and a mailbox may be \NoSelect.
func NestedStorage() Option { return func(s *settings) { s.layout = ":LAYOUT=fs" } }

// MboxStorage keeps each mailbox in one file, in the mbox format. What the methods of
// [Server] do with files of its store does not work with it.
func MboxStorage() Option { return Config("mail_location = mbox:~/mail:INBOX=~/inbox") }

// Fsync makes the server sync as it would in production. By default it never
// does: in most tests it is only the peer.
func Fsync() Option { return func(s *settings) { s.fsync = "optimized" } }

// Config appends lines to dovecot.conf, for what has no option of its own.
func Config(lines string) Option {
	return func(s *settings) { s.extra = append(s.extra, lines) }
}

// owner is whom the mail belongs to. Dovecot does not serve mail as root, so
// a root test hands it to nobody.
type owner struct {
	uid, gid int
	// user and group are those of all Dovecot processes when they cannot
	// switch to users of their own; empty as root.
	user, group string
}

func mailOwner() (owner, error) {
	root := os.Geteuid() == 0
	lookup := user.Current
	if root {
		lookup = func() (*user.User, error) { return user.Lookup("nobody") }
	}
	u, err := lookup()
	if err != nil {
		return owner{}, fmt.Errorf("find the user who shall own the mail: %w", err)
	}
	group, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return owner{}, fmt.Errorf("find the group of user %s: %w", u.Username, err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return owner{}, fmt.Errorf("user ID of %s: %w", u.Username, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return owner{}, fmt.Errorf("group ID of %s: %w", u.Username, err)
	}
	if root {
		return owner{uid: uid, gid: gid}, nil
	}
	return owner{uid, gid, u.Username, group.Name}, nil
}

// config returns dovecot.conf.
func (s *settings) config(srv *Server) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("base_dir = %s/run\nstate_dir = %[1]s/state\nlog_path = %[1]s/log", srv.dir)
	line("protocols = imap\nlisten = %s", srv.Host)
	// The greeting proves that it is our server that answers on the port.
	line("login_greeting = %s", srv.greeting)
	line("ssl_cert = <%s\nssl_key = <%s", srv.id.certFile, srv.id.keyFile)
	if s.requireTLS {
		line("ssl = required\ndisable_plaintext_auth = yes")
	} else {
		line("ssl = yes\ndisable_plaintext_auth = no")
	}
	line("auth_mechanisms = plain login\nauth_failure_delay = 0")
	line("mail_home = %s/mail/%%u\nmail_location = maildir:~/Maildir%s", srv.dir, s.layout)
	line("mail_uid = %d\nmail_gid = %d", srv.owner.uid, srv.owner.gid)
	line("first_valid_uid = 1\nfirst_valid_gid = 1")
	line("mail_fsync = %s\nmail_max_userip_connections = 1000", s.fsync)
	if srv.owner.user != "" {
		line("default_internal_user = %s\ndefault_login_user = %[1]s", srv.owner.user)
		line("default_internal_group = %s", srv.owner.group)
	}
	// Base64 carries every password past the syntax of this file.
	line("passdb {\n  driver = static\n  args = password={PLAIN.B64}%s\n}",
		base64.StdEncoding.EncodeToString([]byte(s.password)))
	line("userdb {\n  driver = static\n  args = uid=%d gid=%d\n}", srv.owner.uid, srv.owner.gid)
	line("service imap-login {\n  chroot =\n  service_count = 0\n  process_min_avail = 1")
	line("  inet_listener imap {\n    port = %d\n  }", srv.PlainPort)
	line("  inet_listener imaps {\n    port = %d\n    ssl = yes\n  }\n}", srv.Port)
	// A session takes a process that another one has left, where there is one: starting
	// one costs far more than anything else in a session.
	line("service imap {\n  process_limit = 800\n  service_count = 0\n}")
	// Each session shows whose it is, for those who wait until one has ended.
	line("verbose_proctitle = yes")
	// Without this listener wrong passwords do not slow later logins down.
	line("service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}")
	s.mailConfig(srv, line)
	for _, lines := range s.extra {
		line("%s", lines)
	}
	return b.String()
}

// mailConfig writes the part about mailboxes and plugins.
func (s *settings) mailConfig(srv *Server, line func(format string, args ...any)) {
	line("namespace inbox {\n  inbox = yes\n  separator = %s\n  prefix = %s", s.separator, s.prefix)
	for _, name := range s.specialUse {
		line("  mailbox %s {\n    auto = create\n    special_use = \\%[1]s\n  }", name)
	}
	line("}")
	s.spaces(srv, line)
	var plugins, imapPlugins []string
	if s.acl {
		plugins, imapPlugins = append(plugins, "acl"), append(imapPlugins, "imap_acl")
		line("plugin {\n  acl = vfile\n}")
	}
	if s.quota > 0 {
		plugins, imapPlugins = append(plugins, "quota"), append(imapPlugins, "imap_quota")
		line("plugin {\n  quota = count:User quota\n  quota_vsizes = yes")
		line("  quota_rule = *:bytes=%d\n  quota_grace = 0\n}", s.quota)
	}
	if len(plugins) > 0 {
		line("mail_plugins = %s", strings.Join(plugins, " "))
		line("protocol imap {\n  mail_plugins = $mail_plugins %s\n}", strings.Join(imapPlugins, " "))
	}
}

// spaces writes the namespaces that are not the user's own.
func (s *settings) spaces(srv *Server, line func(format string, args ...any)) {
	space := func(kind, prefix, location, list string) {
		line("namespace %s {\n  type = %[1]s\n  prefix = %s%s\n  separator = %[3]s", kind, prefix, s.separator)
		line("  location = maildir:%s\n  subscriptions = no\n  list = %s\n}", location, list)
	}
	if s.shares != "" {
		space("shared", "shared"+s.separator+"%%u", "%%h/Maildir", s.shares)
		line("plugin {\n  acl_shared_dict = file:%s/mail/.shared\n}", srv.dir)
	}
	if s.public {
		space("public", "Public", srv.publicDir(), "yes")
	}
}
