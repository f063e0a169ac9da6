#!/bin/bash
# test_shells.sh - shells as tasks: what they do all day is make processes, pipes and signals.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2317 # scripts for tasks; called by check()
. "$(dirname "$0")/real.sh"

seq 1 20000 >lines

# What every POSIX shell has; the second argument is a number of rounds.
cat >common.sh <<'SCRIPT'
echo "arguments: $# $1"
printf '%s\n' c a b | sort | tr a-z A-Z | while read -r x; do printf '%s ' "$x"; done
echo
(cd / && echo "in $(pwd)" && exit 3)
echo "subshell $?"
false | true
echo "pipe $?"
cat <<HERE | sed 's/^/here: /'
one $((6 * 7))
	two $(echo three | tr a-z A-Z)
HERE
cat <<'HERE'
$not `expanded`
HERE
big=$(cat lines)
echo "${#big}"
echo "$big" | wc -c
x=0
while [ $x -lt "$1" ]; do
	x=$((x + $(echo 1)))
done
echo "rounds $x"
sh -c 'exit 7' &
job=$!
sleep 0.01 &
wait $job
echo "job $?"
wait
echo "all $?"
trap 'echo "USR1"' USR1
kill -USR1 $$
sh -c "kill -USR1 $$"
trap - USR1
trap '' USR2
sh -c 'kill -USR2 $$; echo "ignored in a child"'
(trap 'echo term; exit 5' TERM; sh -c "kill -TERM \$PPID"; sleep 5)
echo "trapped $?"
{ sh -c 'kill -KILL $$'; } 2>/dev/null
echo "killed $?"
f() { [ "$1" -eq 0 ] || f $(($1 - 1)); }
f 200
echo "recursion $?"
mkdir $$
mkfifo $$/fifo
echo "through a fifo" >$$/fifo &
read -r line <$$/fifo
echo "$line"
wait
exec 5>$$/file
echo "fd 5" >&5
exec 5>&-
cat $$/file
rm -r $$
nonexistent_command 2>/dev/null
echo "not found $?"
echo "to stderr" >&2
trap 'echo "exit trap $?"' EXIT
exit 9
SCRIPT

cat >more.bash <<'SCRIPT'
set -o pipefail
true | (exit 4) | cat
echo "${PIPESTATUS[@]}"
diff <(seq 1 5) <(seq 2 6)
coproc tr a-z A-Z
echo "through a coprocess" >&"${COPROC[1]}"
eval "exec ${COPROC[1]}>&-"
read -r line <&"${COPROC[0]}"
echo "$line"
mapfile -t a < <(seq 10000)
echo "${#a[@]} ${a[9999]}"
declare -A map
for i in "${a[@]}"; do ((map[$((i % 7))] += i)); done
echo "${map[@]}"
cat <<<"a here-string with ${BASH_VERSINFO[0]}"
for i in 1 2 3 4 5; do (sleep 0.0$i; exit $i) & done
sum=0
while wait -n; r=$?; [ $r != 127 ]; do ((sum += r)); done
echo "wait -n: $sum"
trap 'echo "err trap"' ERR
false
trap - ERR
set -m
sleep 30 &
job=$!
jobs | sed 's/  */ /g'
{ kill %1; wait $job; } 2>/dev/null
echo "job control $?"
set +m
printf '%(%Y)T\n' 0
[[ abc =~ ^a(.)c$ ]] && echo "${BASH_REMATCH[1]}"
ulimit -n 100
ulimit -n
(umask 077; : >private; stat -c %a private; rm private)
echo "$BASH_SUBSHELL $( (echo $BASH_SUBSHELL) )"
echo "${BASH##*/} ${0##*/}"
time_it() { TIMEFORMAT=done; time :; }
time_it 2>&1
exec echo "the last word"
SCRIPT

shell_cases() {
	local shell=$1
	same "$shell: a script of the usual" "$shell" common.sh 50
	same "$shell: a command line" "$shell" -c 'echo "$0 $1" | cat; exit 200' name one
	stdin=$PWD/common.sh same "$shell: a script on stdin" "$shell" -s 10
	stdin=$PWD/lines same "$shell: reads its stdin" \
		"$shell" -c 'n=0; while read -r x && [ $n -lt 3000 ]; do n=$((n + x)); done
			echo $n; head -n 1; cat | wc -l'
	same "$shell: ends by a signal" "$shell" -c 'echo now; kill -TERM $$; echo never'
	same "$shell: ends by SIGKILL" "$shell" -c 'echo now; kill -KILL $$; echo never'
	tasks=8 same "$shell: a script of the usual" "$shell" common.sh 10
}

for shell in bash dash; do
	usable "$shell" "$shell" && shell_cases "$shell"
done

usable "busybox" busybox && same "busybox: its own sh and tools" busybox sh -c '
	echo "b a c" | busybox tr " " "\n" | busybox sort | busybox awk "{ print NR, \$1 }"
	(busybox false); echo $?; busybox seq 1000 | busybox md5sum'

usable "bash: more" bash && same "bash: arrays, coprocesses, job control" bash more.bash

# execve keeps what is ignored; so must the way into a task, and out of it again.
ignored_case() {
	trap '' USR1 USR2
	same "bash: signals that its caller ignores" bash -c '
		kill -USR1 $$; echo "alive"; bash -c "kill -USR2 \$\$; echo alive too"; trap -p'
	trap - USR1 USR2
}
usable "bash: ignored signals" bash && ignored_case

interactive_case() {
	printf '%s\n' 'echo $((40 + 2))' 'cat lines | tail -n 1' 'sleep 30 &' 'kill %1; wait; fg' \
		'sh -c "test -t 0 && test -t 1 && echo terminal"' 'exit 6' >typed
	stdin=$PWD/typed
	run out err script -qec "PS1= bash --norc --noediting -i" /dev/null
	local ordinary=$?
	run out.task err script -qec "PS1= $PIP_EXEC bash --norc --noediting -i" /dev/null
	local status=$?
	stdin=/dev/null
	sed -E -i 's/\[1\] [0-9]+/[1] PID/' out out.task
	echo "exit status: ordinary $ordinary, task $status"
	[ "$status" = "$ordinary" ] && grep -q terminal out.task && equal "output" out out.task
}
if usable "bash: interactive" bash; then
	if type -P script >/dev/null; then
		check "bash: interactive, with job control" interactive_case
	else
		skip "bash: interactive, with job control" "script is not installed"
	fi
fi

# pip-exec's own exit code is the largest; the tasks' output has whole lines, in any order.
mixed() {
	# Appending: cat's copy_file_range(2) does not share a file's offset well.
	task -n 3 bash -c 'echo "bash $((6 * 7))"; exit 2' : \
		-n 2 dash -c 'echo "dash $((6 * 7))"; exit 4' : cat lines >>mixed
	local status=$?
	{
		printf 'bash 42\nbash 42\nbash 42\ndash 42\ndash 42\n'
		cat lines
	} | sort >want
	sort mixed | equal "output" want - && [ "$status" = 4 ]
}
usable "bash, dash and cat together" bash dash cat && check "bash, dash and cat together" mixed

finish
