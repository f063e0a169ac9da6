#!/bin/sh
# exports.sh LIBRARY MAP READELF - a shared library exports what its version script lists.
#
# Compares the dynamic symbols that LIBRARY defines, each with its version node, with MAP's names.
# A sanitizer or coverage build must pass too: their symbols are not in the map, so stay local.
set -eu
export LC_ALL=C
library=$1 map=$2 readelf=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# NODE { global: name; ... local: *; }, without comments; NODE may be missing.  A pattern would open
# the list.
tr '\n' ' ' <"$map" | sed 's:/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/::g; s/#[^\n]*//g' |
	sed 's/[{};:]/ & /g' | tr -s '[:blank:]' '\n' | awk '
	/^$/ { next }
	$0 == "{" { node = before == "" ? "" : "@" before; inside = 1; part = "global"; next }
	$0 == "}" { inside = 0; next }
	inside && $0 == ":" { part = before; next }
	inside && $0 == ";" && before != "" {
		if (part == "global") {
			if (before ~ /[*?[]/) {
				print "pattern in the global part: " before >"/dev/stderr"
				exit 1
			}
			print before node
		} else if (before == "*") {
			closed = 1
		}
		before = ""
		next
	}
	{ before = $0 }
	END {
		if (!closed) {
			print "the map does not end with local: *" >"/dev/stderr"
			exit 1
		}
	}' | sort -u >"$tmp/wanted"

# A name with @@ is the default version.  The nodes themselves are absolute symbols.
"$readelf" --dyn-syms -W "$library" | awk '
	$5 ~ /^(GLOBAL|WEAK|UNIQUE)$/ && $7 != "UND" && $7 != "ABS" {
		sub(/@@/, "@", $8)
		print $8
	}' | sort -u >"$tmp/found"

if ! [ -s "$tmp/wanted" ]; then
	echo "no names found in $map"
	exit 1
fi
if cmp -s "$tmp/wanted" "$tmp/found"; then
	exit 0
fi
echo "Listed in $map but not exported:"
comm -23 "$tmp/wanted" "$tmp/found" | sed 's/^/	/'
echo "Exported but not listed there:"
comm -13 "$tmp/wanted" "$tmp/found" | sed 's/^/	/'
exit 1
