#!/bin/sh
# contract.sh SOURCE_DIR BUILD_DIR - tests/contract.tsv is complete, and its tests are there.
#
# One TAP line for each kind of thing: lines that are no lines; tests that do not exist; and what is
# public but not listed: functions, constants, environment variables, commands, options of commands.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
build=$2 list=tests/contract.tsv
tab=$(printf '\t')
# shellcheck source=tests/static/checks/report.sh
. "$here/report.sh"

# listed NAME: all that is in wanted must be in the second column.
listed() {
	sort -u "$tmp/wanted" | comm -23 - "$tmp/about" >"$tmp/bad"
	[ -s "$tmp/wanted" ] || echo "found none at all" >"$tmp/bad"
	report "$1"
}

grep -v -e '^#' -e '^$' "$list" >"$tmp/lines"
cut -f 2 "$tmp/lines" | tr ' ' '\n' | sort -u >"$tmp/about"

awk -F '\t' '
	NF != 4 || $1 == "" || $2 == "" || $3 == "" || $4 == "" { print "not four fields: " $0 }
	seen[$1]++ { print "twice: " $1 }' "$tmp/lines" >"$tmp/bad"
report "lines are well formed"

# exists TEST: FOLDER/TOPIC:CASE is a registered case, a function of a script, or a word of a file
# that is no test by itself; FOLDER/TOPIC alone is a script.
exists() {
	folder=${1%/*} topic=${1##*/}
	case=${topic#*:} topic=${topic%%:*}
	if [ "$case" = "$topic" ]; then
		[ -f "tests/$folder/$topic.sh" ]
	elif [ -f "tests/$folder/test_$topic.c" ]; then
		grep -qE "(CASE(_[A-Z]+)?|TEST_[A-Z_]+|cmocka_unit_test[a-z_]*)\\(${case}[,)]" \
			"tests/$folder/test_$topic.c"
	elif [ -f "tests/$folder/test_$topic.sh" ]; then
		grep -q "^$case() {" "tests/$folder/test_$topic.sh"
	else
		grep -qw "$case" "tests/$folder/$topic.c" 2>/dev/null
	fi
}

cut -f 4 "$tmp/lines" | tr ' ' '\n' | sort -u | while read -r test; do
	exists "$test" || echo "$test"
done >"$tmp/bad"
report "tests exist"

# What the libraries export, and what the headers declare or define.
{
	find src preload -name '*.map*' -exec cat {} + 2>/dev/null | sed '/^PIP_PRIVATE/,/^}/d' |
		sed -n "s/^$tab$tab\\([a-z_][a-z0-9_]*\\);.*/\\1/p"
	find include -name '*.h' -exec cat {} + |
		sed -n 's/^[a-zA-Z].*[ *]\(\(pip\|xpmem\)_[a-z0-9_]*\)(.*/\1/p'
} >"$tmp/wanted"
listed "functions are listed"

# Macros that are no include guards, and enumerators.
find include -name '*.h' -exec cat {} + | awk '
	/^#define [A-Z]/ && $2 !~ /_H$/ { sub(/\(.*/, "", $2); print $2 }
	/^enum/ { on = 1; next }
	/^}/ { on = 0 }
	on && $1 ~ /^[A-Z]/ { sub(/,.*/, "", $1); print $1 }' >"$tmp/wanted"
listed "constants are listed"

# Those that the code names, and those for which it uses the names of pip.h.
find src preload tools -name '*.[chS]' -exec cat {} + >"$tmp/code" 2>/dev/null || true
{
	grep -ohE '"(PIP|KMP|GOMP|OMP)_[A-Z_]+"' "$tmp/code"
	grep -owE 'PIP_ENV_[A-Z_]+' "$tmp/code" | sort -u | while read -r macro; do
		sed -n "s/^#define $macro \\(\"PIP_[A-Z_]*\"\\).*/\\1/p" include/pip/pip.h
	done
} | tr -d '"' >"$tmp/wanted"
listed "environment variables are listed"

meson introspect "$build" --installed | tr ',' '\n' |
	sed -n 's:.*/bin/\([^"/]*\)"}*$:\1:p' >"$tmp/commands"
cp "$tmp/commands" "$tmp/wanted"
listed "commands are listed"

# The manual pages tell the options: paragraphs such as "*-n* _N_" or "*-h*, *--help*".
while read -r command; do
	page=docs/man/$command.1.scd
	[ -f "$page" ] || continue # a page of several commands has the name of the first
	grep -E '^\*-' "$page" | grep -oE '\*--?[A-Za-z][A-Za-z0-9:-]*\*' | tr -d '*' |
		sed "s/^/$command:/"
done <"$tmp/commands" >"$tmp/wanted"
listed "options of commands are listed"

finish
