# shellcheck shell=bash
# real.sh - what the tests of real programs share; they source it.
#
# A case runs a program twice: as an ordinary process, and as a task.  Output, errors and exit
# status must be the same, byte for byte, and no process may be left.
#
#	same NAME COMMAND...	one case; $stdin, $with, $tasks, $limit say how (below)
#	check NAME FUNCTION	one case: the function's status; it uses task() and its kin
#	usable NAME PROGRAM...	else the case NAME is skipped: absent here, or cannot be a task
#	skip NAME WHY
#	finish			at the very end
#
# The environment names pip-exec (PIP_EXEC), where prog/ is (SOURCES) and where its programs have
# been built (PROGRAMS), and the C compiler (CC).
set -uo pipefail
: "${PIP_EXEC:?}" "${SOURCES:?}" "${PROGRAMS:?}" "${CC:?}"

if ! [ -x "$PIP_EXEC" ] || ! [ -x "$PROGRAMS/apart" ]; then
	echo "Bail out! There is no $PIP_EXEC, or nothing is built in $PROGRAMS"
	exit 1
fi
unset "${!PIP_STOP_@}" "${!PIP_SHOW_@}" "${!PIP_GDB_@}" "${!LD_@}" "${!MALLOC_@}" "${!OMP_@}"
unset PIP_MODE PIP_BACKTRACE PIP_QUIET PIP_STACKSIZE GLIBC_TUNABLES ENV BASH_ENV POSIXLY_CORRECT
export LC_ALL=C TZ=UTC0 PATH=${PATH:-/usr/bin:/bin} REAL_TEST="a value"
ulimit -S -c 0

stdin=/dev/null # of both runs
with=		# NAME=VALUE in their environment, or nothing
tasks=1		# how many run at once
limit=60	# seconds for each run

count=0 failed=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/pip-real.XXXXXX")
trap 'rm -rf "$dir"' EXIT
work=$dir/work
mkdir "$work"
cd "$work" || exit 1
log=$dir/log

# report NAME STATUS - one TAP line, and the log if it is a failure.
report() {
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - ${1//$'\n'/ }"
	else
		failed=1
		echo "not ok $count - ${1//$'\n'/ }"
		head -c 8000 "$log" | sed 's/^/# /'
		echo
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

finish() {
	echo "1..$count"
	exit $failed
}

# is_pie FILE - the kind of program that can be a task: ET_DYN.
is_pie() {
	[ "$(od -An -v -tx1 -N4 "$1" | tr -d ' \n')" = 7f454c46 ] &&
		[ "$(od -An -v -tx1 -j16 -N2 "$1" | tr -d ' \n')" = 0300 ]
}

# usable NAME PROGRAM...
usable() {
	local name=$1 program path
	shift
	for program in "$@"; do
		path=$(type -P "$program") || {
			skip "$name" "$program is not installed"
			return 1
		}
		is_pie "$path" || {
			skip "$name" "$program is not position independent on this system"
			return 1
		}
	done
}

# in_group PGRP - processes of a group that still run, on stdout.
in_group() {
	local stat state group
	for stat in /proc/[0-9]*/stat; do
		read -r state _ group _ < <(sed 's/^.*) //' "$stat" 2>/dev/null) || continue
		[ "$group" = "$1" ] && [ "$state" != Z ] && tr '\0' ' ' <"${stat%stat}cmdline"
	done
}

# run OUT ERR COMMAND... - under the watchdog, which makes a process group of it.  Its status is the
# command's, or 99 if it took too long or left a process behind.
run() {
	local out=$1 err=$2 status waited=0 group left began=$SECONDS
	shift 2
	timeout -k 5 "$limit" ${with:+env "$with"} "$@" <"$stdin" >"$out" 2>"$err" &
	group=$!
	wait "$group" 2>/dev/null
	status=$?
	if [ $((SECONDS - began)) -ge "$limit" ]; then
		echo "took more than $limit s: $*" >>"$log"
		status=99
	fi
	while kill -0 -- "-$group" 2>/dev/null; do
		waited=$((waited + 1))
		if [ $waited -gt 100 ]; then
			left=$(in_group "$group")
			[ -n "$left" ] || break
			echo "left behind: $left" >>"$log"
			kill -KILL -- "-$group"
			status=99
			break
		fi
		sleep 0.05
	done
	return "$status"
}

task() {
	timeout -k 5 "$limit" "$PIP_EXEC" "$@"
}

# equal WHAT WANT GOT - two files; "-" is stdin.
equal() {
	diff -a "$2" "$3" >"$dir/difference" && return
	echo "$1 differs (< ordinary, > task):"
	head -n 40 "$dir/difference"
	return 1
}

# equal_runs SUFFIX STATUS SUFFIX STATUS - of an ordinary run and one of tasks, whose output is in
# out and err with these suffixes.
equal_runs() {
	local bad=0
	[ "$2" = "$4" ] || {
		echo "exit status: ordinary $2, task $4"
		bad=1
	}
	equal "output" "$dir/out$1" "$dir/out$3" || bad=1
	equal "stderr" "$dir/err$1" "$dir/err$3" || bad=1
	return $bad
}

# What pip-exec makes of the end of an ordinary process: a signal's number, and a line about it.
as_pip_exec() {
	local signal=$((status - 128))
	[ $signal -gt 0 ] && [ $signal -lt 65 ] || return
	status=$signal
	printf 'pip-exec: PIPID:0 signaled (%s)\n' "$(signal_name $signal)" >>"$dir/err"
}

# As strsignal() has it in the C locale.
signal_name() {
	case $1 in
	2) echo "Interrupt" ;;
	6) echo "Aborted" ;;
	8) echo "Floating point exception" ;;
	9) echo "Killed" ;;
	11) echo "Segmentation fault" ;;
	13) echo "Broken pipe" ;;
	15) echo "Terminated" ;;
	*) echo "signal $1, which signal_name() does not know" ;;
	esac
}

