#!/bin/bash
# test_launchers.sh - programs that start others, with their children as tasks: each attribute of
# what they start is as without.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2317 # functions are called through check()
. "$(dirname "$0")/real.sh"
. "$(dirname "$0")/launch.sh"

has() {
	local program
	for program in "$@"; do
		type -P "$program" >/dev/null || {
			skip "$program" "not installed"
			return 1
		}
	done
}

launched "bash -c" bash -c 'probe a "b c" ""; :'
kind=ordinary launched "bash -c, exec of the last command" bash -c 'probe'
launched "bash -c, two in a pipeline" bash -c 'probe | cat; probe one 2>&1 | sort'
launched "dash -c" dash -c 'probe a "b c" ""; :'
kind=ordinary launched "dash -c, exec" dash -c 'exec probe'
launched "xargs" bash -c 'seq 4 | xargs -n2 probe'
order=no launched "xargs -P" bash -c 'seq 8 | xargs -P4 -n2 probe'
launched "xargs -a" bash -c 'seq 4 >list; xargs -a list -n3 probe'

# Those that start no other process, but become the program: as they are, and below a shell.
becomes() {
	local name=$1
	shift
	[ "$kind" != task ] || kind=ordinary launched "$name" "$@"
	launched "bash -c '$name; :'" bash -c '"$@"; :' bash "$@"
}

launched "timeout" timeout 50 probe
launched "timeout --foreground" timeout --foreground 50 probe
becomes "env" env -u HOME A=1 probe
becomes "env -i" env -i PROBE_TOP=$$ "$probe"
becomes "env -S" env -S 'A=1 probe x y'
becomes "env with signals" \
	env --ignore-signal=USR1 --block-signal=USR2 --default-signal=PIPE probe
