#!/bin/bash
# test_processes.sh - a task's process: the state it begins with, its stacks, its children.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check()
. "$(dirname "$0")/real.sh"

same "fork, vfork, posix_spawn, system, popen, clone, daemon, forkpty" "$PROGRAMS/children"
tasks=4 same "fork, vfork, posix_spawn, system, popen, clone, daemon, forkpty" \
	"$PROGRAMS/children"
same "forks while threads map memory" "$PROGRAMS/forks"
tasks=3 same "forks while threads map memory" "$PROGRAMS/forks"
same "madvise about forks" "$PROGRAMS/children" advice

# ---- The state it begins with --------------------------------------------------------------

same "the state it begins with" "$PROGRAMS/state" one two
state_of_others() (
	umask 027
	ulimit -n 200
	ulimit -S -c 0
	exec 5</etc/passwd 7>/dev/null
	trap '' USR1 USR2 WINCH
	cd /
	same "the state it begins with: limits, descriptors, ignored signals" "$PROGRAMS/state"
	exit $failed
)
state_of_others || failed=1
count=$((count + 1))
with=PATH=$PROGRAMS:$PATH same "the state it begins with: found along PATH" state

# ---- Stacks --------------------------------------------------------------------------------

same "overflows of stacks, caught" "$PROGRAMS/deep"
tasks=4 same "overflows of stacks, caught" "$PROGRAMS/deep"
same "6 MiB of stack" "$PROGRAMS/deep" 6
overflow() {
	task "$PROGRAMS/deep" 100000 2>err
	local status=$?
	cat err
	[ "$status" = 11 ] && grep -q 'signaled (Segmentation fault)' err
}
check "an overflow of the stack, not caught" overflow
stack_before=$(ulimit -S -s)
for kib in 131072 unlimited; do
	if ulimit -S -s $kib 2>/dev/null; then
		same "100 MiB of stack with a limit of $kib KiB" "$PROGRAMS/deep" 100
		tasks=3 same "100 MiB of stack with a limit of $kib KiB" "$PROGRAMS/deep" 100
		ulimit -S -s "$stack_before"
	else
		skip "100 MiB of stack with a limit of $kib KiB" "the limit cannot be raised"
	fi
done

# ---- Ends ----------------------------------------------------------------------------------

for signal in HUP INT QUIT ILL ABRT FPE SEGV PIPE TERM USR1 ALRM KILL XCPU RTMIN; do
	usable "SIG$signal" sh || continue
	ended_by() {
		task sh -c "kill -$signal \$\$; sleep 5" 2>err
		[ $? = "$(kill -l "$signal")" ] && grep -q '^pip-exec: PIPID:0 signaled' err
	}
	check "SIG$signal ends a task" ended_by
done
for code in 0 1 127 128 200 255; do
	same "exit code $code" sh -c "echo $code; exit $code"
done

finish
