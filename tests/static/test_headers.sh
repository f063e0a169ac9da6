#!/bin/sh
# test_headers.sh INCLUDE_DIR ABI_FILE - the installed headers compile, and say what they must say.
#
# Each header in each dialect, alone and twice over (headers_compile), then ABI_FILE, which asserts
# values, layouts and prototypes (abi_compile); each header is installed (headers_installed).
# The compilers are $CC and $CXX, with arguments if need be; no $CXX: C++ is skipped.  Prints TAP.
set -u
include=$1 abi=$2
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
	for path in "$include"/*.h "$include"/pip/*.h; do
		header=${path#"$include"/}
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

headers_installed() {
	for path in "$include"/*.h "$include"/pip/*.h; do
		header=${path#"$include"/}
		echo "not in the list of include/meson.build" >"$tmp/log"
		grep -qF "'$header'" "$include/meson.build"
		report "$header is installed" $?
	done
}

headers_compile
abi_compile
headers_installed
echo "1..$count"
exit $failed