becomes "env -C" env -C / probe
becomes "nice" nice -n 5 probe
becomes "nice nice env" nice -n 5 nice -n 2 env A=1 probe
[ "$(id -u)" = 0 ] && becomes "nice upwards" nice -n -5 probe
becomes "setsid" setsid probe
becomes "setsid -w" setsid -w probe
launched "setsid -f" env PROBE_ORPHAN_OF=setsid bash -c 'setsid -f probe | cat'
becomes "nohup" nohup probe
becomes "stdbuf" stdbuf -o0 probe
has chrt && {
	becomes "chrt -b" chrt -b 0 probe
	becomes "chrt -i" chrt -i 0 probe
	[ "$(id -u)" = 0 ] && {
		becomes "chrt -f" chrt -f 10 probe
		becomes "chrt -r -R" chrt -R -r 10 probe
	}
}
has taskset && becomes "taskset" taskset -c 0 probe
has ionice && becomes "ionice" ionice -c 3 probe
has prlimit && {
	for most in 5 6 8 11; do
		kind=ordinary launched "prlimit of descriptors, $most" prlimit --nofile=$most \
			dash -c 'probe; /bin/echo two | cat; exec 4</dev/null; probe; :'
	done
	becomes "prlimit" prlimit --nofile=100:200 --core=0 --fsize=100000000 --stack=4194304 probe
	kind=either becomes "prlimit of memory" prlimit --as=8000000000 probe
	kind=either becomes "prlimit of data" prlimit --data=800000000 probe
}
has choom && kind=either becomes "choom" choom -n 500 probe
has flock && {
	launched "flock" flock lock probe
	becomes "flock -F" flock -F lock probe
}
has numactl && becomes "numactl" numactl --preferred=0 probe
has setarch && {
	kind=either becomes "setarch -R" setarch -R probe
	becomes "setarch, uname" setarch --uname-2.6 probe
	kind=either becomes "setarch -L" setarch -L probe
}
has setpriv && {
	kind=either becomes "setpriv --no-new-privs" setpriv --no-new-privs probe
	kind=either becomes "setpriv --pdeathsig" setpriv --pdeathsig TERM probe
	[ "$(id -u)" = 0 ] && {
		kind=either becomes "setpriv --reuid" \
			setpriv --reuid 65534 --regid 65534 --clear-groups probe
		kind=either becomes "setpriv --groups" setpriv --groups 4,5,6 probe
		kind=either becomes "setpriv, capabilities" \
			setpriv --bounding-set -sys_admin --inh-caps -all probe
		kind=either becomes "setpriv, ambient capabilities" \
			setpriv --reuid 65534 --inh-caps +kill --ambient-caps +kill probe
		kind=either becomes "setpriv --securebits" setpriv --securebits +noroot probe
	}
}
[ "$(id -u)" = 0 ] && {
	has su && {
		kind=either launched "su -c" su -c 'probe; probe two' nobody -s /bin/sh
		kind=either launched "su - -c" su - -c "$probe; $probe two" nobody -s /bin/bash
		kind=either launched "su, root" su -c 'probe; probe two'
	}
	liar='case ${LD_PRELOAD:-} in *libpip-*) n=1 ;; *) n=0 ;; esac; exec "$0" "$n" "$@"'
	launched "rights, denied" sh -c "$liar" "$PROGRAMS/liar" all
	has setpriv && launched "some of the groups, denied" \
		setpriv --groups 4,5,6 sh -c "$liar" "$PROGRAMS/liar" groups
	has setpriv && launched "another's memory for an argument" \
		setpriv --groups 4,5,6 sh -c "$liar" "$PROGRAMS/liar" memory
	! unshare -u true 2>/dev/null ||
		launched "another host name, denied" sh -c "$liar" "$PROGRAMS/liar" world
	drop=$PROGRAMS/drop
	kind=either launched "rights, given up" bash -c '"$0"; echo $?; "$0" probe; :' "$drop"
	kind=either launched "rights, given up, dash" dash -c '"$0"; echo $?; "$0" probe; :' "$drop"
	launched "rights, given up, then killed" bash -c ': >out; "$0" - >out & p=$!
while ! grep child out; do kill -0 $p || break; done
for s in STOP CONT TERM; do kill -$s $p; done; wait $p; echo $?; cat out' "$drop"
	launched "rights, given up, then killed for sure" bash -c ': >out; "$0" - >out & p=$!
while ! grep child out; do kill -0 $p || break; done; kill -KILL $p; wait $p; echo $?' "$drop"
	# Who launches wakes late.
	launched "rights, given up on a busy machine" bash -c 'for i in 1 2 3 4 5; do
	(while :; do :; done) & busy="$busy $!"
done
for i in 1 2 3 4 5 6 7 8 9 10; do dash -c "\"\$0\" quick; \"\$0\" quick; :" "$0" || echo $?; done
kill $busy; echo end' "$drop"
	has runuser && kind=either becomes "runuser" runuser -u nobody probe
	has chroot && kind=either becomes "chroot" chroot --userspec=nobody / "$probe"
	has start-stop-daemon && {
		kind=either becomes "start-stop-daemon" start-stop-daemon --start --exec "$probe" \
			--chuid nobody --nicelevel 3 --umask 027 --chdir / -- word
	}
}
has unshare && {
	if unshare -n true 2>/dev/null; then
		kind=either becomes "unshare -n" unshare -n probe
		kind=either launched "unshare -p" unshare -f -p --mount-proc "$probe"
		kind=either launched "unshare -u -i" unshare -u -i sh -c 'probe; probe'
	fi
	if unshare -U true 2>/dev/null; then
		kind=either becomes "unshare -U" unshare -U probe
		kind=either becomes "unshare -r" unshare -r probe
	fi
}
kind=either launched "ulimit" bash -c 'ulimit -n 99; ulimit -S -s 1000; ulimit -c 0; probe;
ulimit -v 9000000; probe'
launched "umask, cd, descriptors" \
	bash -c 'umask 027; cd /; exec 5</etc/passwd 7>/dev/null 9<>/dev/zero; read -r -n3 <&5;
probe; :'
launched "trap" bash -c "trap '' USR1 USR2 WINCH; trap 'echo' TERM HUP; probe; (trap - USR1; probe)"