# one_task COMMAND... - with pip-exec; the ordinary run was before.
one_task() {
	as_pip_exec
	run "$dir/out.0" "$dir/err.0" "$PIP_EXEC" "$@"
	equal_runs "" "$status" .0 $?
}

# many_tasks COMMAND... - each with files of its own.
many_tasks() {
	local k bad=0
	rm -rf "$dir/apart"
	mkdir "$dir/apart"
	[ "$stdin" = /dev/null ] || ln -s "$stdin" "$dir/apart/in"
	echo "$status" >"$dir/status"
	run "$dir/out.0" "$dir/err.0" "$PROGRAMS/apart" "$tasks" "$dir/apart" "$@" || bad=1
	cat "$dir/out.0" "$dir/err.0"
	for ((k = 0; k < tasks && !bad; k++)); do
		equal "output of task $k" "$dir/out" "$dir/apart/out.$k" || bad=1
		equal "stderr of task $k" "$dir/err" "$dir/apart/err.$k" || bad=1
		equal "exit status of task $k" "$dir/status" "$dir/apart/status.$k" || bad=1
	done
	return $bad
}

same() {
	local name=$1 status
	shift
	: >"$log"
	run "$dir/out" "$dir/err" "$@"
	status=$?
	if [ $status = 99 ] || [ "$(cat "$dir/out" "$dir/err" | wc -c)" = 0 ]; then
		echo "the ordinary run has no result: status $status" >>"$log"
		report "$name" 1
	elif [ "$tasks" = 1 ]; then
		one_task "$@" >>"$log" 2>&1
		report "$name" $?
	else
		many_tasks "$@" >>"$log" 2>&1
		report "$name, $tasks tasks" $?
	fi
}

# numbers N - lines in no order, the same each time.
numbers() {
	awk -v n="$1" 'BEGIN { x = 1; while (i++ < n) { x = x * 16807 % 2147483647; print x, i } }'
}

check() {
	"$2" >"$log" 2>&1
	report "$1" $?
}
