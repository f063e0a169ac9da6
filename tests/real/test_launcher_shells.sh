#!/bin/bash
# test_launcher_shells.sh - what shells do with their children when these are tasks: statuses and
# errors, PIDs, jobs, traps, pipes, and jobs at a terminal.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/real.sh"
. "$(dirname "$0")/launch.sh"

# ---- Statuses ------------------------------------------------------------------------------

shells "exit statuses" <<'X'
for n in 0 1 2 126 127 128 137 255; do sh -c "exit $n"; echo $?; (exit $n); echo $?; done
/bin/true; echo $?; /bin/false; echo $?; ! /bin/true; echo $?
/bin/false | /bin/true; echo $?; /bin/true | /bin/false; echo $?
x=$(exit 3); echo $?; x=$(sh -c 'exit 4'); echo $?; `exit 5`; echo $?
X
shells "signals" <<'X'
for s in HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT \
	XCPU XFSZ VTALRM \
	PROF IO SYS 34 50 64; do
	sh -c "kill -$s \$\$"; echo $s $?
	(kill -$s $(exec sh -c 'echo $PPID')); echo sub $s $?
	case $s in INT | QUIT) continue ;; esac # ignored by background jobs, from some time on
	# A shell says what has ended it if it learns of that in wait.
	sleep 10 & kill -$s $!; { wait $!; } 2>/dev/null; echo job $s $?