launched "kill -STOP of a subshell" bash -c 'exec 5< <(while :; do echo x; done); p=$!; n=0
read -r -u5; kill -STOP $p
while read -r -t 1 -u5; do n=$((n + 1)); [ $n -le 100000 ] || break; done
[ $n -le 100000 ] && echo stopped
kill -CONT $p; read -r -t 20 -u5 && echo "goes on"; kill -KILL $p; wait $p; echo $?'
kind=either launched "a robust mutex" \
	bash -c '"$0" file lock; "$0" file try; "$0" file try' "$PROGRAMS/robust"
kind=either launched "exit_group and nothing else" \
	bash -c '"$0" prctl; echo $?; "$0" seccomp; echo $?; :' "$PROGRAMS/sealed"
# A program may get memory that an earlier one has used.
for way in stack data poke patch protect unmap replace move dontfork wipeonfork lock; do
	for shell in dash bash; do
		launched "traces of another program, $way, $shell" "$shell" -c \
			'"$0" look; "$0" "$1"; echo $?; "$0" look; "$0" look; :' \
			"$PROGRAMS/traces" $way
	done
done
launched "find -exec" bash -c 'touch a b; find . -type f -exec probe {} \; | sed s,./,,'
launched "find -exec +" bash -c 'touch a b; find . -type f -exec probe {} +'
launched "find -execdir" \
	bash -c 'mkdir d; touch d/a d/b; PATH=/usr/bin:/bin:${PATH%%:*};
find . -type f -execdir probe {} \;'
cat >"$dir/Makefile" <<'X'
all: one two three
one two:
	@probe $@ >$@
three: one two
	@cat one two
	@probe $(shell probe shell | grep -c .) || exit 3
	+@probe plus
	@exit 3
X
launched "make" make -f "$dir/Makefile"
# Of jobs at the same time make lets one have its standard input: who is first.
without='^fd 0:' order=no launched "make -j" make -j3 -f "$dir/Makefile"
without='^fd 0:' launched "make -j in make" \
	bash -c 'printf "all:\n\t+@make -s -j2 -f %s\n" "'"$dir"'/Makefile" >M; make -s -f M'
for how in 'system "probe", "a"' 'system "probe a"' 'system "probe a | cat; :"' 'exec "probe"' \
	'exec {"probe"} "another name", "x"' \
	'if ($p = fork) { waitpid $p, 0; print $?; } else { exec "probe" }' \
	'if ($p = fork) { waitpid $p, 0; print $?; } else { exec {"probe"} "-x", "y" }' \
	'print `probe`' 'open F, "probe|"; print <F>; close F' 'open F, "|-", "probe"; close F' \
	'use IPC::Open3; $p = open3($i, $o, 0, "probe"); print <$o>; waitpid $p, 0' \
	'use IPC::Open2; $p = open2($o, $i, "probe"); print <$o>; waitpid $p, 0' \
	'$0 = "renamed"; system "probe"' '$SIG{INT} = "IGNORE"; $SIG{USR1} = sub {};
system "probe"' \
	'use POSIX; if (!fork) { setsid; setpgid 0, 0; nice 3; alarm 1000; exec "probe" } wait' \
	'use POSIX; if (!fork) { sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1, SIGHUP));
kill USR1, $$; exec "probe" } wait' \
	'$^F = 9; open F, "</etc/passwd"; read F, $x, 3; system "probe"'; do
	case $how in
	exec*) kind=ordinary ;;
	*) kind=task ;;
	esac
	launched "perl: $how" perl -e "\$| = 1; $how"
done
kind=task
# Set-group-ID on some systems: then LD_PRELOAD is no longer in the environment.
has ssh-agent && kind=either launched "ssh-agent" \
	ssh-agent sh -c 'unset SSH_AGENT_PID SSH_AUTH_SOCK; probe; exec probe'
