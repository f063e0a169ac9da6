# shellcheck shell=bash disable=SC2053,SC2154
# launch.sh - what the tests of launchers share; they source it after real.sh.
#
# A case runs a launcher twice: as it is, and with libpip-preload.so in LD_PRELOAD.  Output, errors
# and exit status must be the same, byte for byte, and no process may be left.  "probe" is on PATH;
# it prints its attributes (prog/attributes.c), and notes whether it was a task.
#
#	launched NAME COMMAND...	one case; $stdin, $limit: see real.sh; $kind, $order...
#	shells NAME			the script on stdin, with bash and with dash
#
# The environment names libpip-preload.so (PRELOAD), and a pattern of the cases to run (ONLY) if
# these are not all.
: "${PRELOAD:?}" "${PROGRAMS:?}" "${dir:?}"

kind=task  # what the probes must be: task, ordinary, either; mixed: some are tasks
status_wanted= # of the run without the shim, if it matters
order=yes  # no: lines come in any order
without=   # lines that are left out: a regular expression
probe=$dir/bin/probe

mkdir "$dir/bin"
cp "$PROGRAMS/attributes" "$probe"
: >"$dir/bin/marks"
chmod 755 "$dir"
chmod 1777 "$dir/work"
chmod 666 "$dir/bin/marks"
export PATH=$dir/bin:$PATH

# marked KIND - how many probes were that
marked() {
	grep -c "^$1\$" "$dir/bin/marks"
}

kinds_are_right() {
	local all=$1 tasks ordinary
	tasks=$(marked task)
	ordinary=$(marked ordinary)
	[ $((tasks + ordinary)) = "$all" ] || {
		echo "$all probes ran without the shim, $((tasks + ordinary)) with it"
		return 1
	}
	case $kind in
	task) [ "$ordinary" = 0 ] ;;
	ordinary) [ "$tasks" = 0 ] ;;
	mixed) [ "$all" = 0 ] || [ "$tasks" != 0 ] ;;
	either) ;;
	esac && return
	echo "$tasks of $all probes were tasks; these should be: $kind"
	return 1
}

# one_run SUFFIX NAME=VALUE COMMAND... - everything at the same place in each run; then the output
# is moved to out.SUFFIX, err.SUFFIX.
one_run() {
	local suffix=$1 out=$dir/run.out err=$dir/run.err status
	shift
	: >"$dir/bin/marks"
	rm -rf "$dir/run"
	mkdir "$dir/run"
	chmod 1777 "$dir/run"
	cd "$dir/run" || return 99
	run "$out" "$err" env PROBE_TOP=$$ "$@"
	status=$?
	cd "$work" || return 99
	# bash names the PID of what a signal has ended.
	sed -i -E 's/(line [0-9N]+: +)[0-9]+ /\1PID /; s/ +/ /g' "$out" "$err"
	[ -z "$without" ] || sed -i -E "/$without/d" "$out"
	if [ "$order" = no ]; then
		sort -o "$out" "$out"
		sort -o "$err" "$err"
	fi
	mv "$out" "$dir/out.$suffix"
	mv "$err" "$dir/err.$suffix"
	return $status
}

launched_both() {
	local status all bad=0
	one_run without PROBE_WITH= "$@"
	status=$?
	if [ $status != "${status_wanted:-$status}" ]; then
		echo "the run without the shim failed: status $status"
		cat "$dir/out.without"
		return 1
	fi
	if [ $status = 99 ] || [ "$(cat "$dir/out.without" "$dir/err.without" | wc -c)" = 0 ]; then
		echo "the run without the shim has no result: status $status"
		return 1
	fi
	all=$(marked ordinary)
	one_run with PROBE_WITH= "LD_PRELOAD=$PRELOAD" "$@"
	equal_runs .without $status .with $? || bad=1
	kinds_are_right "$all" || bad=1
	return $bad
}

launched() {
	local name=$1
	shift
	[ -z "${ONLY:-}" ] || [[ $name == $ONLY ]] || return
	: >"$log"
	launched_both "$@" >>"$log" 2>&1
	report "$name" $?
}

# shells NAME - the script on stdin, with each shell that is there.
shells() {
	local name=$1 shell
	cat >"$dir/script"
	chmod 755 "$dir/script"
	for shell in ${2:-bash dash}; do
		type -P "$shell" >/dev/null || continue
		launched "$shell: $name" "$shell" "$dir/script"
	done
}
