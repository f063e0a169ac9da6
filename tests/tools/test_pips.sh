#!/bin/bash
# test_pips.sh - pips: what it lists, its options, and whom it sends signals to.
#
# Most of it goes by a recorded output of ps (PIPS_CHECK_OUT), so that nothing is really done.  What
# runs for real names the PIDs of this test's own programs, always: there may be others.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
pips=$TOOLS/pips plain=$PROGRAMS/plain
: "${CLAIMS:?}"

if ! command -v ps >/dev/null; then
	echo "1..0 # SKIP ps is not installed"
	exit
fi

# Two roots with tasks, one of them in thread mode; a child of a task; and others.
cat >"$dir/both.input" <<'END'
# pips x
    PID     TID TT       STAT     TIME COMMAND             TID     PID    PPID
     50      50 pts/1    Ss   00:00:01 bash                 50      50       1
    100     100 pts/1    S    00:00:00 R:pip-exec          100     100      50
    110     110 pts/1    Sl   00:00:10 0:solver            110     110     100
    110     111 pts/1    Sl   00:00:09 0:solver            111     110     100
    120     120 pts/1    R    00:00:10 1:solver            120     120     100
    121     121 pts/1    S    00:00:00 sh                  121     121     120
    122     122 pts/1    S    00:00:00 sleep               122     122     121
    130     130 pts/1    Z    00:00:00 2:two words <de     130     130     100
    200     200 pts/2    Sl   00:01:00 R|root              200     200      50
    200     201 pts/2    Sl   00:00:30 0|worker            201     200      50
    200     202 pts/2    Sl   00:00:30 1|worker            202     200      50
    300     300 ?        S    00:00:00 R;other             300     300       1
    310     310 ?        S    00:00:00 7;thing             310     310     300
    320     320 ?        S    00:00:00 8.got               320     320     300
    400     400 ?        S    00:00:00 S:no                400     400       1
    401     401 ?        S    00:00:00 1:                  401     401       1
END

# recorded WORD...: what pips makes of it is in $out, its messages too.
recorded() {
	PIPS_CHECK_OUT=$dir/both run "$pips" "$@"
	cp "$dir/both.check" "$out"
}

# tids LIST WORD...: the second column, without the heading.
tids() {
	local want=$1
	shift
	recorded "$@"
	is 0
	[ "$(awk 'NR > 1 { printf "%s%s", sep, $2; sep = " " }' "$out")" = "$want" ] ||
		complain "it does not list $want"
}

layout() {
	case_begin "the table"
	recorded x
	is 0
	says "$err" ""
	says "$out" "$(sed 's/|$//' <<'END'
PID TID TT       STAT TIME     PIP COMMAND             |
100 100 pts/1    S    00:00:00 RL  pip-exec            |
110 110 pts/1    Sl   00:00:10 0L  solver              |
110 111 pts/1    Sl   00:00:09 0L  solver              |
120 120 pts/1    R    00:00:10 1L  solver              |
130 130 pts/1    Z    00:00:00 2L  two words <defunct> |
200 200 pts/2    Sl   00:01:00 RT  root                |
200 201 pts/2    Sl   00:00:30 0T  worker              |
200 202 pts/2    Sl   00:00:30 1T  worker              |
300 300 ?        S    00:00:00 RC  other               |
310 310 ?        S    00:00:00 7C  thing               |
320 320 ?        S    00:00:00 8G  got                 |
END
)"
	case_begin "the table with u"
	cat >"$dir/user.input" <<'END'
# pips u
USER         PID     TID %CPU %MEM    VSZ   RSS TT       STAT START     TIME COMMAND TID PID PPID
somebody-+     7       7  0.5  1.0  12345   678 ?        S    Nov21 00:00:00 R:a       7   7   1
END
	PIPS_CHECK_OUT=$dir/user run "$pips" u
	is 0
	says "$dir/user.check" "$(sed 's/|$//' <<'END'
USER       PID TID %CPU %MEM VSZ   RSS TT       STAT START   TIME     PIP COMMAND |
somebody-+ 7   7   0.5  1.0  12345 678 ?        S    Nov21   00:00:00 RL  a       |
END
)"

	case_begin "without a heading, in any order, sorted by TID"
	{
		echo "# pips"
		sed -n '3,$p' "$dir/both.input" | tac
	} >"$dir/tac.input"
	recorded x
	cp "$out" "$dir/want"
	PIPS_CHECK_OUT=$dir/tac run "$pips" x
	is 0
	cmp -s "$dir/tac.check" "$dir/want" || complain "it is not the same table"
}