has parallel && {
	export PARALLEL_HOME=$dir/parallel
	mkdir -p "$PARALLEL_HOME"
	: >"$PARALLEL_HOME/will-cite"
	launched "parallel -k" parallel -k -j3 'probe | grep -v PARALLEL_PID' ::: a b c
}
has script && launched "script -qc" script -qec 'stty -echo; probe; probe two' /dev/null
# The command runs in a forked child of watch that stays what it is.
has watch && without=^ancestors: launched "watch -g" bash -c 'echo 1 >n;
TERM=dumb timeout 5 watch -t -g -n 0.1 "read n <n; echo \$((n + 1)) >n; cat n; probe >p\$n;
rm -f p[3-9]" >/dev/null; cat p1'
has mawk && launched "mawk" mawk 'BEGIN { system("probe a");
while ("probe b" | getline x) print x; print "c" | "cat; probe d" }'
has gawk && launched "gawk" gawk 'BEGIN { system("probe a");
while ("probe b" | getline x) print x; print "c" | "cat; probe d"; close("cat; probe d");
print "e" |& "cat; probe f"; close("cat; probe f", "to"); while ("cat;
probe f" |& getline x) print x }'
has sqlite3 && launched "sqlite3" \
	sqlite3 -batch :memory: '.shell probe a' '.system probe' 'select 1;'
has git && {
	launched "git alias" git -c 'alias.x=!probe' x one two
	launched "git alias, in a repository" \
		bash -c 'git init -q . && git -c alias.x="!f() { probe; }; f" x one'
}
for shell in zsh tcsh ksh mksh yash busybox; do
	type -P $shell >/dev/null || continue
	kind=mixed without=^ancestors: launched "$shell -c" \
		"$shell" ${shell/#[^b]*/} ${shell/#busybox/sh} \
		-c 'probe a; probe b | cat; (probe c; probe d)'
done
for ruby in 'system "probe", "a"' 'puts `probe`' 'exec "probe"' \
	'pid = spawn("probe", chdir: "/",
	umask: 077, pgroup: true, in: "/etc/passwd"); Process.wait pid' \
	'if (p = fork) then Process.wait(p) else exec("probe") end' 'IO.popen(["probe",
	"a"]) { |f| puts f.read }'; do
	kind=task
	[ "${ruby#exec}" = "$ruby" ] || kind=ordinary
	type -P ruby >/dev/null && launched "ruby: $ruby" ruby -e "\$stdout.sync = true; $ruby"
done
kind=task
echo 'puts [exec probe a]; exec probe b | cat >@stdout; set f [open "|probe c"]; puts [read $f];
close $f' >"$dir/tcl"
has tclsh && launched "tclsh" tclsh "$dir/tcl"
kind=either shells "files of /proc/self" <<'X'
memory="maps smaps mem environ" # dash's children still have its own when they open it
for f in status stat limits comm cgroup mounts io ${BASH:+$memory}; do
	cat </proc/self/$f | wc -l; grep -c . </proc/self/$f
	(exec cat /proc/self/comm) </proc/self/$f
done
grep ^Name: </proc/self/status; cat /proc/self/comm </proc/thread-self/comm
cat - 7<&0 </proc/self/comm <&7; { read -r line; grep -c ^Max; } </proc/self/limits
cd /proc; cat <self/comm; (cat <self/comm; :)
X
kind=either launched "a vfork's child that outlives its parent" dash -c '
	"$1" out; echo "status $?"; until [ -s out ]; do /bin/true; done; cat out' \
	dash "$PROGRAMS/guest"
has lua5.4 && launched "lua" lua5.4 -e 'os.execute("probe"); f = io.popen("probe a");
print(f:read("a")); f:close()'
kind=task
for mpi in mpiexec.hydra orterun; do
	type -P $mpi >/dev/null || continue
	[ "$mpi" = orterun ] && mpi="orterun --allow-run-as-root --oversubscribe"
	order=no launched "$mpi" bash -c "$mpi -n 1 probe a b |
grep -v 'PMI\|OMPI_\|PMIX_\|HYDI\|^env TMPDIR\|GPG' | sed 's/port [0-9]*//'"
done

# A launcher sees nothing of a task's stop; the script finds it stopped, and is not stopped itself.
cat >"$dir/bin/stop" <<'END'
#!/bin/sh
read -r stat <"/proc/$1/stat"
state=${stat##*) }
echo "$2 ${3##*/} ${state%% *}" >>"${0%/*}/stops"
/bin/kill -CONT "$1"
END
: >"$dir/bin/stops"
chmod 755 "$dir/bin/stop"
chmod 666 "$dir/bin/stops"
stops_are_right() {
	printf '%d probe T\n' 0 1 2 | equal "what the scripts saw" - "$dir/bin/stops"
}
launched "PIP_STOP_ON_START" env PIP_QUIET=1 sh -c '
	PIP_STOP_ON_START=${0}@ probe a; PIP_STOP_ON_START=$0 probe b & wait $!
	(PIP_STOP_ON_START=$0@2 probe c); PIP_STOP_ON_START=@9 probe d' "$dir/bin/stop"
[ -n "${ONLY:-}" ] || check "PIP_STOP_ON_START: the scripts" stops_are_right

# ---- Python --------------------------------------------------------------------------------

python=
for python3 in /usr/bin/python3 $(type -P python3); do
	[ -x "$python3" ] && [ -z "$python" ] && python=$python3
done
py() {
	local name=$1
	shift
	[ -n "$python" ] || {
		skip "python: $name" "there is no python3"
		return
	}
	launched "python: $name" "$python" -c "import os, sys, subprocess, signal, resource
run = subprocess.run
def wait(pid): print('status', os.waitpid(pid, 0)[1], flush=True)
$1"
}
# What the stand-in executes by itself runs below the process that stands for it.
apart() {
	without='^(ancestors|ppid|parent-death signal):' kind=either "$@"
}

py "subprocess" 'run(["probe", "a"])'
py "subprocess, shell" 'run("probe a; probe b | cat", shell=True)'
py "subprocess, output" 'print(run(["probe"], capture_output=True, text=True).stdout)'
py "subprocess, input" 'run(["probe"], input=b"x" * 100)'
py "close_fds=False" \
	'f = open("/etc/passwd"); os.set_inheritable(f.fileno(), True);
run(["probe"], close_fds=False)'
py "pass_fds" 'a, b = os.pipe(); run(["probe"], pass_fds=[a, b])'
py "preexec_fn" \
	'run(["probe"], preexec_fn=lambda: (os.nice(3), os.umask(0o77), signal.alarm(1000),
	resource.setrlimit(resource.RLIMIT_NOFILE, (60, 70))))'
