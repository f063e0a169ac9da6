#!/bin/bash
# test_libpip.sh - libpip.so run as a program.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
: "${LIBPIP:?}"

labels=("Package" "Version" "License" "Build OS" "Build CC" "Prefix dir" "PiP-glibc" "ld-linux"
	"Commit Hash" "Debug build" "Features" "URL" "mailto")
options=(name version license os cc prefix glibc ldlinux commit debug features)

all() {
	local words label
	for words in "" --all -all; do
		case_begin "libpip.so $words"
		run "$LIBPIP" $words
		is 0
		says "$err" ""
		says <(sed 's/:.*//' "$out") "$(printf '%s\n' "${labels[@]}")"
		for label in "${labels[@]}"; do
			matches "$out" "^$label:"$'\t'
		done
	done
}

# Each option prints what stands behind its label.
one() {
	local i value
	for i in "${!options[@]}"; do
		case_begin "libpip.so --${options[i]}"
		"$LIBPIP" | sed -n "s/^${labels[i]}:\t//p" >"$dir/value"
		value=$(cat "$dir/value")
		[ -n "$value" ] || complain "it prints nothing"
		run "$LIBPIP" "--${options[i]}"
		is 0
		says "$out" "$value"
		run "$LIBPIP" "-${options[i]}"
		is 0
		says "$out" "$value"
	done
}

values() {
	case_begin "what scripts read"
	run "$LIBPIP" --debug
	matches "$out" '^(yes|no)$'
	run "$LIBPIP" --ldlinux
	[ -x "$(cat "$out")" ] || complain "there is no such dynamic linker"
	run "$LIBPIP" --prefix
	[ -d "$(cat "$out")" ] || complain "there is no such folder"
	run "$LIBPIP" --license
	says "$out" "BSD-2-Clause"

	case_begin "several options"
	run "$LIBPIP" --license --debug
	is 0
	[ "$(wc -l <"$out")" = 2 ] || complain "not two lines"
}

errors() {
	local word
	for word in --usage --help -h --what word; do
		case_begin "libpip.so $word"
		run "$LIBPIP" $word
		is 1
		matches "$out" '^Usage: .*--version'
		says "$err" ""
	done

	case_begin "it cannot write"
	run sh -c '"$1" >/dev/full' sh "$LIBPIP"
	is 1
	matches "$err" "cannot write"

	case_begin "it is a library all the same"
	run "$TOOLS/pip-exec" "$PROGRAMS/plain" return 6
	is 6
}

all
one
values
errors
finish
