#!/bin/bash
# test_pip_man.sh - pip-man.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
man=$TOOLS/pip-man

if ! command -v man >/dev/null; then
	echo "1..0 # SKIP man is not installed"
	exit
fi

# Are there pages at all?  They are made by scdoc.
run "$man" -w
if [ "$status" = 1 ] && grep -q "there are no manual pages" "$err"; then
	echo "1..0 # SKIP there are no manual pages"
	exit
fi

shows() {
	case_begin "pip-man alone: libpip(7)"
	run "$man"
	is 0
	matches "$out" '^PIP\(7\)|^pip\(7\)'

	case_begin "pip-man TOPIC, pip-man SECTION TOPIC"
	run "$man" pip-exec
	is 0
	matches "$out" 'pip-exec - '
	run "$man" 3 pip_init
	is 0
	matches "$out" 'pip_init'

	case_begin "options of man, with and without arguments of their own"
	run "$man" -w pip_spawn
	is 0
	matches "$out" '/man3/pip_spawn\.3(\.gz)?$'
	run "$man" -P cat -w
	is 0
	matches "$out" '/man7/libpip\.7(\.gz)?$'
	run "$man" -P cat 1 pip-exec
	is 0
	matches "$out" 'pip-exec - '

	case_begin "pages of MANPATH are found, too"
	mkdir -p "$dir/man/man7"
	printf '.TH other 7\n.SH NAME\nother \\- a page\n' >"$dir/man/man7/other.7"
	MANPATH=$dir/man run "$man" -w 7 other
	is 0
	says "$out" "$dir/man/man7/other.7"
	MANPATH=$dir/man run "$man" -w
	is 0
	matches "$out" '/man7/libpip\.7(\.gz)?$'

	case_begin "--help"
	run "$man" --help
	is 0
	matches "$out" '^Usage: pip-man '

	case_begin "by a link"
	ln -s "$man" "$dir/a-link"
	run "$dir/a-link" -w
	is 0
}

failures() {
	case_begin "a topic that there is not: the status is man's"
	run "$man" there-is-no-such-topic
	is 16

	case_begin "no pages where it lies"
	mkdir "$dir/bin"
	cp "$man" "$dir/bin"
	run "$dir/bin/pip-man"
	is 1
	matches "$err" "^pip-man: there are no manual pages in '"

	case_begin "man is not there"
	mkdir "$dir/few"
	ln -s "$(command -v readlink)" "$dir/few/readlink"
	PATH=$dir/few /bin/sh "$man" 2>"$err"
	status=$?
	is 1
	says "$err" "pip-man: man is not installed"
}

shows
failures
finish
