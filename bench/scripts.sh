#!/bin/bash
# scripts.sh [-n PAIRS] [-c CONFIGURE] [BUILD_DIR] - what launches many short programs, under the
# shim against the same run natively.
#
# A script of 2,000 commands in dash and in bash, and xargs over 2,000 items, in turns; and a
# package's configure script (an absolute path) in bash.  The output of both must be the same.
# Prints a Markdown table of medians, with the range of the pairs' ratios (time under the shim /
# native time: less than 1 is faster).
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"

configure=
while getopts n:c: option; do
	case $option in
	n) pairs=$OPTARG ;;
	c) configure=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
begin "${1:-build}"
seq 2000 >items

# The kinds of commands that shells fork for in different ways.
for ((i = 0; i < 2000; i += 8)); do
	cat <<-END
		/bin/true
		/bin/echo $i
		x=\$(/bin/echo $i); echo "got \$x"
		/bin/echo $i | cat
		(cd /; /bin/pwd)
		expr $i + 1
		/bin/false || echo no
		/usr/bin/basename /a/b/$i & wait
	END
done >script.sh

# one OUT COMMAND... - its time in ms; sorted, since xargs runs several at once.
one() {
	local from to
	from=$(date +%s%N)
	"${@:2}" >out
	to=$(date +%s%N)
	sort out >"$1"
	echo $(((to - from) / 1000000))
}

# compare NAME COMMAND...
compare() {
	local k
	rm -f figures
	for ((k = 0; k < pairs; k++)); do
		one native "${@:2}" | tr '\n' ' ' >>figures
		one shim env LD_PRELOAD="$preload" "${@:2}" >>figures
		cmp native shim
	done
	sort -n -k1,1 figures | awk -v name="$1" '
	{ n[NR] = $1; r[NR] = $2 / $1; s[NR] = $2 }
	function sorted(v, i, j, x) {
		for (i = 2; i <= NR; i++) {
			x = v[i]
			for (j = i - 1; j >= 1 && v[j] > x; j--)
				v[j + 1] = v[j]
			v[j + 1] = x
		}
	}
	END {
		sorted(s)
		sorted(r)
		m = int((NR + 1) / 2)
		printf "| %s | %d ms | %d ms | %.2f (%.2f to %.2f) |\n", name, n[m], s[m], r[m],
			r[1], r[NR]
	}'
}

echo "| | native | under the shim | ratio (range) |"
echo "| --- | ---: | ---: | ---: |"
compare "2,000 commands, dash" dash script.sh
compare "2,000 commands, bash" bash script.sh
compare "xargs -n1, 2,000 items" xargs -a items -n1 /bin/echo
compare "xargs -P4 -n1, 2,000 items" xargs -a items -P4 -n1 /bin/echo
if [ -n "$configure" ]; then
	# shellcheck disable=SC2016 # for that bash
	compare "configure" bash -c 'rm -rf made; mkdir made; cd made && bash "$0"' "$configure"
fi
