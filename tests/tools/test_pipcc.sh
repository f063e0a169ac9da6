#!/bin/bash
# test_pipcc.sh - pipcc and pipfc: their options, and the programs they make.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
: "${CC:?}"
compiler=$CC
pipcc=$TOOLS/pipcc pipfc=$TOOLS/pipfc
cd "$dir" || exit

cat >both.c <<'END'
#include <stdio.h>

#include <pip/pip.h>

int main(int argc, char **argv)
{
	int pipid, ntasks = 1;

	if (pip_init(&pipid, &ntasks, NULL, 0))
		return 1;
	printf("%d %s\n", pipid == PIP_PIPID_ROOT ? -1 : pipid, argc > 1 ? argv[1] : "");
	return pip_fin();
}
END
echo 'int main(void) { return 3; }' >plain.c
cat >macros.c <<'END'
#include <stdio.h>
#ifndef PIPCC
#error PIPCC is not defined
#endif
#define TEXT(x) #x
#define VALUE(x) TEXT(x)
int main(void)
{
	printf("%s %d %d %d\n", VALUE(PIP_VERSION), PIP_VERSION_MAJOR, PIP_VERSION_MINOR,
	       PIP_VERSION_SUBMINOR);
	return 0;
}
END
export CC="$compiler"

programs() {
	local option
	case_begin "pipcc makes a program that is root and task"
	run "$pipcc" both.c -o both
	is 0
	run ./both
	is 0
	says "$out" "-1 "
	run "$TOOLS/pip-exec" -n 2 ./both word
	is 0
	says <(sort "$out") $'0 word\n1 word'
	run "$TOOLS/pip-check" -b ./both
	is 0
	readelf -d both | grep -q 'RPATH' || complain "the library's place is no RPATH"

	case_begin "a.out"
	run "$pipcc" plain.c
	is 0
	run ./a.out
	is 3

	case_begin "glibc can load what it makes: the mark of a PIE is off"
	run "$TOOLS/pip-unpie" -c a.out
	is 0

	case_begin "linked with libpip, called or not"
	readelf -d a.out | grep -q 'NEEDED.*libpip.so' || complain "it is not linked with libpip"

	for option in --piptask -piptask --pip-task -pip-task; do
		case_begin "$option"
		run "$pipcc" $option both.c -oboth
		is 0
		run "$TOOLS/pip-check" -t ./both
		is 0
	done
	for option in --piproot -piproot --pip-root -pip-root; do
		case_begin "$option"
		run "$pipcc" $option both.c -o root
		is 0
		run ./root
		is 0
		run "$TOOLS/pip-check" -t ./root
		is 1
		run "$TOOLS/pip-check" -r ./root
		is 0
	done

	case_begin "macros"
	run "$pipcc" --silent macros.c
	is 0
	run ./a.out
	says "$out" "2.4.1 2 4 1"

	case_begin "several steps, names with blanks"
	mkdir "a folder"
	run "$pipcc" -c both.c -o "a folder/both.o"
	is 0
	run "$pipcc" "a folder/both.o" -o "a folder/both"
	is 0
	run "a folder/both" "two words"
	says "$out" "-1 two words"

	case_begin "a library"
	echo 'int answer(void) { return 42; }' >answer.c
	run "$pipcc" -shared answer.c -o libanswer.so
	is 0
	run readelf -h libanswer.so
	matches "$out" 'DYN \(Shared'
}

