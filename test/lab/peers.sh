#!/bin/sh
# Brings Cyrus and Courier, which the tests run next to Dovecot, without
# installing them: as packages they would remove Dovecot and each other, bring a
# mail transfer agent, and start daemons. Their files are unpacked into a
# directory of their own, where test/lab finds them; nothing else changes.
#
# It needs apt and dpkg, the network once, and no root. What is there already is
# left alone. VERSION is written last, so that a directory with it is whole.
#
# What cannot be brought is said, and is no failure: the tests skip it. With the
# argument "must" it is one.
set -eu
umask 022 # the servers' user must be able to read it all

if [ "$(id -u)" = 0 ]; then
	# The servers give up root, and the user that they become must get there.
	base=/var/lib/mailmoor-lab
else
	base=${XDG_CACHE_HOME:-$HOME/.cache}/mailmoor-lab
fi

# have says whether the server is there, for us or for everybody.
have() { [ -f "$base/$1/VERSION" ] || [ -f "/var/lib/mailmoor-lab/$1/VERSION" ]; }

# closure prints the packages, and the libraries that they need and that this
# system lacks. Those of a virus scanner and of a notifier serve tools that no
# test runs.
closure() {
	printf '%s\n' "$@"
	apt-get -s install --no-install-recommends "$@" |
		sed -n 's/^Inst \(lib[^ ]*\) (.*/\1/p' |
		grep -vE '^lib(clamav|mspack|zephyr|gnutls)|-dev$' || true
}

# unpack NAME PACKAGE... puts the files of the packages below $base/NAME. The
# first package gives the version.
unpack() {
	name=$1
	shift
	mkdir -p "$base" || return 1
	work=$(mktemp -d "$base/.new.XXXXXX") || return 1
	trap 'rm -rf "$work"' EXIT
	# The user that apt would rather download as cannot write here; it says so
	# and goes on.
	packages=$(closure "$@" | sort -u)
	# shellcheck disable=SC2086 # the names are words
	(cd "$work" && apt-get download -q $packages >log 2>&1) || { cat "$work/log"; return 1; }
	mkdir "$work/root" || return 1
	for deb in "$work"/*.deb; do
		dpkg -x "$deb" "$work/root" || return 1
	done
	rm -rf "$work/root/usr/share/doc" "$work/root/usr/share/man"
	chmod 755 "$work/root" || return 1
	dpkg-deb -f "$work/$1"_*.deb Version >"$work/root/VERSION" || return 1
	# Somebody else may have been faster.
	have "$name" || mv "$work/root" "$base/$name" || return 1
	echo "$name $(cat "$base/$name/VERSION") is in $base/$name"
}

# bring NAME PACKAGE... is unpack where that is needed and possible.
bring() {
	if have "$1"; then return; fi
	if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
		if (unpack "$@"); then return; fi
		if [ "$(id -u)" = 0 ] && apt-get update -q && (unpack "$@"); then return; fi
	fi
	echo "not installed: $1; the tests that need it are skipped"
	missing="$missing $1"
}

missing=

bring cyrus cyrus-imapd cyrus-common libsasl2-modules
bring courier courier-imap courier-base courier-authlib gamin libgamin0

[ "${1:-}" != must ] || [ -z "$missing" ]
