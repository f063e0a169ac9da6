#!/bin/sh
# test_pages.sh SOURCE_DIR BUILD_DIR - the manual pages are complete, right in form, and true.
#
# Of the sources: what is shown as C compiles (examples_compile), and the variables that the code
# reads are described (variables_are_described).  Of the pages, if they were made: every function of
# the headers and every command has one (functions_have_pages, commands_have_pages); the latter's
# options are told (options_are_described); what a page refers to is there
# (references_lead_somewhere); neither mandoc nor groff complains (formatters_accept), and "man -M"
# shows each (man_shows).  Prints TAP.
set -u
export LC_ALL=C.UTF-8
source=$1 build=$2 pages=$2/docs/man
# shellcheck source=tests/static/checks/report.sh
. "$(dirname "$0")/checks/report.sh"

# skip NAME WHY
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

examples_compile() {
	: >"$tmp/bad"
	for page in "$source"/docs/man/*.scd; do
		name=${page##*/}
		name=${name%.scd}
		mkdir "$tmp/$name"
		# A literal block that includes a header is a whole file.
		awk -v dir="$tmp/$name" '
			/^```$/ && on { close(file); on = 0; next }
			/^```$/ { file = dir "/" ++n ".c"; on = 1; first = 1; next }
			on && first && !/^#include/ { on = 0 }
			on { first = 0; print >file }' "$page"
		for example in "$tmp/$name"/*.c; do
			[ -f "$example" ] || continue
			# shellcheck disable=SC2086 # a compiler may come with arguments
			$CC -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror "-I$source/include" \
				-c -o "$tmp/object" "$example" >>"$tmp/bad" 2>&1 ||
				echo "in $page" >>"$tmp/bad"
		done
	done
	report "examples compile"
}

# have SECTION NAME...: those that have no page, to the log.
have() {
	section=$1
	shift
	for name; do
		[ -f "$pages/$name.$section" ] || echo "no page: $name($section)"
	done
}

functions_have_pages() {
	# Names before a bracket that follow a type, at the start of a line.
	# shellcheck disable=SC2046 # one word each
	have 3 $(find "$source/include" -name '*.h' -exec cat {} + |
		sed -n 's/^[a-zA-Z].*[ *]\(\(pip\|xpmem\)_[a-z0-9_]*\)(.*/\1/p' | sort -u) \
		>"$tmp/bad"
	# shellcheck disable=SC2046
	have 3 $(sed -e '/^PIP_PRIVATE/,/^}/d' "$source/src/libpip.map.in" |
		sed -n 's/^\t\t\(pip_[a-z0-9_]*\);/\1/p') >>"$tmp/bad"
	report "functions have pages"
}

commands_have_pages() {
	# What the build installs into the folder of programs.
	# shellcheck disable=SC2046
	have 1 $(meson introspect "$build" --installed | tr ',' '\n' |
		sed -n 's:.*/bin/\([^"/]*\)"}*$:\1:p') >"$tmp/bad"
	report "commands have pages"
}

# What a command tells of its options, at the start of lines, its page tells, too.
options_are_described() {
	for page in "$pages"/*.1; do
		name=${page##*/}
		name=${name%.1}
		[ -x "$build/tools/$name" ] || continue
		timeout 20 "$build/tools/$name" --help 2>&1 </dev/null | sed -n 's/^ \+-/-/p' |
			sed 's/   .*//' | grep -oE -e '(^|[ ,])--?[A-Za-z][A-Za-z0-9:-]*' |
			tr -d ' ,' | sort -u | while read -r option; do
			grep -qF "\\fB$option\\fR" "$page" ||
				echo "$name(1) does not tell of $option"
		done
	done >"$tmp/bad"
	report "options are described"
}

references_lead_somewhere() {
	: >"$tmp/bad"
	for page in "$source"/docs/man/*.scd; do
		grep -oE '\*(pip|lib|xpmem|printpip)[a-z0-9_-]*\*\([0-9]\)' "$page" | sort -u |
			sed 's/\*\(.*\)\*(\(.\))/\1.\2/' | while read -r name; do
			[ -f "$pages/$name" ] || echo "${page##*/} refers to $name"
		done >>"$tmp/bad"
	done
	report "references lead somewhere"
}

variables_are_described() {
	find "$source/src" "$source/preload" "$source/tools" "$source/include" -name '*.[chS]' \
		-exec grep -ohE '"(PIP|KMP|GOMP|OMP)_[A-Z_]+"' {} + 2>/dev/null | tr -d '"' |
		sort -u | while read -r name; do
		# PIP_PRELOAD is of the interface but nothing reads it.
		[ "$name" = PIP_PRELOAD ] ||
			grep -qw "$name" "$source/docs/man/pip-environment.7.scd" ||
			echo "pip-environment(7) does not tell what $name is"
	done >"$tmp/bad"
	report "variables are described"
}

formatters_accept() {
	if command -v mandoc >/dev/null; then
		mandoc -Tlint -Wwarning "$pages"/*.[137] >"$tmp/bad" 2>&1
		report "mandoc accepts the pages"
	else
		skip "mandoc accepts the pages" "no mandoc"
	fi
	if command -v groff >/dev/null; then
		for page in "$pages"/*.[137]; do
			groff -t -ww -man -Tutf8 "$page" 2>&1 >/dev/null | sed "s:^:${page##*/}\: :"
		done >"$tmp/bad"
		report "groff accepts the pages"
	else
		skip "groff accepts the pages" "no groff"
	fi
}

man_shows() {
	if ! command -v man >/dev/null; then
		skip "man shows the pages" "no man"
		return
	fi
	for page in "$pages"/*.[137]; do
		name=${page##*/}
		section=${name##*.}
		mkdir -p "$tmp/man/man$section"
		cp "$page" "$tmp/man/man$section"
	done
	: >"$tmp/bad"
	for page in "$tmp"/man/man?/*; do
		name=${page##*/}
		section=${name##*.}
		name=${name%.?}
		MANPAGER=cat TERM=dumb MANWIDTH=200 man -M "$tmp/man" "$section" "$name" 2>&1 |
			grep -A 1 '^NAME' | grep -qw -e "$name" ||
			echo "man -M $tmp/man $section $name does not show it" >>"$tmp/bad"
	done
	report "man shows the pages"
}

examples_compile
if ls "$pages"/*.7 >/dev/null 2>&1; then
	functions_have_pages
	commands_have_pages
	options_are_described
	references_lead_somewhere
	formatters_accept
	man_shows
else
	skip "pages" "made without scdoc"
fi
variables_are_described
finish
