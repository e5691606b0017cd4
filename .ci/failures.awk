# Of what `go test -v` prints, what failing tests and packages have said.
/^=== (RUN|NAME|CONT|PAUSE)/ { test = $3; next }
/^ *--- (PASS|SKIP)/ { delete said[$3]; next }
/^ *--- FAIL/ { print; printf "%s", said[$3]; delete said[$3]; next }
/^[^ ]+\.go:[0-9]+:[0-9]+: / { print; next }
/^(panic|fatal error):|^WARNING: DATA RACE/ { crashed = 1 }
# A test that a crash ended has no verdict: all of the package that has none is told.
/^(FAIL|ok|\?)\t/ {
	if (/^FAIL/) {
		print
		if (crashed) for (t in said) printf "%s", said[t]
	}
	delete said
	test = crashed = ""
	next
}
{ said[test] = said[test] $0 "\n" }
