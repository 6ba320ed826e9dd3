# Every check and every build of Mailmoor. CONTRIBUTING.md says which to run when.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
T       ?= 30s

# Everything is built in one way: each other one would compile all of it once more.
export CGO_ENABLED ?= 0

# Linters are run by version and stay out of go.mod: their dependencies would
# lift ours.
GOFUMPT       := $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK   := $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: build test quick servers race check format vet lint modules demo bench scale fuzz cut crash power storm matrix clean

build:
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/mailmoor ./cmd/mailmoor

# Vetting is for "make check", and debuggers do not look at tests: together they would
# take a fifth of the time.
TESTING := -vet=off -ldflags=-w

# Tests against programs that are not installed are skipped, but not in CI.
test: servers
	$(if $(CI),MAILMOOR_REQUIRE_SERVERS=1) $(GO) test $(TESTING) -timeout 20m $(TESTFLAGS) ./...

# Between commits: what a minute is enough for. Users' stories are played on a real
# server; kills, cuts and the other servers are left to "make test".
quick: servers
	$(GO) test $(TESTING) -short -skip 'AtEveryStep|AtEveryEffect|TestUpgradeKilled|TestDamage|TestMutt|TestFirstRunsTogether' \
		./cmd/... ./config ./conflict ./engine/... ./maildir ./state/... ./test/e2e ./test/sim ./test/tidy

race: servers
	CGO_ENABLED=1 $(GO) test -race -timeout 40m $(TESTFLAGS) ./...

# The other programs that the tests run, as program:package of Debian. They are
# installed where that needs no question. Cyrus and Courier are only unpacked.
PROGRAMS := dovecot:dovecot-imapd mbsync:isync mutt:mutt strace:strace mkfs.ext4:e2fsprogs \
	mkfs.exfat:exfatprogs mount.exfat-fuse:exfat-fuse

servers:
	@missing=; \
	for p in $(PROGRAMS); do \
		PATH="$$PATH:/usr/sbin" command -v "$${p%%:*}" >/dev/null || missing="$$missing $${p#*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "not installed:$$missing; the tests that need them are skipped"; \
		echo "on Debian and Ubuntu: sudo apt-get install --no-install-recommends$$missing"; \
		exit 0; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	install="apt-get install -y -q --no-install-recommends$$missing"; \
	$$install || { apt-get update -q && $$install; }
	@sh test/lab/peers.sh

check: format vet lint modules

format:
	@unformatted=$$($(GOFUMPT) -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofumpt:" $$unformatted; exit 1; fi

vet:
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	$(GO) vet -tags crashtest ./cmd/mailmoor

lint:
	$(STATICCHECK) ./...
	$(GOLANGCI_LINT) run ./...

# modernc.org/sqlite works only with the very libc that its go.mod names.
modules:
	$(GO) mod tidy -diff
	@used=$$($(GO) list -m -f '{{.Version}}' modernc.org/libc) && \
	file=$$($(GO) list -m -f '{{.GoMod}}' modernc.org/sqlite) && \
	wanted=$$(sed -n 's/^[[:space:]]*modernc.org\/libc \(v[^ ]*\).*/\1/p' "$$file") && \
	if [ "$$used" != "$$wanted" ]; then \
		echo "modernc.org/libc is $$used, modernc.org/sqlite needs $$wanted"; exit 1; \
	fi

demo:
	$(GO) run ./cmd/mailmoor demo

# Against mbsync, on the same server in the same run: some minutes, or hours with up to
# 200,000 messages. They write docs/bench; one workload: make bench W=many/first_far
W ?=
BENCHFLAGS ?=
BENCH = $(GO) test ./test/bench -run '^TestTable$$/$(W)' -v -timeout 0 -settle 2500ms -rtt 40ms -rounds 3 \
	$(if $(W),,-report $(CURDIR)/docs/bench/$@)
bench: servers
	$(BENCH) -big 20000 -pair 2000 -messages 4000 -mailboxes 20 -wide 50 -changes 1000 $(BENCHFLAGS)

scale: servers
	$(BENCH) -big 200000 -pair 10000 -messages 20000 -mailboxes 100 -wide 1000 -changes 1000 $(BENCHFLAGS)

# Every fuzz target for T each: make fuzz T=2m
fuzz:
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file target; do \
		echo "$$file: $${target#func }"; \
		$(GO) test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(T) "$$(dirname "$$file")" </dev/null || exit 1; \
	done

# The line to the server breaks at every byte, which takes many hours, or at every
# K-th: make cut K=97. What has been played lies in memory, where there is room.
K ?= 1
cut: servers
	$(GO) test ./test/cut -run '^Test(Cut|Handshake|Slow)$$' -every $(K) -timeout 0 -parallel 2 -v $(CUTFLAGS)

# The power fails at every sync of every scene and at CUTS more moments of each, on
# all file systems that can be had here; as root, for some hours: make power CUTS=20
CUTS ?= 100
FILESYSTEMS ?= all
power: servers
	nice $(GO) test ./test/power -run '^Test(Power|LyingDisk)$$' -fs=$(FILESYSTEMS) -disks=both -scene=all -every -cuts=$(CUTS) \
		-timeout 0 -v $(POWERFLAGS)

# 100,000 messages arrive and 20,000 leave while the program is killed every moment.
storm: servers
	nice $(GO) test ./test/storm -run '^TestStorm$$' -messages=100000 -leaving=20000 -mailboxes=25 -kills=400 \
		-timeout 0 -v $(STORMFLAGS)

# Disturb the program at every system call of every scene; takes an hour or two.
crash: servers
	@mkdir -p dist
	nice $(GO) test ./test/crash -share=0 -parallel 2 -timeout 0 -report=$(CURDIR)/dist/crash.txt; \
	status=$$?; cat dist/crash.txt; exit $$status

# The everyday life and kills until the end on all servers and without each extension;
# some minutes. MATRIXFLAGS=-update writes docs/servers.md from it.
matrix: servers
	nice $(GO) test ./test/matrix -full -timeout 0 -parallel 2 $(MATRIXFLAGS)

clean:
	rm -rf bin dist
