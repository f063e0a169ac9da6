# shellcheck shell=bash
# shim.sh - for the tests of launchers under libpip-preload.so; sourced behind real.sh.
#
#	alike NAME COMMAND...	one case: run natively, and with the library in LD_PRELOAD; output,
#				errors and exit status must be the same, and no process may be left
#	shimmed COMMAND...	runs it with the library, within a case of check()
#
# What of the output may differ, plain() takes away: it is a filter, here for nothing.  With
# unordered=1 the order of the lines does not matter.
: "${PIP_PRELOAD:?}" "${dir:?}" "${log:?}"
: "${stdin=}" "${limit=}"

unordered=0

plain() {
	cat
}

shimmed() {
	timeout -k 5 "$limit" env LD_PRELOAD="$PIP_PRELOAD" "$@"
}

# as_plain FILE - in place.
as_plain() {
	plain <"$1" >"$1.plain"
	if [ "$unordered" = 1 ]; then
		sort -o "$1.plain" "$1.plain"
	fi
	mv "$1.plain" "$1"
}

two_runs() {
	local status got file
	run "$dir/out" "$dir/err" "$@"
	status=$?
	if [ $status = 99 ] || [ "$(cat "$dir/out" "$dir/err" | wc -c)" = 0 ]; then
		echo "the native run has no result: status $status"
		cat "$dir/out" "$dir/err"
		return 1
	fi
	run "$dir/out.0" "$dir/err.0" env LD_PRELOAD="$PIP_PRELOAD" "$@"
	got=$?
	for file in out err out.0 err.0; do
		as_plain "$dir/$file"
	done
	equal_runs "" $status .0 $got
}

alike() {
	local name=$1
	shift
	: >"$log"
	two_runs "$@" >>"$log" 2>&1
	report "$name" $?
}
