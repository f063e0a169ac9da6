#!/bin/sh
# test_headers.sh INCLUDE_DIR ABI_FILE - the installed headers compile, and say what they must say.
#
# Each header in each dialect, alone and twice over (headers_compile), then ABI_FILE, which asserts
# values, layouts and prototypes (abi_compile); what pip.h brings along and leaves to the program
# (pip_h_serves_programs), and that formats are checked (formats_are_checked); each header is
# installed (headers_installed).
# The compilers are $CC and $CXX, with arguments if need be; no $CXX: C++ is skipped.  Prints TAP.
set -u
include=$1 abi=$2
headers=$(cd "$include" && find . -name '*.h' | sed 's:^\./::' | sort)
count=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# report NAME STATUS: one TAP line, with what is in the log if the status is a failure.
report() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# /' "$tmp/log"
	fi
}

# compile NAME DIALECT FILE: a warning is a failure.
compile() {
	case $2 in
	*++*) compiler=${CXX-} language=c++ ;;
	*) compiler=$CC language=c ;;
	esac
	# In a dialect of GNU's, as the project itself is built: with all that libc declares.
	case $2 in
	gnu*) gnu=-D_GNU_SOURCE= ;;
	*) gnu= ;;
	esac
	if [ -z "$compiler" ]; then
		count=$((count + 1))
		echo "ok $count - $1 as $2 # SKIP no C++ compiler"
		return
	fi
	# shellcheck disable=SC2086 # a compiler may come with arguments
	$compiler -x $language "-std=$2" $gnu -Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror \
		"-I$include" -c -o "$tmp/object" "$3" >"$tmp/log" 2>&1
	report "$1 as $2" $?
}

headers_compile() {
	for header in $headers; do
		printf '#include <%s>\n#include <%s>\nextern int used;\n' "$header" "$header" \
			>"$tmp/alone.c"
		for dialect in c11 c17 gnu17 c++17; do
			compile "$header" $dialect "$tmp/alone.c"
		done
	done
}

abi_compile() {
	for dialect in c11 c17 gnu17 c++17; do
		compile "${abi##*/}" $dialect "$abi"
	done
}

pip_h_serves_programs() {
	cat >"$tmp/program.c" <<'END'
#define INLINE static __attribute__((unused))
#define PIP_PRELOAD
#include <pip/pip.h>

#ifdef PIP_BARRIER_INIT
#error "barriers are initialised by a call since v2.4"
#endif
#ifndef PIP_ENV_PRELOAD
#error "PIP_PRELOAD asks for PIP_ENV_PRELOAD"
#endif

/* One thing of each header that programs get by pip.h. */
sem_t *semaphore;
sigset_t *set;
uint32_t number = EINVAL;
size_t size = sizeof(PIP_ENV_PRELOAD);

int use(FILE *stream, pip_spawn_program_t *program);

int use(FILE *stream, pip_spawn_program_t *program)
{
	memset(program, 0, sizeof(*program));
	pip_spawn_from_func(program, NULL, NULL, NULL, NULL, NULL);
	pip_spawn_from_main(program, NULL, program->argv, NULL, NULL);
	pip_spawn_hook(NULL, NULL, NULL, NULL);
	return fputs(PIP_ENV_MODE, stream);
}
END
	for dialect in c11 c17 gnu17 c++17; do
		compile "what pip.h serves programs" $dialect "$tmp/program.c"
	done
}

# A number where the format has a string must be an error.
formats_are_checked() {
	while read -r call; do
		printf '#include <pip/pip.h>\nvoid f(void);\nvoid f(void) { %s; }\n' "$call" \
			>"$tmp/format.c"
		echo "accepted: $call" >"$tmp/log"
		# shellcheck disable=SC2086 # a compiler may come with arguments
		! $CC -std=gnu17 -Wformat -Werror "-I$include" -c -o "$tmp/object" "$tmp/format.c" \
			>>"$tmp/log" 2>&1 && grep -q 'Wformat\|Werror=format' "$tmp/log"
		report "format of ${call%%(*}" $?
	done <<'END'
pip_named_export(NULL, "%s", 1)
pip_named_import(0, NULL, "%s", 1)
pip_named_tryimport(0, NULL, "%s", 1)
pip_info_fmesg(stderr, "%s", 1)
pip_info_mesg("%s", 1)
pip_warn_mesg("%s", 1)
pip_err_mesg("%s", 1)
END
}

headers_installed() {
	for header in $headers; do
		echo "not in the list of include/meson.build" >"$tmp/log"
		grep -qF "'$header'" "$include/meson.build"
		report "$header is installed" $?
	done
}

headers_compile
abi_compile
pip_h_serves_programs
formats_are_checked
headers_installed
echo "1..$count"
exit $failed