selects() {
	local option
	for option in -r --root; do
		case_begin "$option"
		tids "100 200 300" x $option
	done
	for option in -t --task; do
		case_begin "$option"
		tids "110 111 120 130 201 202 310 320" x $option
	done
	case_begin "-r -t: both"
	tids "100 110 111 120 130 200 201 202 300 310 320" x -r -t

	for option in -m --mode; do
		case_begin "$option"
		tids "100 110 111 120 130" x $option L
		tids "200 201 202" x $option t
		tids "300 310" x $option C
		tids "320" x $option g
		tids "100 110 111 120 130 300 310 320" x $option P
		tids "200 201 202 300 310" x $option tc
		tids "200" x -r $option T
	done
	case_begin "--mode=LETTERS"
	tids "200 201 202" x --mode=T

	case_begin "patterns"
	tids "110 111 120" x solver
	tids "110 111" x 110
	tids "111" x 111
	tids "110 111 120 201 202" x '*er' -t
	tids "100 200" x '*o*' -r -m TL pip-exec 200
	tids "130" x 'two words'
	tids "120 201" x 120 201

	case_begin "- and -- protect patterns"
	tids "110 111 120" - solver
	tids "110 111 120" -- solver
	tids "200" x - root
	recorded x - -r
	is 1

	case_begin "the first word is one of letters if it has a, u or x"
	tids "100 110 111 120 130 200 201 202 300 310 320" aux
	tids "200" 200 -r
	# Thus "pips other" is a pattern, and "pips a.out" is not.
	tids "300" other

	for option in -f --family; do
		case_begin "$option"
		tids "100 120" x $option 120
		tids "100 110 111 120 130" x $option pip-exec
		tids "200 201 202" x $option root
		tids "300 310 320" x $option -r other
		tids "100 110 111 120 130 200 201 202 300 310 320" x $option
	done
	case_begin "-f: each root followed by its tasks, and what has no root behind"
	cat >"$dir/mixed.input" <<'END'
# pips x -f
    PID     TID TT       STAT     TIME COMMAND             TID     PID    PPID
     10      10 ?        S    00:00:00 1:late               10      10      70
     20      20 ?        S    00:00:00 R:first              20      20       1
     30      30 ?        S    00:00:00 0:orphan             30      30       1
     40      40 ?        S    00:00:00 0:early              40      40      20
     70      70 ?        S    00:00:00 R:second             70      70       1
     80      80 ?        S    00:00:00 1:early              80      80      20
END
	PIPS_CHECK_OUT=$dir/mixed run "$pips" x -f
	is 0
	cp "$dir/mixed.check" "$out"
	[ "$(awk 'NR > 1 { printf "%s ", $2 }' "$out")" = "20 40 80 70 10 30 " ] ||
		complain "not in this order"

	for option in -d --descent --descentants; do
		case_begin "$option"
		tids "120 121 122" x $option 120
		tids "100 110 111 120 121 122 130" x $option pip-exec
	done
	case_begin "-d: what is no task has no mode"
	matches "$out" '^121 +121 .* - +sh +$'
}

# Nothing is sent: what would be is written.
signals() {
	local option
	for option in -k --kill; do
		case_begin "$option: tasks first, then roots"
		recorded x $option -m L
		is 0
		says "$out" "pip-tgkill SIGTERM 110 0:solver
pip-tgkill SIGTERM 111 0:solver
pip-tgkill SIGTERM 120 1:solver
pip-tgkill SIGTERM 130 2:two words
pip-tgkill SIGTERM 100 R:pip-exec"
	done
	for option in -s --signal; do
		for word in KILL kill SIGKILL sigkill 9; do
			case_begin "$option $word"
			recorded x $option $word 300
			is 0
			says "$out" "pip-tgkill SIGKILL 300 R;other"
		done
	done
	case_begin "--signal=SIGNAL"
	recorded x --signal=hup 300
	says "$out" "pip-tgkill SIGHUP 300 R;other"

	case_begin "-k -d: descendants, too"
	recorded x -k -d 120
	says "$out" "pip-tgkill SIGTERM 120 1:solver
pip-tgkill SIGTERM 121 sh
pip-tgkill SIGTERM 122 sleep"
}

