# What the verbose output of `go test` says of the tests that failed, and
# nothing of those that passed: for a log of which only the end is kept.

# A test's own lines follow its name: until another test is named.
/^=== (RUN|NAME|CONT|PAUSE)/ { test = $3; next }
/^[[:space:]]*--- (PASS|SKIP)/ { delete said[$3]; next }

/^[[:space:]]*--- FAIL/ {
	failed++
	printf "%s\n%s", $0, said[$3]
	delete said[$3]
	next
}

# A package that fails without a test that did: it did not build, ran out of
# time, was stopped, or a race was seen. The lines after it say where.
/^(panic:|fatal error:|WARNING: DATA RACE)/ { rest = 30 }
rest > 0 { rest--; print; next }
/^(FAIL|#|[^ ]+\.go:[0-9]+:[0-9]+:)/ { print; next }

test != "" && lines[test]++ < 40 { said[test] = said[test] $0 "\n" }
