# Of what `go test -v` prints, what failing tests and packages have said.
/^=== (RUN|NAME|CONT|PAUSE)/ { test = $3; next }
/^ *--- (PASS|SKIP)/ { delete said[$3]; next }
/^ *--- FAIL/ { print; printf "%s", said[$3]; delete said[$3]; next }
/^[^ ]+\.go:[0-9]+:[0-9]+: / { print; next }
# What a crash or a signal ended has no verdict: all of the package that has none is told.
/^(FAIL|ok|\?)\t/ {
	if (/^FAIL/) {
		print
		for (t in said) printf "%s", said[t]
	}
	delete said
	test = ""
	next
}
{ said[test] = said[test] $0 "\n" }
