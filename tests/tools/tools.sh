# shellcheck shell=bash
# tools.sh - what the tests of commands share; they source it.
#
#	case_begin NAME		one TAP line, up to the next one or finish
#	run COMMAND...		under a watchdog; its streams are in the files $out and $err
#	is STATUS		the status of what was run last
#	says FILE TEXT		a stream, byte for byte; newlines at the end do not count
#	matches FILE REGEX	a line of a stream
#	executed PID		waits for the program of a process in the background
#	finish			at the very end
#
# The environment names the folder with the commands (TOOLS) and that of tests/prog (PROGRAMS).
set -uo pipefail
: "${TOOLS:?}" "${PROGRAMS:?}"

unset "${!PIP_@}" "${!LD_@}" "${!MALLOC_@}"
export LC_ALL=C PATH=${PATH:-/usr/bin:/bin}
ulimit -c 0

limit=60 # seconds for each run
count=0 failed=0 case_name='' trouble=''
dir=$(mktemp -d "${TMPDIR:-/tmp}/pip-tools.XXXXXX")
trap 'rm -rf "$dir"' EXIT
out=$dir/out err=$dir/err status=

case_begin() {
	case_end
	case_name=$1 trouble=
}

case_end() {
	[ -n "$case_name" ] || return 0
	count=$((count + 1))
	if [ -z "$trouble" ]; then
		echo "ok $count - $case_name"
	else
		failed=1
		echo "not ok $count - $case_name"
		printf '%s' "$trouble" | sed 's/^/# /'
	fi
	case_name=
}

finish() {
	case_end
	echo "1..$count"
	exit $failed
}

# complain TEXT: the case has failed; what was run last is shown.
complain() {
	trouble+="$1"$'\n'"  \$ ${command[*]}"$'\n'
	trouble+="$(head -c 2000 "$out" "$err")"$'\n'
}

run() {
	command=("$@")
	status=0
	timeout -k 5 "$limit" "$@" </dev/null >"$out" 2>"$err" || status=$?
}

is() {
	[ "$status" = "$1" ] || complain "status $status, not $1"
}

# executed PID - waits until what was started in the background is no copy of this shell any more,
# which would take a signal for a reason to clean up.
executed() {
	local waited=0
	while [ "/proc/$1/exe" -ef "/proc/$$/exe" ] && [ $((waited += 1)) -lt 1000 ]; do
		sleep 0.01
	done
}

says() {
	[ "$(cat "$1")" = "$2" ] || complain "${1##*/} is not '$2'"
}

matches() {
	grep -qE -e "$2" "$1" || complain "${1##*/} has no line like '$2'"
}
