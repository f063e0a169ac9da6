#!/bin/sh
# freestanding.sh ARCHIVE CPU READELF OBJDUMP - code that runs before a task has a libc of its own.
#
# Between clone and the program's entry, and inside system-call traps, a task runs with the thread
# pointer of somebody else or with none at all.  So the objects of ARCHIVE must resolve among
# themselves, must not use thread-local storage, the stack protector's canary among it, and must
# leave alone the vector registers that a trap does not save.  One TAP line for each of these.
set -eu
export LC_ALL=C
here=$(dirname "$0")
archive=$1 cpu=$2 readelf=$3 objdump=$4
# shellcheck source=tests/static/checks/report.sh
. "$here/report.sh"

"$readelf" -sW "$archive" >"$tmp/symbols" 2>/dev/null
awk '$5 ~ /GLOBAL|WEAK/ && $7 != "UND" { print $8 }' "$tmp/symbols" | sort -u >"$tmp/defined"
awk '$5 ~ /GLOBAL|WEAK/ && $7 == "UND" { print $8 }' "$tmp/symbols" | sort -u >"$tmp/undefined"
if ! [ -s "$tmp/defined" ]; then
	echo "Bail out! no symbols in $archive"
	exit 1
fi
# The linker makes these itself.
comm -13 "$tmp/defined" "$tmp/undefined" |
	grep -vx '_GLOBAL_OFFSET_TABLE_\|__ehdr_start' >"$tmp/bad" || true
report "nothing is undefined"

{
	awk '$4 == "TLS"' "$tmp/symbols"
	"$readelf" -rW "$archive" 2>/dev/null | grep -E 'TPOFF|DTP|TLS(GD|LD|DESC|LE|IE)' || true
	"$readelf" -SW "$archive" 2>/dev/null | grep -E '\.(tdata|tbss)' || true
} >"$tmp/bad"
report "no thread-local storage"

"$objdump" -d --no-show-raw-insn "$archive" >"$tmp/code"
case $cpu in
x86_64)
	# A canary is read at %fs:0x28 with no relocation.  The thread pointer itself, %fs:0x0, is
	# for base/ and arch/ to read; nothing else may be addressed through it.
	grep -E '%fs:0x[1-9a-f]' "$tmp/code" >"$tmp/bad" || true
	report "no stack protector"
	# Saving the whole vector state is the one use that is right.
	grep -E '%[xyz]mm[0-9]' "$tmp/code" >"$tmp/bad" || true
	report "no vector registers"
	;;
aarch64)
	# Operands are the third field; addresses ("d0 <name>") and remarks may look like registers.
	awk -F '\t' '
		/^[0-9a-f]+ <.*>:$/ { name = $0 }
		NF >= 3 {
			operands = $3
			gsub(/[0-9a-f]+ <[^>]*>|\/\/.*/, "", operands)
			if ((" " operands) ~ /[^A-Za-z0-9_.][bhsdqv][0-9]+([^A-Za-z0-9_]|$)/)
				print name " " $0
		}' "$tmp/code" >"$tmp/bad"
	report "no vector registers"
	;;
esac
finish
