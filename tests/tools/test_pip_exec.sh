#!/bin/bash
# test_pip_exec.sh - pip-exec: its command line, which tasks it makes of it, and its exit status.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
exec_=$TOOLS/pip-exec plain=$PROGRAMS/plain
: "${LIBPIP:?}"

# A line for each task: the kernel's name of it, which has the PIPID and the program.
names() {
	run "$exec_" "$@"
	sort "$out" | grep '^[0-9];' >"$dir/names"
}

usage_errors() {
	local words
	while read -r words; do
		case_begin "usage: pip-exec $words"
		# shellcheck disable=SC2086 # several words
		run "$exec_" ${words//PLAIN/$plain}
		is 2
		says "$out" ""
		matches "$err" '^Usage: pip-exec '
	done <<'END'

-n 8
-h
--help
-x PLAIN return 0
--what PLAIN return 0
-n
-n 0 PLAIN return 0
-n -1 PLAIN return 0
-n two PLAIN return 0
-n 2x PLAIN return 0
-n2 PLAIN return 0
-f
-c
-c one PLAIN return 0
-c 1- PLAIN return 0
-c 2-1 PLAIN return 0
-c 1,, PLAIN return 0
: PLAIN return 0
PLAIN return 0 : :
PLAIN return 0 : : PLAIN return 0
PLAIN return 0 : -n 2
END
}

segments() {
	case_begin "one task"
	names "$plain" names
	is 0
	says "$dir/names" "0;plain"

	case_begin "several tasks"
	names -n 3 "$plain" names
	is 0
	says "$dir/names" $'0;plain\n1;plain\n2;plain'

	case_begin "several programs, numbered through"
	names -n 2 "$plain" names : "$plain-stripped" names :: -n 2 "$plain-pip" names
	is 0
	says "$dir/names" $'0;plain\n1;plain\n2;plain-strippe\n3;plain-pip\n4;plain-pip'

	case_begin "a separator at the end"
	names "$plain" names :
	is 0
	says "$dir/names" "0;plain"
	names "$plain" names : "$plain-pip" names ::
	is 0
	says "$dir/names" $'0;plain\n1;plain-pip'

	case_begin "arguments, one vector for each program"
	run "$exec_" "$plain" args "a b" -n "" "*" "a:b" : /bin/true
	is 0
	says "$out" $'7\n['"$plain"$']\n[args]\n[a b]\n[-n]\n[]\n[*]\n[a:b]'

	case_begin "a program along PATH"
	PATH=$PROGRAMS:$PATH run "$exec_" plain return 5
	is 5
}

options() {
	case_begin "-f starts a function, with NULL"
	# It compares its argument with its auxiliary pointer, which is NULL.
	run "$exec_" -n 3 -f api_aux "$PROGRAMS/api"
	is 0
	says "$err" ""

	case_begin "-f with a function that is not there"
	run "$exec_" -f there_is_no_such_function "$PROGRAMS/api"
	is 8 # ENOEXEC
	matches "$err" "Unable to find start function"

	case_begin "-d is ignored"
	run "$exec_" -d -n 2 -d "$plain" return 7
	is 7

	case_begin "cores are left alone"
	run "$plain" affinity
	cp "$out" "$dir/own"
	run "$exec_" "$plain" affinity
	says "$out" "$(cat "$dir/own")"
	run "$exec_" -c asis "$plain" affinity
	says "$out" "$(cat "$dir/own")"

	case_begin "-c binds to cores, in turn"
	run "$exec_" -c 0 "$plain" affinity
	local first
	first=$(cat "$out")
	matches "$out" '^[0-9]+ $'
	run "$exec_" -n 3 -c 0-0,0 "$plain" affinity
	is 0
	says "$out" "$first"$'\n'"$first"$'\n'"$first"
}

statuses() {
	local words want
	while read -r want words; do
		case_begin "status $want: pip-exec $words"
		# shellcheck disable=SC2086 # several words
		run "$exec_" ${words//PLAIN/$plain}
		is "$want"
		says "$err" ""
	done <<'END'
0 -n 4 PLAIN return 0
5 PLAIN return 5
9 PLAIN return 3 : PLAIN return 9 : PLAIN return 4
255 PLAIN return 255
6 PLAIN exit 6
7 PLAIN _exit 7
END
	case_begin "status: a signal"
	run "$exec_" "$plain" raise 15
	is 15
	says "$err" "pip-exec: PIPID:0 signaled (Terminated)"

	case_begin "status: a signal counts more than exit codes"
	PIP_QUIET=1 run "$exec_" "$plain" return 200 : "$plain" segv : "$plain" return 0
	is 11
	says "$err" "pip-exec: PIPID:1 signaled (Segmentation fault)"

	case_begin "status: the first of several signals"
	# The second program waits for what the first one is not there any more to write.
	run "$exec_" "$plain" raise 9 : /bin/sh -c 'sleep 0.5; kill -HUP $$'
	is 9
	matches "$err" '^pip-exec: PIPID:0 signaled \(Killed\)$'
	matches "$err" '^pip-exec: PIPID:1 signaled \(Hangup\)$'
}

failures() {
	case_begin "too many tasks: 75"
	run "$exec_" -n 1025 "$plain" return 0
	is 75
	says "$err" "pip-exec: Too many tasks"
	run "$exec_" -n 99999999999999999999 "$plain" return 0
	is 75
	run "$exec_" -n 1000 "$plain" return 0 : -n 25 "$plain" return 0
	is 75

	case_begin "no such file: 2"
	run "$exec_" ./there-is-no-such-program
	is 2
	matches "$err" "'./there-is-no-such-program': no such file"

	case_begin "a program that cannot be a task: the error's number"
	run "$exec_" "$PROGRAMS/plain-nonpie" return 0
	is 83 # ELIBEXEC
	matches "$err" "is not PIE"

	case_begin "the tasks that run are killed if another cannot be started"
	run "$exec_" -n 3 "$plain" pause : ./there-is-no-such-program
	is 2 # and not the watchdog's

	case_begin "pip_init() fails: its number"
	PIP_MODE=rubbish run "$exec_" "$plain" return 0
	is 1 # EPERM
	matches "$err" '^pip-exec: pip_init\(\)=1$'
}

preloads() {
	case_begin "process:preload: it sees to libpip-preload.so itself"
	PIP_MODE=process:preload run "$exec_" -n 2 "$plain" return 7
	is 7
	says "$err" ""
	PIP_MODE=Process:Preload run "$exec_" "$TOOLS/printpipmode" : "$plain" return 3
	is 3
	PIP_MODE=process:preload LD_PRELOAD=libc.so.6 run "$exec_" "$plain" return 5
	is 5

	case_begin "process:preload: the library is not there"
	mkdir -p "$dir/alone"
	cp "$exec_" "$dir/alone"
	PIP_MODE=process:preload LD_LIBRARY_PATH=${LIBPIP%/*} run "$dir/alone/pip-exec" "$plain"
	is 1
	matches "$err" "^pip-exec: process:preload needs libpip-preload.so, which is not installed"
	[ "$(wc -l <"$err")" = 1 ] || complain "more than one line"

	case_begin "process:preload: ld.so cannot preload it"
	mkdir -p "$dir/two words/tools" "$dir/two words/preload"
	cp "$exec_" "$dir/two words/tools"
	touch "$dir/two words/preload/libpip-preload.so"
	PIP_MODE=process:preload LD_LIBRARY_PATH=${LIBPIP%/*} \
		run "$dir/two words/tools/pip-exec" "$plain"
	is 1
	matches "$err" "cannot be preloaded"
}

preloads
usage_errors
segments
options
statuses
failures
finish