languages() {
	case_begin "C++ by its suffix"
	cat >object.cpp <<'END'
#include <iostream>
#include <pip/pip.h>
int main() { std::cout << "C++ " << pip_isa_task() << std::endl; return 0; }
END
	if command -v g++ >/dev/null; then
		run "$pipcc" object.cpp -o object
		is 0
		run "$TOOLS/pip-exec" ./object
		says "$out" "C++ 1"
		for suffix in C cc cxx; do
			cp object.cpp object.$suffix
			run env CXX=g++ "$pipcc" --dry object.$suffix
			matches "$out" '^g\+\+ '
		done
	fi
	case_begin "CXX"
	run env CXX="$compiler -DWORD" "$pipcc" --dry object.cpp
	is 0
	matches "$out" ' -DWORD .* object.cpp '

	case_begin "pipfc"
	cat >fortran.f90 <<'END'
program fortran
	print '(a)', "Fortran"
end program
END
	run "$pipfc" --where
	says "$out" "$(readlink -f "$pipfc")"
	if command -v gfortran >/dev/null; then
		run "$pipfc" --silent fortran.f90 -o fortran
		is 0
		says "$err" ""
		run "$TOOLS/pip-exec" ./fortran
		is 0
		says "$out" "Fortran"
		run env FC="gfortran -v" "$pipfc" fortran.f90
		is 0
		run "$pipfc" --version
		is 0
		matches "$out" '^pipfc .*Version:'
	fi
	case_begin "pipfc: FC is not there"
	run env FC=there-is-no-such-compiler "$pipfc" fortran.f90
	is 1
	matches "$err" "^pipfc: there is no compiler 'there-is-no-such-compiler'"
}

backends() {
	case_begin "CC of several words"
	run env CC="$compiler -v -O3" "$pipcc" plain.c
	is 0
	matches "$err" 'O3'

	case_begin "CC is not there"
	run env CC=there-is-no-such-compiler "$pipcc" plain.c
	is 1
	matches "$err" "^pipcc: there is no compiler 'there-is-no-such-compiler'"

	case_begin "no CC: the configured one, or cc"
	run env -u CC "$pipcc" plain.c
	is 0

	case_begin "its status is the compiler's"
	echo 'int main(void) { return undeclared; }' >wrong.c
	run "$pipcc" --silent wrong.c
	[ "$status" != 0 ] || complain "a mistake in the source goes unnoticed"
	echo 'int absent(void); int main(void) { return absent(); }' >wrong.c
	rm -f a.out
	run "$pipcc" --silent wrong.c
	[ "$status" != 0 ] || complain "a mistake in linking goes unnoticed"
	run env CC='sh -c "exit 5"' "$pipcc" plain.c
	[ "$status" != 0 ] || complain "the compiler's failure goes unnoticed"
}

steps() {
	local option
	case_begin "-c -E -S: no flags to link, and no library"
	for option in -c -E -S; do
		run "$pipcc" $option plain.c -o step
		is 0
		run "$pipcc" --dry $option plain.c
		! grep -qE 'lpip|rdynamic' "$out" || complain "$option has flags of the linker"
		matches "$out" ' -fPIC '
	done

	case_begin "--nopip: nothing is added"
	run "$pipcc" --nopip plain.c -o plain
	is 0
	says "$out" "$compiler plain.c -o plain"
	run "$TOOLS/pip-unpie" -c plain
	is 1
	! readelf -d plain | grep -q libpip || complain "it is linked with libpip"
}