lists() {
	local option
	for option in -P --ps; do
		case_begin "$option"
		recorded x $option -t -m L
		is 0
		says "$out" "execvp( ps H 110 120 130 )"
		recorded x $option -o,pid 200
		says "$out" "execvp( ps H -o pid 200 )"
		recorded x $option
		says "$out" "execvp( ps H 100 110 120 130 200 300 310 320 )"
	done
	case_begin "--ps=OPTIONS"
	recorded x --ps=u,f 200
	says "$out" "execvp( ps H u f 200 )"

	for option in -T --top; do
		case_begin "$option"
		recorded x $option -t -m L
		is 0
		says "$out" "execvp( top -H -p 110,120,130 )"
		recorded x $option -b,-n1 200
		says "$out" "execvp( top -H -b -n1 -p 200 )"
	done
	case_begin "--top=OPTIONS"
	recorded x --top=-b 200
	says "$out" "execvp( top -H -b -p 200 )"
}

# wrong REASON WORD...
wrong() {
	local reason=$1
	shift
	case_begin "$reason: pips $*"
	recorded "$@"
	is 1
	says "$out" "pips: $reason"$'\n'"Usage: pips [a][u][x] <PIPS_OPTIONS> [<CMDS>]"
	# Without a recorded output: on stderr.
	run "$pips" "$@"
	is 1
	says "$err" "$(cat "$dir/both.check")"
	says "$out" ""
}

# either ONE OTHER WORD...
either() {
	local one=$1 other=$2
	shift 2
	case_begin "either $one or $other: pips $*"
	recorded "$@"
	is 1
	says "$out" "PIPS: either $one or $other can be specified"
}

errors() {
	local option
	# All of these fail before anything is sent.
	for option in -s --signal; do
		wrong "No signal specified" x $option
		wrong "No signal specified" x $option -t
		wrong "Invalid signal" x $option NOSUCH 2
		wrong "Invalid signal" x $option 0 2
	done
	wrong "Multiple signal options" x -k -s HUP
	wrong "Multiple signal options" x -s HUP -k
	wrong "Multiple signal options" x -s HUP -s INT
	wrong "No mode specified" x -m
	wrong "No mode specified" x --mode -r
	wrong "Invalid mode" x -m LX
	wrong "Unknown option: -y" x -y
	wrong "Unknown option: --what" x --what
	either --ps --top x -P -T
	either --ps --top x --top --ps
	either --kill --ps x -k -P
	either --signal --top x -s HUP -T

	case_begin "nobody there"
	recorded x no-such-program
	is 1
	says "$out" "PIPS: no PiP task found"
	run "$pips" x no-such-program
	is 1
	says "$err" "PIPS: no PiP task found"

	for option in -h --help; do
		case_begin "$option"
		run "$pips" $option
		is 0
		matches "$out" '^Usage: pips '
	done

	case_begin "ps is not there"
	mkdir -p "$dir/nothing"
	run env "PATH=$dir/nothing" "$pips" x
	is 1
	matches "$err" "^pips: cannot run ps: No such file"

	case_begin "it cannot write"
	run sh -c 'PIPS_CHECK_OUT=$2 exec "$1" x' sh "$pips" "$dir/there-is-no/folder"
	is 1
	matches "$err" "cannot open"
}

# ---- For real

root_pid=

# Have all members other names than the root?
named() {
	local pid root
	root=$(cat /proc/$root_pid/comm)
	for pid in $members; do
		[ "$(cat "/proc/$pid/comm")" != "$root" ] || return
	done 2>/dev/null
}

# begin TASKS COMMAND...: a root, until end.  Then $members has the PIDs of its tasks.
begin() {
	local tasks=$1 waited=0
	shift
	"$@" &
	root_pid=$!
	executed $root_pid
	until members=$(pgrep -P $root_pid) && [ "$(wc -w <<<"$members")" -ge "$tasks" ] &&
		# Their names are there when their programs are, if those have others than it.
		{ named || [ $waited -gt 60 ]; } &&
		[ "$("$pips" x -f - $root_pid 2>/dev/null | grep -c '^[0-9]')" -gt "$tasks" ]; do
		[ $((waited += 1)) -lt 200 ] || break
		sleep 0.05
	done
}

end() {
	local pid
	for pid in $members $root_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
}