py "preexec_fn of signals" \
	'run(["probe"], preexec_fn=lambda: (signal.signal(signal.SIGUSR1, signal.SIG_IGN),
	signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGRTMIN]),
	os.kill(os.getpid(), signal.SIGUSR2), signal.setitimer(signal.ITIMER_PROF, 500, 100)),
	restore_signals=False)'
py "preexec_fn of scheduling" \
	'run(["probe"], preexec_fn=lambda: (os.sched_setaffinity(0, [0]), os.sched_setscheduler(0,
	os.SCHED_BATCH, os.sched_param(0))))'
py "preexec_fn of priorities" \
	'run(["probe"], preexec_fn=lambda: (os.setpriority(os.PRIO_PROCESS, os.getpid(), 7),
	os.sched_setaffinity(os.getpid(), [0])))'
apart py "preexec_fn, oom_score_adj" \
	'run(["probe"], preexec_fn=lambda: open("/proc/self/oom_score_adj",
	"w").write("400"))'
py "preexec_fn of prctl" \
	'import ctypes; libc = ctypes.CDLL(None);
run(["probe"], preexec_fn=lambda: (libc.prctl(1, 15), libc.prctl(36, 1), libc.prctl(29, 70000),
	libc.prctl(38, 1, 0, 0, 0), libc.prctl(4, 0)))'
apart py "preexec_fn of prctl: huge pages" \
	'import ctypes; libc = ctypes.CDLL(None)
run(["probe"], preexec_fn=lambda: libc.prctl(41, 1, 0, 0, 0)); run(["probe"])'
py "preexec_fn, personality" \
	'import ctypes; libc = ctypes.CDLL(None);