done
X
if [ "$(cat /proc/sys/kernel/core_pattern 2>/dev/null)" ]; then
	launched "perl: statuses of waitpid, core flag" bash -c 'ulimit -c 1000000; perl -e "
		for \$s (3, 6, 11, 9, 15) { system(\"kill -\$s \\\$\\\$\"); print \"\$s: \$?\\n\"; }
		if (!fork) { kill 11, \$\$; sleep 9 } wait; print \"fork: \$?\\n\"; "; rm -f core*'
fi
launched "perl: stopped, continued" perl -MPOSIX -e '$| = 1;
	sub both { my ($name, $pid) = @_;
		kill STOP => $pid; waitpid($pid, WUNTRACED); printf "$name stopped: %x\n", $?;
		print waitpid($pid, WNOHANG | WUNTRACED), "\n";
		kill CONT => $pid; waitpid($pid, 8);
printf "$name continued: %x\n", ${^CHILD_STATUS_NATIVE};
		kill TSTP => $pid; waitpid($pid, WUNTRACED); printf "$name stopped: %x\n", $?;
		kill CONT => $pid; waitpid($pid, 8);
		kill TERM => $pid; waitpid($pid, 0); printf "$name ended: %x\n", $?; }
	$pid = fork; exec "sleep", 100 if !$pid; sleep 1; both("task", $pid);
	$pid = fork; if (!$pid) { sleep 100; exit } sleep 1; both("child", $pid);'
launched "perl: SIGCHLD" \
	perl -e '$| = 1; $n = 0; $SIG{CHLD} = sub { $n++ while waitpid(-1, 1) > 0 };
	for (1..20) { $p = fork; exec "true" if !$p; } for (1..100) { last if $n == 20;
select undef, undef, undef, 0.1 } print "$n\n"'
launched "perl: SIGCHLD ignored" \
	perl -e '$SIG{CHLD} = "IGNORE"; for (1..5) { $p = fork; exec "true" if !$p;
push @p, $p } print join(" ", map { waitpid($_, 0) } @p), " $!\n"; print system("true"), "\n"'
launched "perl: a child that kills itself, its group, its parent" perl -e '$| = 1; setpgrp;
	$SIG{USR1} = sub { $got++ }; $SIG{USR2} = "IGNORE";
	if (!fork) { kill USR1 => getppid; exit 3 } wait; print "$? $got\n";
	if (!fork) { $SIG{USR1} = sub { print "child\n"; exit 4 }; kill USR1 => $$;
sleep 9 } wait; print "$?\n";
	if (!fork) { kill USR2 => 0; exec "true" } wait; print "$?\n";
	if (!fork) { $SIG{ALRM} = "DEFAULT"; alarm 1; sleep 9; } wait; print "$?\n";
	if (!fork) { alarm 1; exec "sleep", 9; } wait; print "$?\n";'
launched "perl: many signals to a child that has not executed yet" perl -e '$| = 1;
	pipe R, W; $p = fork; if (!$p) { $n = 0; $SIG{USR1} = sub { $n++ }; syswrite W, "x";
sleep 1 while $n < 5; print "got $n\n"; exit $n }
	sysread R, $x, 1; for (1..5) { kill USR1 => $p;
select undef, undef, undef, 0.2 } waitpid $p, 0; print $? >> 8, "\n"'

# ---- Errors of exec ------------------------------------------------------------------------

errors='mkdir d d/noexec; cd d
printf "#!/bin/sh\necho script \"\$0\" \"\$@\"\n" >script; chmod +x script
printf "echo plain \"\$0\" \"\$@\"\n" >plain; chmod +x plain
printf "#!/nonexistent/x y\n" >missing; chmod +x missing
printf "#!$PWD/script a\n" >nested; chmod +x nested
printf "#!$PWD/nested\n" >nested2; chmod +x nested2
printf "#!$PWD/loop\n" >loop; chmod +x loop
printf "#!\n" >empty_line; printf "#! \t \n:\n" >blank; chmod +x empty_line blank
printf "#!/bin/sh -e\nfalse; x" >with; chmod +x with
printf "#!  /bin/echo   one  two  \nx" >args; chmod +x args
printf "#!/bin/echo\n" >crlf; printf "#!/bin/echo\r\n" >crlf; chmod +x crlf
: >empty; chmod +x empty; echo x >data; ln -s self self; ln -s script link
ln -s /nonexistent dangling; head -c 64 /bin/true >short; chmod +x short
head -c 5000 /bin/true >cut; chmod +x cut; printf "\177ELF" >tiny; chmod +x tiny
head -c 100 /dev/zero >zeros; chmod +x zeros; mkfifo fifo; chmod +x fifo
cp /bin/true busy; long=$(printf %4000s x | tr " " x)
printf "#!/bin/%0300d\n" 1 >longline; chmod +x longline
printf "#!/bin/echo %0300d\n" 1 >longarg; chmod +x longarg
cp /bin/true setuid; chmod 4755 setuid; cp /bin/true noread; chmod 111 noread
printf "#!$PWD/data\n" >notexec; printf "#!$PWD\n" >isdir; chmod +x notexec isdir
printf "#!/bin/true" >noeol; chmod +x noeol
dd if=/bin/true of=machine 2>/dev/null;
printf "\267" | dd of=machine bs=1 seek=18 conv=notrunc 2>/dev/null; chmod +x machine
'
files='./nonexistent . .. ./script ./plain ./missing ./nested ./nested2 ./loop ./empty_line
./blank ./with ./args ./crlf ./empty ./data ./self ./link ./dangling ./short ./cut ./tiny
./zeros ./fifo ./longline ./longarg ./script/x ./data/x /etc/passwd /dev/null / ./setuid
./noread ./notexec ./isdir ./noeol ./machine ./$long ./noexec nonexistent'
files=${files//$'\n'/ }
shell_files=${files/.\/fifo/}
kind=either
shells "errors of exec" <<X
$errors
for f in $shell_files; do # which a shell reads
	\$f one two; echo "\$f: \$?"
	(exec \$f one two); echo "\$f: \$?"
done 2>&1 | sed "s/line [0-9]*/line N/; s/: [0-9]*: /: N: /"
exec 9>busy; chmod +x busy; ./busy; echo "busy: \$?"; exec 9>&-; ./busy; echo "\$?"
X
launched "perl: errors of exec" bash -c "$errors"' perl -e '"'"'$| = 1; use Errno;
	open B, ">>busy"; chmod 0755, "busy";
	for $f (qw('"${files//\$long/$(printf %4000s x | tr ' ' x)}"' ./busy), "") {
		$p = fork; if (!$p) { no warnings; exec {$f} "zero", "one";
printf "%s: %d\n", substr($f, 0, 99), $!; exit 9 }
		waitpid $p, 0; printf "%s: %x\n", substr($f, 0, 99), $?;
	}
	$big = "x" x 200000; $p = fork; if (!$p) { exec "true", $big; printf "big: %d\n", $!;
exit 9 } waitpid $p, 0; printf "%x\n", $?;
	$big = "x" x 100000; $p = fork; if (!$p) { exec "true", ($big) x 30;
printf "many: %d\n", $!; exit 9 } waitpid $p, 0; printf "%x\n", $?;
	$p = fork; if (!$p) { exec "true", ($big) x 15; printf "fewer: %d\n", $!;
exit 9 } waitpid $p, 0; printf "%x\n", $?;
	'"'"
python=/usr/bin/python3
[ -x $python ] && launched "python: errors of subprocess and posix_spawn" \
	bash -c "$errors"' exec '$python' -c '"'"'
import os, subprocess
b = open("busy", "a"); os.chmod("busy", 0o755)
for f in "'"${files//\$long/$(printf %4000s x | tr ' ' x)}"' ./busy".split():
	for close in True, False:
		try: print(f[:99], subprocess.run([f, "one"], close_fds=close,
	stdin=subprocess.DEVNULL).returncode, flush=True)
		except Exception as e: print(f[:99], str(e)[:199], flush=True)
	for spawn in os.posix_spawn, os.posix_spawnp:
		try: print(f[:99], os.waitpid(spawn(f, [f, "two"], os.environ), 0)[1], flush=True)
		except Exception as e: print(f[:99], str(e)[:199], flush=True)
for n in 1, 30:
	try: print(subprocess.run(["true"] + ["x" * 131000] * n).returncode)
	except Exception as e: print(e)
try: print(subprocess.run(["true", "x" * 131072]).returncode)
except Exception as e: print(e)
try: print(subprocess.run(["true"], cwd="/nonexistent").returncode)
except Exception as e: print(e)
def bad(): raise ValueError()
try: print(subprocess.run(["true"], preexec_fn=bad).returncode)
except Exception as e: print(e)
'"'"
kind=task

# ---- PIDs ----------------------------------------------------------------------------------

launched "bash: PIDs" bash -c '
	top=$$; [ $$ = $BASHPID ] && echo same
	(echo $(($$ == top)) $((BASHPID == top))); (sh -c "echo \$((\$PPID == $BASHPID))"; :)
	sh -c "echo \$((\$PPID == $$))"; sh -c "[ \$PPID = $$ ]; echo \$?"; :
	sleep 0.1 & p=$!; [ -d /proc/$p ] && echo there; jobs -p | grep -c "^$p\$"; wait $p;
[ -d /proc/$p ] || echo gone
	(exec sh -c "echo \$((\$\$ == $BASHPID))")
	p=$(sh -c "echo \$\$"); q=$(echo $BASHPID); [ "$p" != "$q" ] && echo differ
	x=$(echo $BASHPID; exec sh -c "echo \$\$"); set -- $x; [ $1 = $2 ] && echo "exec keeps"
	x=$(readlink /proc/self; exec readlink /proc/self); set -- $x; [ $1 != $2 ] && echo "differ"
	sh -c "kill -0 $$ && echo alive; kill -0 \$PPID && echo parent"
	(kill -0 $BASHPID && echo self); ps -o ppid= -p $BASHPID | grep -c .'
kind=either
shells "PIDs of subshells" <<'X'
me=$(exec sh -c 'echo $PPID')
(sub=$(exec sh -c 'echo $PPID'); [ "$sub" != "$me" ] && echo differ; [ $$ = "$me" ]; echo $?)
sh -c 'echo $$; exec sh -c "echo \$\$"' | uniq | wc -l
a=$(sh -c 'echo $PPID'); [ "$a" = $$ ]; echo $?
sleep 5 & sh -c "kill -0 $!; echo \$?; kill $!"; { wait $!; } 2>/dev/null; echo $?
(sleep 5 & echo $! >p; wait); :
X
kind=task

# ---- Scripts -------------------------------------------------------------------------------

kind=either
shells "pipes, here-documents, substitutions" <<'X'
seq 3 | while read n; do echo "n $n"; done | cat -n | tac
cat <<Y | tr a-z A-Z
here $(echo document | rev) $((1 + 2))
Y
cat <<'Y' - </dev/null
not $expanded
Y
a=$(echo $(echo $(echo deep))); echo "$a"; echo "`echo \`echo old\``"
{ echo one; echo two >&2; } 2>&1 | sort
(echo a; echo b) | (read x; echo "first $x"; cat)
seq 100000 | head -n 2; seq 20000 | tail -n 1; yes | head -n 1
echo x | { sleep 0.1; cat; } | cat >f; cat f; cat <f >g; cmp f g && echo equal
exec 3>out; echo three >&3; (echo sub >&3); sh -c 'echo child >&3'; exec 3>&-; cat out
exec 4<f; sh -c 'cat <&4'; cat <&4 | wc -c; exec 4<&-
big=$(seq 30000); echo "$big" | wc -c; (echo "$big") | tail -n 1
i=0; while [ $i -lt 50 ]; do x=$(echo $i); i=$((i + 1)); done; echo $x
X
shells "background jobs" <<'X'
sleep 0.3 & a=$!; sleep 0.1 & b=$!; wait $b; echo $?; wait $a; echo $?
(sleep 0.1; exit 3) & wait $!; echo $?
for i in 1 2 3 4 5; do (exit $i) & p="$p $!"; done; for j in $p; do wait $j; echo $?; done
{ sleep 0.1; echo late; } & echo early; wait; echo $?
sleep 9 & kill $!; wait $!; echo $?
sh -c 'sleep 0.2; echo orphan' & wait
wait 99999; echo $?
(trap '' TERM; sleep 0.3; echo survived) & sleep 0.1; kill $!; wait $!; echo $?
X
launched "bash: wait -n, disown, coprocesses, substitution of processes" bash -c '
	sleep 0.4 & (sleep 0.1; exit 7) & wait -n; echo $?; wait -n; echo $?; wait -n; echo $?
	(sleep 0.1; exit 8) & (sleep 0.3; exit 9) & wait -n -p p; echo $?; wait; echo $?
	coproc { read x; echo "co $x"; }; echo hello >&${COPROC[1]}; read y <&${COPROC[0]};
echo "$y"; wait $COPROC_PID; echo $?
	coproc C { cat; }; echo a >&${C[1]}; read y <&${C[0]}; echo "$y"; eval "exec ${C[1]}>&-";
wait $C_PID; echo $?
	coproc D (exec cat -n); echo b >&${D[1]}; eval "exec ${D[1]}>&-"; cat <&${D[0]}; wait;
echo $?
	diff <(seq 3) <(seq 4); cat <(echo a) <(exec echo b); echo c > >(cat; echo d); wait;
sleep 0.2
	sleep 0.2 & disown; jobs; sleep 0.1 & disown -h %1; jobs | sed s/[0-9]*//g; wait
	mapfile -t a < <(seq 3); echo "${a[*]}"; time -p true 2>/dev/null
	shopt -s lastpipe; echo x | read z; echo "$z"; set -o pipefail; false | true; echo $?
	echo "${PIPESTATUS[@]}"; sh -c "exit 3" | (exit 4) | true; echo "${PIPESTATUS[@]}"' 2>&1
launched "bash: set -m" \
	bash -c 'set -m; sleep 0.1 & [ "$(ps -o pgid= -p $!)" -eq $! ] && echo "its own group";
fg %1 | cat; wait
	sleep 9 & kill -STOP %1; sleep 0.2; jobs | sed "s/[0-9]* *//"; kill %1; sleep 0.3; wait;
echo $?
	(sleep 9; echo no) & sleep 0.1; kill -TERM -- -$!; wait $!; echo $?
	sleep 9 | cat & sleep 0.1; kill %+; sleep 0.2; wait; echo $?; (exit 3) & wait %%; echo $?
	bg %9; fg; kill %7; echo $?' 2>&1
shells "traps" <<'X'
trap 'echo usr1' USR1; kill -USR1 $$; (trap; kill -USR1 $(exec sh -c 'echo $PPID')); echo $?
trap 'echo exit $?' EXIT; (trap 'echo sub' EXIT; exit 3); echo $?; (exit 4); echo $?
trap '' USR2; sh -c 'kill -USR2 $$; echo ignored'; (kill -USR2 $(exec sh -c 'echo $PPID');
echo ignored too)
trap - USR2; sh -c 'kill -USR2 $$'; echo $?
sh -c 'trap "echo got term; exit 5" TERM; kill -TERM $$; sleep 1'; echo $?
(trap 'echo int; exit 6' INT; kill -INT $(exec sh -c 'echo $PPID'); sleep 1); echo $?
(trap 'echo sub term; exit 7' TERM; sleep 2 & wait) & p=$!; sleep 0.5; kill $p; wait $p; echo $?
sleep 1 & trap 'echo alarm' ALRM; (sleep 0.2; kill -ALRM $$) & wait; echo done
X
shells "exec" <<'X'
(exec 3>f; echo a >&3); cat f; (exec >g; sh -c 'echo b'; echo c); cat g
(exec sh -c 'echo $0 $1' name arg); echo $?; (exec /nonexistent 2>/dev/null; echo not reached);
echo $?
exec 5<<Y
document
Y
cat <&5; exec sh -c 'echo "last $#"; exec true' sh a b
X
shells "names and paths" <<'X'
mkdir p q; printf '#!/bin/sh\necho p "$0" "$@"\n' >p/cmd; printf 'echo q "$0" "$@"\n' >q/cmd;
chmod +x q/cmd
PATH=p:q:$PATH; cmd a; chmod +x p/cmd; hash -r; cmd b; cd p; PATH=:/bin:/usr/bin; cmd c; ./cmd d;
(exec cmd e); cd ..
PATH=; /bin/echo f; nocommand; echo $?; PATH=/bin:/usr/bin
env -i /bin/sh -c 'echo $0 $PATH | wc -w'; sh -c 'echo $0' x; sh p/cmd 1; ln -s /bin/sh mysh;
./mysh -c 'echo $0'
env -i A=b env; env - /usr/bin/env B=c env
X
shells "limits of a subshell" <<'X'
(ulimit -n 50; sh -c 'ulimit -n'; exec sh -c 'ulimit -n'); ulimit -n; (ulimit -c 0; umask 077;
cd /; sh -c 'ulimit -c; umask; pwd'); umask; pwd
(ulimit -v 2000000; sh -c 'ulimit -v'; exec sh -c 'ulimit -v'); (ulimit -f 1; seq 10000 >big;
echo $?; sh -c 'seq 10000 >big'; echo $?)
(ulimit -t 1; sh -c 'while :; do :; done'; echo $?)
X
kind=task
finish