really() {
	local mark line
	case_begin "a root and its tasks, for real"
	begin 3 "$TOOLS/pip-exec" -n 2 "$plain" pause : "$PROGRAMS/plain-stripped" pause
	run "$pips" x -f - $root_pid
	is 0
	[ "$(awk 'NR > 1 { print $NF }' "$out" | paste -sd ' ')" = \
		"pip-exec plain plain plain-strippe" ] || complain "not the programs that run"
	[ "$(awk 'NR > 1 { print $(NF - 1) }' "$out" | paste -sd ' ')" = "RC 0C 1C 2C" ] ||
		complain "not what they are"
	matches "$out" "^$root_pid +$root_pid "
	line=$(head -n 1 "$out")
	[ "${line##* PIP}" != "$line" ] || complain "no heading"

	case_begin "names longer than the kernel's, and those of all users"
	run "$pips" ax -t - "plain-strippe[d]"
	is 0
	matches "$out" ' 2C +plain-strippe'
	run "$pips" aux - $root_pid
	is 0
	matches "$out" "^$(id -un | cut -c 1-7).* $root_pid .* RC +pip-exec +$"

	case_begin "--json"
	run "$pips" x -f --json - $root_pid
	is 0
	if command -v python3 >/dev/null; then
		python3 - "$out" $root_pid "$plain" <<'END' >"$dir/trouble" 2>&1 ||
import json, sys
rows = json.load(open(sys.argv[1]))
root = int(sys.argv[2])
assert [r["role"] for r in rows] == ["root", "task", "task", "task"], "roles"
assert rows[0]["pid"] == root and rows[0]["root"] is None and rows[0]["pipid"] is None
assert rows[0]["program"].endswith("/pip-exec")
assert len({r["space"] for r in rows}) == 1, "one space"
for pipid, r in enumerate(rows[1:]):
    assert r["pipid"] == pipid and r["root"] == root and r["ppid"] == root, r
    assert r["mode"] == "process:pipclone" and r["state"] == "live", r
    assert r["started_by"] == "pip_spawn", r
    assert r["program"].startswith(sys.argv[3]), r
    assert 0 < r["memory"]["resident"] <= r["memory"]["mapped"], r
    assert r["ps"]["PID"] == str(r["pid"]), r
END
			complain "$(cat "$dir/trouble")"
	fi

	case_begin "--debug"
	run "$pips" x --debug - $root_pid
	is 0
	matches "$err" "^space [0-9]+ of PID [0-9]+, version 1: "

	case_begin "-P and -T, for real"
	run "$pips" x -P - $root_pid
	is 0
	matches "$out" " $root_pid | *$root_pid "
	if command -v top >/dev/null; then
		run env TERM=dumb "$pips" x --top=-b,-n1 - $root_pid
		is 0
		matches "$out" "^ *$root_pid "
	fi

	case_begin "a zombie"
	# shellcheck disable=SC2086 # several words
	set -- $members
	kill -STOP $root_pid
	kill -KILL "$1"
	while [ -r "/proc/$1/stat" ] && ! grep -q ') Z' "/proc/$1/stat"; do
		sleep 0.05
	done
	run "$pips" x -t - "$1"
	is 0
	matches "$out" "^$1 +$1 .* Z[^ ]* .* 0C +plain <defunct>"
	kill -CONT $root_pid

	case_begin "-k -v ends tasks and root"
	run "$pips" x -f -k -v - $root_pid
	is 0
	says "$err" ""
	matches "$out" "^pip-tgkill SIGTERM $2 $2 \(1;plain\)$"
	tail -n 1 "$out" | grep -qx "pip-tgkill SIGTERM $root_pid $root_pid (R;pip-exec)" ||
		complain "the root is not the last"
	wait $root_pid 2>/dev/null
	status=$?
	# The signal of the first task that was ended by one; or its own, if that came before it had
	# waited for all.
	[ "$status" = 9 ] || [ "$status" = 15 ] || is $((128 + 15))
	end

	case_begin "what only has such a name is not listed"
	cp "$(command -v sleep)" "$dir/R:sleep"
	"$dir/R:sleep" 60 &
	mark=$!
	executed $mark
	run "$pips" x - $mark
	is 1
	kill $mark
	wait $mark 2>/dev/null
}