run(["probe"], preexec_fn=lambda: libc.personality(0x4000000)); run(["probe"])'
kind=either py "preexec_fn, personality: another layout" \
	'import ctypes; libc = ctypes.CDLL(None);
run(["probe"], preexec_fn=lambda: libc.personality(0x0100000)); run(["probe"])'
apart py "preexec_fn, core filter" \
	'run(["probe"], preexec_fn=lambda: open("/proc/self/coredump_filter",
	"w").write("0x7f")); run(["probe"])'
py "preexec_fn, rounding" \
	'import ctypes; m = ctypes.CDLL("libm.so.6");
run(["probe"], preexec_fn=lambda: m.fesetround(0x800))'
kind=ordinary py "a launcher that is not dumpable" 'import ctypes; libc = ctypes.CDLL(None);
libc.prctl(4, 0); run(["probe"]); run(["probe"], preexec_fn=lambda: 0)'
py "a launcher with a parent-death signal, a subreaper" \
	'import ctypes; libc = ctypes.CDLL(None); libc.prctl(1, 15); libc.prctl(36, 1);
libc.prctl(29, 70000); run(["probe"]); run(["probe"], preexec_fn=lambda: 0)'
py "a launcher with signals" \
	'signal.signal(signal.SIGUSR1, signal.SIG_IGN);
signal.signal(signal.SIGUSR2, lambda *x: 0);
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, 40]);
os.kill(os.getpid(), signal.SIGHUP); signal.alarm(1000); run(["probe"]);
run(["probe"], preexec_fn=lambda: 0);
os.posix_spawn(sys.argv[0] or "/bin/true", ["true"], {}) if 0 else 0'
py "start_new_session" 'run(["probe"], start_new_session=True)'
py "process_group" \
	'run(["probe"], preexec_fn=os.setpgrp);
run(["probe"], preexec_fn=lambda: os.setpgid(os.getpid(), 0))'
py "setsid, then setpgid" \
	'run(["probe"], preexec_fn=lambda: (os.setsid(), print(os.getsid(0) == os.getpid(),
	os.getpgrp() == os.getpid())))'
py "cwd, env, umask" \
	'run(["probe"], cwd="/", env={"PROBE_TOP": os.environ["PROBE_TOP"],
	"PATH": os.environ["PATH"], "A": ""}, umask=0o70)'
[ "$(id -u)" = 0 ] && kind=either py "user, group" \
	'run(["probe"], user=65534, group=65534, extra_groups=[5, 6])'
[ "$(id -u)" = 0 ] && kind=either py "rights, after a session and limits" 'pid = os.fork()
if pid == 0:
    os.setsid(); os.nice(-7)
    resource.setrlimit(resource.RLIMIT_NOFILE, (777, 7777))
    os.setgroups([4, 5]); os.setgid(65534); os.setuid(65534)
    os.execvp("probe", ["probe", "a"])
wait(pid)'
[ "$(id -u)" = 0 ] && kind=either py "rights, and a path that is not there" 'pid = os.fork()
if pid == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    try: os.execv("/etc/none", ["none"])
    except OSError as e: print(e, flush=True)
    try: os.execv("/etc/shadow", ["none"])
    except OSError as e: print(e, flush=True)
    os.execvp("probe", ["probe", "a"])
wait(pid)'
[ "$(id -u)" = 0 ] && kind=either py "more groups than 64" 'os.setgroups(range(1, 101))
run(["probe"]); run(["probe"], preexec_fn=lambda: os.setgroups(range(2, 102)))'
py "another argv[0]" 'run(["name", "a"], executable="'"$probe"'")'
py "os.fork" 'pid = os.fork(); os.execvp("probe", ["probe", "a"]) if pid == 0 else wait(pid)'
py "os.fork, /proc/self/fd" \
	'pid = os.fork(); os.execve("/proc/self/fd/%d" % os.open("'"$probe"'", os.O_RDONLY),
	["probe", "a"], os.environ) if pid == 0 else wait(pid)'
kind=either py "os.fork, fexecve" \
	'pid = os.fork();
