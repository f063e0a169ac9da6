#!/bin/bash
# test_preload.sh - launchers with libpip-preload.so in LD_PRELOAD: what becomes a task.
#
# Needs PRELOAD, the library, beside what tools.sh needs.  PIP_VERBOSE makes the runtime say of each
# program whether it became a task.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
: "${PRELOAD:?}"

# launched COMMAND...: under the library.
launched() {
	run env "LD_PRELOAD=$PRELOAD" PIP_VERBOSE=1 "$@"
}

# Each function by which a program can start another.
ways() {
	local way
	for way in fork _Fork vfork clone syscall posix_spawn posix_spawnp system popen \
		wordexp forkpty daemon; do
		case_begin "a program is started by $way"
		launched "$PROGRAMS/ways" "$way"
		is 0
		# Nobody sees here what a terminal gets; the child of clone() has a stack of its
		# own, so it is an ordinary process.
		case $way in
		forkpty | clone) ;;
		*) matches "$err" "^PiP-INFO.* exec '.*/(true|sh)': task$" ;;
		esac
	done
}

patterns() {
	local words=(/bin/sh -c 'cat /dev/null; head /dev/null')
	case_begin "without patterns every program is a task"
	launched "${words[@]}"
	is 0
	matches "$err" "exec '.*/cat': task$"
	matches "$err" "exec '.*/head': task$"

	case_begin "PIP_PRELOAD_EXCLUDE by name"
	launched PIP_PRELOAD_EXCLUDE=nothing:c?t "${words[@]}"
	is 0
	matches "$err" "exec '.*/cat': ordinary process: .*PIP_PRELOAD_EXCLUDE"
	matches "$err" "exec '.*/head': task$"

	case_begin "PIP_PRELOAD_INCLUDE by path"
	launched "PIP_PRELOAD_INCLUDE=*/bin/cat" "${words[@]}"
	is 0
	matches "$err" "exec '.*/cat': task$"
	matches "$err" "exec '.*/head': ordinary process: .*PIP_PRELOAD_INCLUDE"

	case_begin "both: exclusion counts"
	launched PIP_PRELOAD_INCLUDE=cat:head PIP_PRELOAD_EXCLUDE=head "${words[@]}"
	is 0
	matches "$err" "exec '.*/cat': task$"
	matches "$err" "exec '.*/head': ordinary process: "

	case_begin "silence without PIP_VERBOSE"
	run env "LD_PRELOAD=$PRELOAD" "${words[@]}"
	is 0
	says "$err" ""
}

# What cannot be a task runs all the same, and the reason is told.
others() {
	case_begin "a program that is not PIE"
	launched /bin/sh -c "$PROGRAMS/plain-nonpie return 7; exit \$?"
	is 7
	matches "$err" "exec '.*/plain-nonpie': ordinary process: it is not PIE"

	case_begin "a program with a finite RLIMIT_AS"
	launched /bin/sh -c "ulimit -v 4000000; $PROGRAMS/plain return 7; exit \$?"
	is 7
	matches "$err" "exec '.*/plain': ordinary process: its memory is limited"

	case_begin "a script"
	printf '#!/bin/sh\nexit 7\n' >"$dir/script"
	chmod +x "$dir/script"
	launched /bin/sh -c "$dir/script; exit \$?"
	is 7
	matches "$err" "exec '.*/script': task$"
}

ways
patterns
others
finish