# Under a launcher names are as ever: only the registry knows.
launched() {
	case_begin "a launcher and what it starts"
	# shellcheck disable=SC2016
	begin 2 "$TOOLS/pip-mode" -L bash -c 'sleep 60 & bash -c "sleep 61 & wait; :" & wait; :'
	local nested=
	run "$pips" x -f --json - $root_pid
	is 0
	if [ "$status" = 0 ] && command -v python3 >/dev/null; then
		python3 - "$out" $root_pid <<'END' >"$dir/trouble" 2>&1 ||
import json, sys
rows = json.load(open(sys.argv[1]))
root = rows[0]
assert root["role"] == "root" and root["pid"] == int(sys.argv[2]), root
assert root["mode"] == "process:preload" and root["program"].endswith("bash"), root
tasks = [r for r in rows[1:] if r["root"] == root["pid"]]
assert {r["command"] for r in tasks} == {"sleep", "bash"}, tasks
for r in tasks:
    assert r["started_by"] == "launcher" and r["space"] == root["space"], r
END
			complain "$(cat "$dir/trouble")"
	fi
	for pid in $members; do
		nested+=" $(pgrep -P "$pid")"
	done
	case_begin "a task that is a root itself"
	# shellcheck disable=SC2086 # several words
	set -- $nested
	run "$pips" x -f - "$1"
	is 0
	[ "$(awk 'NR > 1 { print $NF }' "$out" | paste -sd ' ')" = "bash bash sleep" ] ||
		complain "not the chain of its roots"
	matches "$out" "^$1 .* 0L +sleep"
	case_begin "-f goes down to the tasks of tasks"
	run "$pips" x -f - $root_pid
	is 0
	[ "$(wc -l <"$out")" = 5 ] || complain "not four programs"
	[ "$(grep -A1 -E ' [0-9]L +bash ' "$out" | tail -n 1 | awk '{ print $1 }')" = "$1" ] ||
		complain "the inner root is not followed by its task"
	members+=" $nested"
	end
}

# A whole job.
job() {
	local mpiexec
	mpiexec=$(command -v mpiexec.hydra) || return 0
	case_begin "mpiexec, its proxy and its ranks"
	begin 1 "$TOOLS/pip-mode" -L "$mpiexec" -n 3 sleep 62
	local waited=0 kind
	until [ "$(pgrep -c -P "${members:-$root_pid}")" = 3 ] || [ $((waited += 1)) -gt 200 ]; do
		sleep 0.05
	done
	members+=" $(pgrep -P "$members")"
	for kind in 1 2 3 4 5 6 7 8 9 10; do # until all ranks have got their program
		run "$pips" x -f --json - $root_pid
		[ "$(grep -c '"program": ".*/sleep"' "$out")" != 3 ] || break
		sleep 0.2
	done
	[ "$(grep -c '"role": "task and root"' "$out")" = 1 ] || complain "not one inner root"
	[ "$(grep -c '"program": ".*hydra_pmi_proxy"' "$out")" = 1 ] || complain "not one proxy"
	[ "$(grep -c '"program": ".*/sleep"' "$out")" = 3 ] || complain "not three ranks"
	[ "$(grep -c '"mode": "process:preload"' "$out")" = 5 ] || complain "another mode"
	for kind in 0 1 2; do
		matches "$out" "\"pipid\": $kind,"
	done
	end
}

# claims WHAT: a process with such a registry, $liar.
claims() {
	mkfifo "$dir/ready"
	"$CLAIMS" "$1" >"$dir/ready" &
	liar=$!
	read -r _ <"$dir/ready"
	rm "$dir/ready"
}

# Registries are anybody's: nobody is taken for a task because of another process's word.
lies() {
	local what
	case_begin "a registry that names a process outside its space"
	claims parent
	run "$pips" x --json - $liar
	is 0
	matches "$out" '"pipid": 7,'
	matches "$out" '"root": null,'
	run "$pips" x - $$
	is 1
	run "$pips" x -f -d -k -v - $liar
	is 0
	says "$out" "pip-tgkill SIGTERM $liar $liar (claims)"
	wait $liar 2>/dev/null
	status=$?
	is 143

	for what in version size offset noise; do
		case_begin "a registry that cannot be right: $what"
		claims $what
		run "$pips" x - $liar
		is 1
		matches "$err" '^PIPS: no PiP task found$'
		[ $what = noise ] || matches "$err" \
			"^pips: the space of PID $liar: its registry is .*; some tasks may be"
		kill $liar
		wait $liar 2>/dev/null
	done
}

# As PIPS_CHECK_OUT reads it.
records() {
	case_begin "PIPS_CHECK_GEN records what PIPS_CHECK_OUT reads"
	begin 1 "$TOOLS/pip-exec" "$plain" pause
	PIPS_CHECK_GEN=$dir/gen run "$pips" x -f - $root_pid
	is 0
	cmp -s "$out" "$dir/gen.output" || complain "its own output is not recorded"
	head -n 1 "$dir/gen.input" | grep -q '^# .*pips x -f' || complain "no first line"
	PIPS_CHECK_OUT=$dir/gen run "$pips" x -f - $root_pid
	is 0
	cmp -s "$dir/gen.check" "$dir/gen.output" || complain "another output than was recorded"
	end
}

layout
selects
signals
lists
errors
if ! command -v pgrep >/dev/null; then
	finish
fi
trap 'end; rm -rf "$dir"' EXIT
members=
really
launched
job
lies
records
finish
