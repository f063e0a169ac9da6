#!/bin/bash
# test_scripts.sh - launchers of many short programs under the shim: shells, xargs, make, configure.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check()
. "$(dirname "$0")/real.sh"
. "$(dirname "$0")/shim.sh"

commands=${COMMANDS:-200}

# Whatever shells fork for, in turn.
for ((i = 0; i < commands; i += 8)); do
	cat <<-END
		/bin/true
		x=\$(/bin/echo $i); echo "got \$x"
		/bin/echo $i | tr 0-9 a-j | cat
		(cd /; /bin/pwd; (exec /bin/echo nested))
		x=\$(y=\$(/bin/echo $i | sed 's/\$/+1/'); expr "\${y%+1}" + 1); echo "\$x"
		sh -c 'exit 3'; echo \$?
		/bin/false || /bin/echo no & wait
		sed -n 1p <<-EOF
			here $i
		EOF
	END
done >many.sh

for shell in dash bash busybox; do
	usable "$commands commands, $shell" $shell || continue
	[ $shell = busybox ] && shell="busybox sh"
	# shellcheck disable=SC2086 # two words
	alike "$commands commands, $shell" $shell many.sh
done
seq "$commands" >items
unordered=1
usable "xargs" xargs && alike "xargs -P4 -n1" xargs -a items -P4 -n1 /bin/echo item
unordered=0
usable "find -exec" find &&
	alike "find -exec" find / -maxdepth 1 -name 'e*' -exec /bin/echo {} \;

# What autoconf's scripts do: subshells of a shell that is a task, each a root of its own.
# Which of two sizes the windows of that have must not depend on where its stack lies.
cat >nested.sh <<'END'
n=0
while [ $n -lt 5 ]; do
	x=$( (/bin/echo a; /bin/echo "$(/bin/uname -s | sed 's/^/b/')") | tr '\n' ' ')
	echo "$n $x"
	n=$((n + 1))
done
END
nested() {
	local i
	sh -c 'sh nested.sh' >native
	for ((i = 0; i < 20; i++)); do
		shimmed sh -c 'sh nested.sh; exit $?' >shim || return 1
		equal "round $i" native shim || return 1
	done
}
check "subshells of a task" nested

cat >Makefile <<'END'
all: $(foreach n,1 2 3 4 5 6 7 8,out.$(n))
out.%:
	@echo "$* $$(echo $* | sed 's/^/made /')" >$@; cat $@
clean:
	@rm -f out.*; echo clean
END
unordered=1
usable "make" make sh && alike "make -j4" sh -c 'make -j4 all && make clean'
unordered=0

# A launcher's memory does not grow with the number of its children.  Of up to four children at once
# it keeps some mappings each for the next ones: of their windows' fronts, stacks and libraries.
cat >growth.sh <<'END'
lines() { n=0; while read -r _; do n=$((n + 1)); done </proc/$$/maps; }
# What an ended child left is given back at the next fork, or the one after that: it must be seen to
# have ended.
least() {
	least=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		/bin/true
		lines
		[ -n "$least" ] && [ "$n" -ge "$least" ] || least=$n
	done
	n=$least
}
some() { /bin/true; x=$(/bin/echo a); /bin/echo a | cat >/dev/null; }
for i in 1 2 3 4 5 6 7 8; do some; done
least; before=$n
i=0; while [ $i -lt 100 ]; do some; i=$((i + 1)); done
least; echo "$before $n"; [ "$n" -le $((before + 4 * 24)) ]
END
growth() {
	shimmed "$shell" growth.sh
}
for shell in dash bash; do
	usable "mappings of a launcher, $shell" $shell &&
		check "mappings of a launcher, $shell" growth
done

# What it keeps: once its children have ended it has more than its own dynamic linker.
cat >kept.sh <<'END'
linkers() {
	n=0
	while read -r _ _ _ _ _ name; do
		case $name in */ld-linux*) n=$((n + 1)) ;; esac
	done </proc/$$/maps
}
linkers; before=$n
for i in 1 2 3 4 5 6 7 8; do /bin/true; done
linkers; echo "$before $n"; [ "$n" -gt "$before" ] && [ "$n" -le $((before * 5)) ]
END
kept() {
	shimmed "$shell" kept.sh
}
for shell in dash bash; do
	usable "libraries that a launcher keeps, $shell" $shell &&
		check "libraries that a launcher keeps, $shell" kept
done

# A launcher below another one, which is no task itself, goes on with the code that that has made.
cat >object.sh <<'END'
/bin/true
for fd in /proc/$$/fd/6[0-3]; do
	! [ -e "$fd" ] || stat -L -c 'object %i' "$fd"
done
END
# shellcheck disable=SC2016 # for other shells
inherited() {
	shimmed env PIP_PRELOAD_EXCLUDE=dash bash -c '
		. ./object.sh
		dash object.sh
		env sh -c "dash object.sh; :"
		dash -c "/bin/true; dash object.sh; :"
		:' >out
	cat out
	[ "$(wc -l <out)" = 4 ] && [ "$(sort -u out | wc -l)" = 1 ] && grep -q '^object [1-9]' out
}
[ ! -x /bin/dash ] || check "the code of a launcher above" inherited

# Of another user's it has its own.
# shellcheck disable=SC2016 # for other shells
of_its_own() {
	chmod 755 "$dir" "$work"
	shimmed env PIP_PRELOAD_EXCLUDE=dash bash -c '
		. ./object.sh
		setpriv --reuid=61234 --regid=61234 --clear-groups dash object.sh
		:' >out
	cat out
	[ "$(wc -l <out)" = 2 ] && [ "$(sort -u out | wc -l)" = 2 ]
}
if [ "$(id -u)" = 0 ] && [ -x /bin/dash ]; then
	usable "the code of another user" setpriv && check "the code of another user" of_its_own
fi

# One that has closed the descriptor of that code makes it again, but not where files may not be so
# large: its children are ordinary processes then.
cat >limited.sh <<'END'
/bin/echo first
for fd in 60 61 62 63; do eval "exec $fd>&-"; done
ulimit -f 1
/bin/echo second; sh -c '/bin/echo third; exit 3'
echo "status $?"
END
usable "limited files" bash && alike "no code, and limited files" bash limited.sh

# Room for few processes: fork() fails as natively, or is made without a stand-in.
few() {
	local status
	cat >few.sh <<-'END'
		ulimit -u 12 || exit 77
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 0.5 & done 2>err
		wait
		grep -v 'Resource temporarily unavailable\|Interrupted system call' err
		echo end
	END
	: >err
	chmod 666 err
	chmod 755 "$dir" "$work"
	as=()
	[ "$(id -u)" != 0 ] || as=(setpriv --reuid=61234 --regid=61234 --clear-groups)
	timeout 60 "${as[@]}" env LD_PRELOAD="$PIP_PRELOAD" bash few.sh >out
	status=$?
	cat out err
	[ "$status" != 0 ] || [ "$(cat out)" = end ] || return 1
	# Without a word of another error; bash itself may have given up.
	! grep -qv 'Resource temporarily unavailable\|Interrupted system call' err
}
usable "few processes" bash && check "room for few processes" few
finish