queries() {
	local include lib words
	case_begin "--where, --which"
	run "$pipcc" --where
	is 0
	says "$out" "$(readlink -f "$pipcc")"
	run "$pipcc" --which
	is 0
	says "$out" "$(command -v "${compiler%% *}")"
	run "$pipcc" --where --which
	is 0
	says "$out" "$(readlink -f "$pipcc")"$'\n'"$(command -v "${compiler%% *}")"

	for option in --version -v; do
		case_begin "$option"
		run "$pipcc" $option
		is 0
		matches "$out" '^pipcc \(Process-in-Process Compiler .* Script\) Version:[0-9.]+$'
		matches "$out" '^Debug build:'
		tail -n 1 "$out" | grep -q . || [ "$(wc -l <"$out")" -gt 14 ] ||
			complain "the compiler says nothing"
	done
	case_begin "--where --which --version"
	run "$pipcc" --where --which --version
	is 0
	matches "$out" '^pipcc \('
	matches "$out" "^$(readlink -f "$pipcc")\$"

	case_begin "--cflags"
	run "$pipcc" --cflags
	is 0
	matches "$out" '^-DPIPCC -DPIP_VERSION=2.4.1 .* -I[^ ]+ -fPIC -pthread$'
	include=$(sed 's/.* -I\([^ ]*\) .*/\1/' "$out")
	[ -f "$include/pip/pip.h" ] || complain "there is no pip/pip.h in $include"
	run "$pipcc" --cflags --piproot
	! grep -q fPIC "$out" || complain "a root needs no -fPIC"

	case_begin "--lflags"
	run "$pipcc" --lflags
	is 0
	matches "$out" '^-L[^ ]+ -Wl,-rpath=[^ ]+ .*-pie -rdynamic .*-lpip.* -ldl -pthread$'
	lib=$(sed 's/^-L\([^ ]*\) .*/\1/' "$out")
	[ -f "$lib/libpip.so" ] || complain "there is no libpip.so in $lib"
	run "$pipcc" --lflags --piproot
	! grep -q -e '-rdynamic' "$out" || complain "a root needs no -rdynamic"

	case_begin "--cflags --lflags, --ccopts"
	run "$pipcc" --cflags --lflags
	is 0
	words=$(cat "$out")
	run "$pipcc" --ccopts
	is 0
	says "$out" "$words"
	run "$pipcc" --ccopts "a b.c" -DX
	is 0
	matches "$out" " 'a b.c' -DX .*-lpip"

	case_begin "what it prints compiles"
	read -ra words < <("$pipcc" --cflags --lflags)
	# shellcheck disable=SC2086 # a compiler may come with arguments
	run $compiler both.c "${words[@]}" -o by-hand
	is 0
	run ./by-hand
	is 0
}

echoes() {
	case_begin "the command is printed, quoted"
	run "$pipcc" '-DTEXT="a '\''b"' plain.c
	is 0
	matches "$out" "^$compiler .*'-DTEXT=\"a '\\\\''b\"' plain.c "
	rm a.out
	run sh -c "$(cat "$out")"
	is 0
	[ -f a.out ] || complain "the printed command does not do the same"

	case_begin "--silent"
	run "$pipcc" --silent plain.c
	is 0
	says "$out" ""

	for option in --dryrun --dry; do
		case_begin "$option"
		rm -f a.out
		run "$pipcc" $option plain.c
		is 0
		matches "$out" "^$compiler .* plain.c "
		! [ -e a.out ] || complain "it has compiled"
		run "$pipcc" $option --silent plain.c
		matches "$out" " plain.c "
	done
}

errors() {
	local option
	for option in -static -Bstatic --enable-new-dtags -Wl,--enable-new-dtags; do
		case_begin "$option"
		rm -f a.out
		run "$pipcc" plain.c $option
		is 2
		matches "$err" "^pipcc: '$option' is not possible$"
		matches "$err" '^Usage: '
		! [ -e a.out ] || complain "it has compiled"
	done

	case_begin "--help"
	run "$pipcc" --help
	is 0
	matches "$err" '^Usage: pipcc '

	case_begin "no argument"
	run "$pipcc"
	is 2
	matches "$err" '^Usage: '

	case_begin "--pipbuild and --pipinstall"
	run "$pipcc" --pipbuild --pipinstall plain.c
	is 2
	matches "$err" '^Usage: '
	run "$pipcc" --pipinstall --lflags
	is 0
	matches "$out" '^-L/'
	run "$pipcc" --pipbuild --lflags
	if [ -f "$TOOLS/build-paths" ]; then
		is 0
		matches "$out" "^-L$(readlink -f "$TOOLS/../src") "
	else
		is 1
		matches "$err" "this is not a build folder"
	fi
}

programs
languages
backends
steps
queries
echoes
errors
finish
