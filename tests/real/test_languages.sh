#!/bin/bash
# test_languages.sh - what compilers, their runtimes and C libraries make: C++, Fortran, OpenMP,
# musl, static programs, stripped ones.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check()
. "$(dirname "$0")/real.sh"

seq -f 'line %g of the input' 5000 >input
stdin=$PWD/input

# built NAME PROGRAM - whether this system could build it.
built() {
	[ -x "$PROGRAMS/$2" ] || {
		skip "$1" "no compiler here for $2"
		return 1
	}
}

# language NAME PROGRAM [ARG...] - once, and several times at once.
language() {
	local name=$1 program=$2
	shift 2
	built "$name" "$program" || return
	same "$name" "$PROGRAMS/$program" "$@"
	tasks=6 same "$name" "$PROGRAMS/$program" "$@"
}

language "C" common one "two three"
language "C, stripped" common-stripped
language "C, static PIE" common-static one "two three"
language "C, musl" common-musl one "two three"
language "C, musl, static PIE" common-musl-static
language "C++: threads, exceptions, thread_local" cxx
language "C++, stripped" cxx-stripped
language "OpenMP: threadprivate, tasks, nesting" omp
with=OMP_WAIT_POLICY=active language "OpenMP: settings in the environment" omp
language "Fortran" fortran

# All kinds beside each other in one space.
mixture() {
	local program programs=() command=() want=0 status
	for program in common common-static common-musl common-musl-static cxx omp fortran; do
		[ -x "$PROGRAMS/$program" ] && programs+=("$program")
	done
	for program in "${programs[@]}"; do
		"$PROGRAMS/$program" </dev/null
		"$PROGRAMS/$program" </dev/null
		status=$?
		[ "$status" -gt "$want" ] && want=$status
		command+=(: -n 2 "$PROGRAMS/$program")
	done >ordinary 2>errors
	task "${command[@]:1}" </dev/null >out 2>err
	status=$?
	sort ordinary >want.out
	sort out | equal "output" want.out - && [ "$status" = "$want" ]
}
check "all of them in one space" mixture

finish
