#!/bin/sh
# words.sh SOURCE_DIR - no file of the project names a place that only its author's machine has.
#
# Looks at what git tracks or would track; without git, at everything outside build folders.
set -eu
export LC_ALL=C
cd "$1"

if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git -c safe.directory='*' ls-files -z --cached --others --exclude-standard
else
	find . -path './build*' -prune -o -type f -print0
fi >"${TMPDIR:-/tmp}/words.$$"
trap 'rm -f "${TMPDIR:-/tmp}/words.$$"' EXIT

# The brackets keep this file from finding itself.
found=$(xargs -0 grep -nIE \
	-e '(^|[^A-Za-z0-9_.])/[h]ome/[a-z]' \
	-e '(^|[^A-Za-z0-9_.])/[r]oot/' \
	-e '(^|[^A-Za-z0-9_.$}])/[w]ork(/|\b)' \
	-e '/[f]arm/' \
	-e '/tmp/[b](rief|ash_jobs|uild-)' <"${TMPDIR:-/tmp}/words.$$" || true)

[ -z "$found" ] && exit 0
printf '%s\n' "$found" "These lines name a place on somebody's machine."
exit 1
