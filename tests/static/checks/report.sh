# shellcheck shell=sh
# report.sh - a TAP line for each thing that a script checks.  Sourced.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
count=0 failed=0

# report NAME: a failure if there is something in $tmp/bad, the offending lines.
report() {
	count=$((count + 1))
	if [ -s "$tmp/bad" ]; then
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# /' "$tmp/bad"
	else
		echo "ok $count - $1"
	fi
}

# The end.
finish() {
	echo "1..$count"
	exit $failed
}
