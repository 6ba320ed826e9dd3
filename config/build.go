package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// accountsMax bounds the number of accounts.
const accountsMax = 100

// nameBytesMax bounds the name of an account.
const nameBytesMax = 64

// builder makes a Config of a document and collects what is wrong with it.
type builder struct {
	source   source
	doc      *document
	keys     []Key
	config   Config
	defaults Account
	problems []Problem
}

// parse makes a Config of the file's bytes.
func (s source) parse() (Config, error) {
	doc, err := parseDocument(s.file, s.data)
	if err != nil {
		return Config{}, err
	}
	b := builder{source: s, doc: doc, keys: Keys(), defaults: defaultAccount()}
	b.config = Config{StateDir: s.stateDir, LogLevel: "info"}
	b.apply(doc.values, nil, "", target{config: &b.config, account: &b.defaults})
	b.accounts()
	b.roots()
	if b.config.StateDir == "" && doc.values["state_dir"] == nil {
		b.problem("is by default in the home directory, but HOME is not set; set HOME or state_dir", "state_dir")
	}
	if err := report(b.problems); err != nil {
		return Config{}, err
	}
	return b.config, nil
}

// defaultAccount is what holds for keys that stand nowhere. The port follows
// from TLS, and the way to log in from the server.
func defaultAccount() Account {
	return Account{
		TLS:         TLSImplicit,
		Patience:    time.Minute,
		Layout:      LayoutFS,
		Mailboxes:   everything(),
		Connections: 4,
		Delete:      DeleteTrash,
		Direction:   DirectionBoth,
		HoldDays:    30,
		Guard: Guard{
			ReversibleCount: 100, ReversiblePercent: 50,
			FinalCount: 20, FinalPercent: 10,
			TrashCount: 500,
		},
	}
}

func (b *builder) problem(text string, parts ...string) {
	b.problems = append(b.problems, b.doc.problem(text, parts...))
}

// apply sets the keys of one table of the file. at is the table's path there;
// within is the same without the account, "" or "guard.".
func (b *builder) apply(table map[string]any, at []string, within string, t target) {
	if table["password"] != nil && table["password_command"] != nil {
		b.problem("stands beside password_command; leave one of them out", child(at, "password")...)
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		raw, here := table[name], child(at, name)
		if len(at) == 0 && name == "account" {
			continue
		}
		k, known := b.key(within + name)
		if known && (!k.Top || len(at) == 0) {
			v := value{raw: raw, source: b.source}
			if err := k.set(t, v); err != nil {
				b.problem(err.Error(), here...)
			}
			continue
		}
		if !b.isTable(within + name) {
			b.problem(b.unknown(name, within, raw, len(at) == 0), here...)
			continue
		}
		if below, ok := raw.(map[string]any); ok {
			b.apply(below, here, within+name+".", t)
			continue
		}
		b.problem(fmt.Sprintf("must be a table, not %s", kind(raw)), here...)
	}
}

// child returns the path of a key of the table at.
func child(at []string, name string) []string {
	return append(slices.Clone(at), name)
}

func (b *builder) key(name string) (Key, bool) {
	i := slices.IndexFunc(b.keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return Key{}, false
	}
	return b.keys[i], true
}

// isTable reports whether keys stand below name.
func (b *builder) isTable(name string) bool {
	return slices.ContainsFunc(b.keys, func(k Key) bool { return strings.HasPrefix(k.Name, name+".") })
}

// unknown says what may be meant by a key that does not exist at this place.
func (b *builder) unknown(name, within string, raw any, top bool) string {
	if k, known := b.key(name); known && k.Top {
		return "belongs to the top of the file, before the first table"
	}
	if table, ok := raw.(map[string]any); ok && top && b.looksLikeAccount(table) {
		return "is not a known table; did you mean [" + path("account", clip(name)) + "]?"
	}
	var candidates []string
	for _, k := range b.keys {
		if slices.Contains(k.also, strings.ToLower(name)) || strings.HasSuffix(k.Name, "."+name) {
			return "is not a known key here" + suggest(k.Name)
		}
		below, inside := strings.CutPrefix(k.Name, within)
		if !inside || k.Top && !top {
			continue
		}
		first, _, _ := strings.Cut(below, ".")
		candidates = append(candidates, first)
	}
	if top {
		candidates = append(candidates, "account")
	}
	return "is not a known key" + suggest(nearest(name, candidates))
}