os.execve(os.open("'"$probe"'", os.O_RDONLY), ["probe", "a"],
	os.environ) if pid == 0 else wait(pid)'
py "os.fork, setpgid by the parent" 'a, b = os.pipe(); pid = os.fork()
if pid == 0: os.read(a, 1); os.execvp("probe", ["probe"])
os.setpgid(pid, pid); os.setpriority(os.PRIO_PROCESS, pid, 4);
resource.prlimit(pid, resource.RLIMIT_NOFILE, (50, 60)); os.sched_setaffinity(pid, [0]);
os.write(b, b"x"); wait(pid)'
py "os.posix_spawn" 'e = os.environ; wait(os.posix_spawn("'"$probe"'", ["probe", "a"], e))'
for attribute in 'setpgroup=0' 'resetids=True' 'setsid=True' \
	'setsigmask=[signal.SIGUSR1, signal.SIGHUP]' 'setsigdef=[signal.SIGINT, signal.SIGPIPE]' \
	'scheduler=(os.SCHED_BATCH, os.sched_param(0))' 'scheduler=(None, os.sched_param(0))' \
	'file_actions=[(os.POSIX_SPAWN_OPEN, 0, "/etc/passwd", os.O_RDONLY, 0),
	(os.POSIX_SPAWN_DUP2, 0, 9), (os.POSIX_SPAWN_CLOSE, 2)]'; do
	py "os.posix_spawn, $attribute" \
		'wait(os.posix_spawn("'"$probe"'", ["probe", "a"], os.environ, '"$attribute"'))'
	py "os.posix_spawnp, $attribute" \
		'wait(os.posix_spawnp("probe", ["probe", "a"], os.environ, '"$attribute"'))'
done
py "a thread that forks" \
	'import threading; t = threading.Thread(target=lambda: run(["probe"],
	preexec_fn=lambda: 0)); t.start(); t.join()'
py "a thread with a mask" 'import threading
def f(): signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.sched_setaffinity(0, [0]);
run(["probe"])
t = threading.Thread(target=f); t.start(); t.join()'
py "os.system, os.popen" 'os.system("probe a"); print(os.popen("probe b").read())'
py "pty.spawn" 'import pty; print(pty.spawn(["probe", "a"], lambda fd: os.read(fd, 100000)))'
py "a double fork" '
r, w = os.pipe(); os.set_inheritable(w, True); pid = os.fork()
if pid == 0:
	if os.fork() == 0:
		os.setsid(); os.chdir("/"); os.environ["PROBE_ORPHAN_OF"] = "python"
		os.execvp("probe", ["probe", "daemon"])
	os._exit(3)
os.close(w); os.read(r, 1); wait(pid)'
without='^(ancestors|parent is the)' py "multiprocessing" 'import multiprocessing as m;
m.set_start_method("fork"); p = m.Process(target=lambda: run(["probe"])); p.start(); p.join();
print(p.exitcode)'

launched "scripts of scripts, and odd first lines" bash -c '
printf "#!/bin/sh\nprintf \"<%%s>\" \"\$@\"; echo\n" >show; chmod 755 show
name=show
for i in 1 2 3 4 5 6; do
	printf "#!%s %s\n" "$PWD/$name" $i >s$i; chmod 755 s$i; name=s$i; ./s$i x; echo $?
done
for line in "#!$PWD/show " "#!$PWD/show  a b " "#! $PWD/show" "#!$PWD/show	a	" \
	"#!" "#! " "#!$PWD/"; do
	for end in "" "\n" "\n\n"; do
		printf "%s$end" "$line" >odd; chmod 755 odd; ./odd x; echo $?
	done
done'

# What few programs do: see there.
for name in bad-pointers without-environment close-range landlock threads-and-rights \
	killed-as-other bereaved queued seccomp grows; do
	kind=either launched "unusual: $name" "$PROGRAMS/unusual" $name
	kind=either launched "unusual, in a task: $name" bash -c '"$0" "$1"; :' \
		"$PROGRAMS/unusual" $name
done
finish
