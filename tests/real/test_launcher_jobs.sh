#!/bin/bash
# test_launcher_jobs.sh - jobs of an interactive shell at a terminal, when they are tasks.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/real.sh"
. "$(dirname "$0")/launch.sh"

# at_terminal NAME SHELL... - the user's part on stdin.
at_terminal() {
	local name=$1
	shift
	cat >"$dir/user"
	stdin=$dir/user
	status_wanted=0 launched "$name" "$PROGRAMS/terminal" env PS1='@@ ' ENV= "$@"
	stdin=/dev/null
}

for shell in 'bash --norc --noediting -i' 'dash -i' 'zsh -f -i +Z'; do
	type -P "${shell%% *}" >/dev/null || continue
	name=${shell%% *}
	# shellcheck disable=SC2086
	{
		at_terminal "$name: a command, ^C, ^\\, the end" $shell <<'X'
? @@
> stty -echo; ulimit -c 0
? @@
> probe one | grep -v '^env \|^fd '
? floating
? @@
> (probe sub; :) | grep 'grou\|sid:\|signal\|session'
? @@
> sleep 30
. 5
^c
? @@
> echo $?
? 130
? @@
> cat
. 5
^c
? @@
> sleep 30
. 5
^\
? @@
> echo $?
? 131
? @@
> (sleep 30; echo no)
. 5
^c
? @@
> sleep 30 | cat | cat
. 5
^c
? @@
> sh -c 'trap "echo caught" INT; sleep 30; echo after'
. 5
^c
? after
? @@
> exit 3
X
		at_terminal "$name: ^Z, fg, bg, kill" $shell <<'X'
? @@
> stty -echo
? @@
> sleep 30
. 5
^z
? @@
> jobs
? leep
? @@
> fg
. 5
^z
? @@
> bg
? @@
> jobs
? unning
? @@
> kill %1; sleep 0.3
? @@
> echo
? @@
> cat
. 5
> first line
? first line
^z
? @@
> fg
. 5
> second line
? second line
^d
? @@
> sleep 30 | cat
. 5
^z
? @@
> fg
. 5
^c
? @@
> (sleep 30; echo no)
. 5
^z
? @@
> fg
. 5
^c
? @@
> exit
X
		at_terminal "$name: background jobs and the terminal" $shell <<'X'
? @@
> stty -echo
? @@
> cat & sleep 0.5
? @@
> jobs
? cat
? @@
> fg
. 5
> typed
? typed
^d
? @@
> stty tostop; echo background & sleep 0.5
? @@
> fg
? background
? @@
> stty -tostop; sh -c 'sleep 0.2; echo done' & wait
? done
? @@
> sh -c 'read x; echo "got $x"' & sleep 0.5
? @@
> fg
. 5
> word
? got word
? @@
> sleep 30 & sleep 0.2; kill -STOP $!; sleep 0.3; kill -CONT $!; kill $!; wait $!; echo $?
? @@
> probe back | grep 'grou\|sid:\|session' & wait
? @@
> sleep 1 & fg
? @@
> exit
X
	}
done

at_terminal "bash: suspended by itself, by others, in a script" bash --norc --noediting -i <<'X'
? @@
> stty -echo
? @@
> sh -c 'kill -STOP $$; echo on'
? @@
> fg
? on
? @@
> (kill -TSTP $BASHPID; echo on)
? @@
> fg
? on
? @@
> bash -c 'sleep 30; echo script'
. 5
^z
? @@
> fg
. 5
^c
? @@
> bash --norc --noediting -i
? @@
> sleep 30
. 5
^z
? @@
> suspend
? @@
> fg
? @@
> exit
? @@
> exit
? @@
> sleep 0.5 & disown; nohup sleep 0.1; sleep 0.2 & wait -n; echo $?
? 0
? @@
> set +m; sleep 30
. 5
^c
? @@
> exec probe last
X
at_terminal "bash: hang-up of its jobs" bash --norc --noediting -i <<'X'
? @@
> stty -echo; trap 'echo hang-up' HUP
? @@
> sleep 30 & p=$!; nohup sleep 30 >/dev/null 2>&1 & q=$!
? @@
> sleep 0.3; kill -HUP $p; wait $p; echo $?; kill -HUP $q; sleep 0.2; kill $q; wait $q; echo $?
? 143
? @@
> shopt -s huponexit; sleep 30 & exec true
X
launched "script: a shell with job control" \
	bash -c 'script -qc "set -m; sleep 1 & fg; probe" /dev/null | grep -v "^env\|^fd"'
launched "timeout: of a group" \
	bash -c 'timeout 1 sh -c "sleep 30; echo no"; echo $?; timeout -s INT 1 sleep 30; echo $?;
timeout -k 1 1 sh -c "trap \"\" TERM; sleep 3 & wait; wait"; echo $?;
timeout --foreground 1 sleep 30; echo $?; timeout 1 timeout 5 sleep 9; echo $?'
finish