// looksLikeAccount reports whether the table holds a key of an account.
func (b *builder) looksLikeAccount(table map[string]any) bool {
	return slices.ContainsFunc(b.keys, func(k Key) bool { return table[k.Name] != nil && !k.Top })
}

// accounts builds the accounts in the order of the file.
func (b *builder) accounts() {
	tables, ok := b.doc.values["account"].(map[string]any)
	if raw, set := b.doc.values["account"]; set && !ok {
		b.problem(fmt.Sprintf("must be tables like [account.personal], not %s", kind(raw)), "account")
		return
	}
	if len(tables) == 0 {
		text := "there is none"
		if len(b.problems) == 0 {
			text += "; this is the smallest configuration:\n\n" + Smallest
		}
		b.problem(text, "account")
		return
	}
	if len(tables) > accountsMax {
		b.problem(fmt.Sprintf("there are %d, at most %d are possible", len(tables), accountsMax), "account")
		return
	}
	for _, name := range b.names(tables) {
		at := []string{"account", name}
		if err := checkName(name); err != nil {
			b.problem(err.Error(), at...)
		}
		table, ok := tables[name].(map[string]any)
		if _, known := b.key(name); !ok && known {
			b.problem("belongs below the name of an account, like [account.personal]", at...)
			continue
		}
		if !ok {
			b.problem(fmt.Sprintf("must be a table, not %s", kind(tables[name])), at...)
			continue
		}
		account := b.defaults
		account.Name = name
		b.apply(table, at, "", target{config: &b.config, account: &account})
		b.finish(&account, table)
		b.config.Accounts = append(b.config.Accounts, account)
	}
}

// names returns the names of the accounts in the order of the file.
func (b *builder) names(tables map[string]any) []string {
	rank := make(map[string]int, len(b.doc.order))
	for i, p := range b.doc.order {
		rank[p] = i
	}
	return slices.SortedFunc(maps.Keys(tables), func(x, y string) int {
		if d := rank[path("account", x)] - rank[path("account", y)]; d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
}

var errName = fmt.Errorf("is not a name for an account; use at most %d letters, digits, "+
	"dots, dashes and underscores, beginning with a letter or a digit", nameBytesMax)

// checkName reports a name that cannot be part of a file name or an argument.
func checkName(name string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool { return !isNameRune(r) })
	if name == "" || len(name) > nameBytesMax || bad || strings.ContainsAny(name[:1], "._-") {
		return errName
	}
	return nil
}

// isNameRune reports whether r may be part of an account's name.
func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
}

// cleartext is the format of what is wrong with tls = "none".
const cleartext = `"none" would send the password of account %s in the clear to %s; ` +
	`it is possible only when host is "localhost" or a loopback address`

// finish checks what keys mean together and fills in what follows from them.
func (b *builder) finish(a *Account, table map[string]any) {
	at := []string{"account", a.Name}
	for _, k := range b.keys {
		if k.Required && table[k.Name] == nil && b.doc.values[k.Name] == nil {
			b.problem(fmt.Sprintf("%s is missing; write for example %s", k.Name, k.Example), at...)
		}
	}
	if a.TLS == TLSNone {
		if a.Host != "" && !isLoopback(a.Host) {
			b.problem(fmt.Sprintf(cleartext, clip(a.Name), a.Host), b.where(table, a.Name, "tls")...)
		}
		for _, name := range []string{"tls_ca", "tls_pin"} {
			if table[name] != nil {
				b.problem(`means nothing while tls is "none"`, child(at, name)...)
			}
		}
	}
	if a.Port == 0 {
		a.Port = 143
		if a.TLS == TLSImplicit {
			a.Port = 993
		}
	}
}

// where returns the path of the key that holds for the account: its own, or
// the one at the top of the file.
func (b *builder) where(table map[string]any, account, name string) []string {
	if table[name] == nil && b.doc.values[name] != nil {
		return []string{name}
	}
	return []string{"account", account, name}
}
