package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// cyrusAdmin may remove users.
const cyrusAdmin = "admin"

// Cyrus starts a throw-away Cyrus 3.6 that stops with the test; lines are added
// to its imapd.conf, or take the place of those with the same key. It is a complete server, with its master process and with
// the daemon that tells idle clients of news; only the passwords are checked
// here. INBOX comes into being with the first login. It runs as root (the mail
// then belongs to nobody) and as an ordinary user.
func Cyrus(t testing.TB, lines ...string) *Peer {
	t.Helper()
	return startPeer(t, "cyrus", func() (*Peer, error) { return startCyrus(lines) })
}

func startCyrus(lines []string) (*Peer, error) {
	p, err := newPeer("cyrus")
	if err != nil {
		return nil, err
	}
	port, release, err := reservePort("127.0.0.1")
	if err != nil {
		return nil, errors.Join(err, p.discard())
	}
	defer release() // the server listens on it by then
	process, err := p.startMaster(lines, strconv.Itoa(port))
	if err != nil {
		return nil, errors.Join(err, p.discard())
	}
	passwords, err := p.checkPasswords()
	if err != nil {
		process.stop()
		return nil, err
	}
	p.end = once(func() {
		_ = passwords.Close()
		process.stop()
	})
	p.empty = p.removeCyrusUser
	if err := p.await(process.exited); err != nil {
		err = fmt.Errorf("%w; its log:\n%s", err, p.Log())
		p.end()
		return nil, err
	}
	return p, nil
}

// startMaster writes the configuration and starts the master process.
func (p *Peer) startMaster(lines []string, port string) (*process, error) {
	p.addr = net.JoinHostPort("127.0.0.1", port)
	if err := p.layCyrusOut(lines, port); err != nil {
		return nil, err
	}
	// Master gives up root by itself, after it has opened its port.
	cmd, err := p.command(true, nil, "usr/lib/cyrus/bin/master", "-D",
		"-C", p.path("imapd.conf"), "-M", p.path("cyrus.conf"), "-p", p.path("master.pid"))
	if err != nil {
		return nil, err
	}
	output, err := p.openLog()
	if err != nil {
		return nil, err
	}
	defer output.Close() // the process has its own
	cmd.Stdout, cmd.Stderr = output, output
	return startCommand(p.dir, cmd)
}

// layCyrusOut makes the directories and the two files of the configuration.
func (p *Peer) layCyrusOut(lines []string, port string) error {
	paths := []string{p.dir, p.id.keyFile}
	for _, sub := range []string{"conf", "conf/socket", "conf/db", "conf/log", "conf/proc", "conf/ptclient", "conf/msg", "spool", "tmp"} {
		if err := os.Mkdir(p.path(sub), 0o700); err != nil {
			return err
		}
		paths = append(paths, p.path(sub))
	}
	if err := p.own(paths...); err != nil {
		return err
	}
	owner, err := user.LookupId(strconv.Itoa(p.owner.uid))
	if err != nil {
		return err
	}
	bin := filepath.Join(p.root, "usr/lib/cyrus/bin")
	plugins, err := filepath.Glob(filepath.Join(p.root, "usr/lib/*-linux-gnu*/sasl2"))
	if err != nil {
		return err
	}
	imapd := replaced([]string{
		"configdirectory: " + p.path("conf"),
		"partition-default: " + p.path("spool"),
		"defaultpartition: default",
		"temp_path: " + p.path("tmp"),
		"cyrus_user: " + owner.Username,
		"servername: localhost",
		"admins: " + cyrusAdmin,
		"allowplaintext: yes",
		"sasl_mech_list: PLAIN",
		"sasl_plugin_path: " + strings.Join(plugins, ":"),
		"sasl_pwcheck_method: saslauthd",
		"sasl_saslauthd_path: " + p.path("mux"),
		"tls_server_cert: " + p.id.certFile,
		"tls_server_key: " + p.id.keyFile,
		"tls_session_timeout: 0",
		"autocreate_quota: 0",
		"unixhierarchysep: yes",
		"altnamespace: yes",
		"delete_mode: immediate",
		// Nothing here has to survive a power failure.
		"skiplist_unsafe: yes",
	}, lines)
	config := filepath.Join(p.dir, "imapd.conf")
	master := strings.NewReplacer("BIN", bin, "CONFIG", config, "PORT", port).Replace(`START {
  recover cmd="BIN/ctl_cyrusdb -C CONFIG -r"
}
SERVICES {
  imaps cmd="BIN/imapd -s -C CONFIG -U 30" listen="127.0.0.1:PORT" prefork=0 maxchild=100
}
EVENTS {
}
DAEMON {
  idled cmd="BIN/idled -C CONFIG"
}
`)
	return errors.Join(
		writeFile(config, []byte(strings.Join(imapd, "\n")+"\n"), 0o644),
		writeFile(p.path("cyrus.conf"), []byte(master), 0o644),
	)
}

// replaced returns the lines with others added, which count where both have a key:
// Cyrus does not start when one stands there twice.
func replaced(lines, others []string) []string {
	return append(slices.DeleteFunc(lines, func(line string) bool {
		key, _, _ := strings.Cut(line, ":")
		return slices.ContainsFunc(others, func(other string) bool { return strings.HasPrefix(other, key+":") })
	}), others...)
}

// removeCyrusUser removes all mailboxes of a user, as the administrator would.
// INBOX is made anew at the next login.
func (p *Peer) removeCyrusUser(name string) error {
	return p.session(cyrusAdmin, func(c *imapclient.Client) error {
		inbox := "user/" + name
		there, err := c.List("", inbox, nil).Collect()
		if err != nil || len(there) == 0 {
			return err
		}
		all := imap.RightSet("lrswipkxtecdan")
		if err := c.SetACL(inbox, cyrusAdmin, imap.RightModificationReplace, all).Wait(); err != nil {
			return err
		}
		return c.Delete(inbox).Wait()
	})
}
