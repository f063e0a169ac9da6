#!/bin/bash
# test_pip_tgkill.sh - pip-tgkill.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
tgkill=$TOOLS/pip-tgkill

# ended_by NUMBER WORD...: a process that gets the signal of those words.
ended_by() {
	local want=$1 pid
	shift
	sleep 60 &
	pid=$!
	executed $pid
	run "$tgkill" "$1" $pid $pid
	is 0
	[ "$status" = 0 ] || kill $pid
	wait $pid 2>/dev/null
	status=$?
	is $((128 + want))
}

signals() {
	local number word
	while read -r number word; do
		case_begin "pip-tgkill $word"
		ended_by "$number" "$word"
	done <<'END'
15 TERM
15 SIGTERM
15 term
15 sigTerm
15 15
9 KILL
10 usr1
6 IOT
1 1
64 64
END
}

usage_errors() {
	local words
	while read -r words; do
		case_begin "usage: pip-tgkill $words"
		# shellcheck disable=SC2086 # several words
		run "$tgkill" $words
		is 2
		says "$out" ""
		matches "$err" '^Usage: .*pip-tgkill <SIGNAL> <PID> <TID>$'
	done <<'END'

TERM
TERM 100
TERM 100 1
TERM 1 100
TERM 0 100
TERM -5 100
TERM x 100
TERM 100 100x
TERM 99999999999 100
0 100 100
65 100 100
-1 100 100
15x 100 100
NOSUCH 100 100
SIG 100 100
TERM 100 100 any more
END
}

failures() {
	local pid
	case_begin "a thread that is not there: ESRCH, or success with a fourth word"
	sleep 0 &
	pid=$!
	wait $pid
	run "$tgkill" TERM $pid $pid
	is 3
	says "$err" "pip-tgkill TERM $pid $pid: No such process"
	run "$tgkill" TERM $pid $pid no_esrch
	is 0
	says "$err" ""

	case_begin "a thread of another process"
	run "$tgkill" TERM $$ $pid
	is 3

	if [ "$(id -u)" != 0 ]; then
		case_begin "somebody else's process: EPERM, with a fourth word too"
		# The first process is not to be named: take another one of root's.
		pid=$(ps -o pid= -u 0 | awk '$1 > 2 { print $1; exit }')
		run "$tgkill" CONT "$pid" "$pid" any
		is 1
		matches "$err" ": Operation not permitted$"
	fi
}

signals
usage_errors
failures
finish
