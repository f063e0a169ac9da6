#!/bin/bash
# netpipe.sh [-n PAIRS] [-u BYTES] [-l PRELOAD] [BUILD_DIR] - NetPIPE under the shim against the
# same job run natively.
#
# Debian's NPmpich2 and NPopenmpi, two ranks, in turns, so that both see the same machine.  Prints a
# Markdown table of medians: one-way time natively and under the shim, and the median, the least and
# the largest ratio of the pairs (native time / time under the shim: more than 1 is faster).
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"

most=4194304
while getopts n:u:l: option; do
	case $option in
	n) pairs=$OPTARG ;;
	u) most=$OPTARG ;;
	l) preload=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
begin "${1:-build}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TMPDIR=$dir

# job FILE COMMAND... - NetPIPE's figures, a line for each size: bytes, Mbit/s, seconds.
job() {
	"${@:2}" -p 0 -u "$most" -o "$1" >"$dir/log" 2>&1 </dev/null || {
		cat "$dir/log" >&2
		exit 1
	}
}

# table NAME - of the files n.* and s.*, pair by pair.
table() {
	awk -v pairs="$pairs" -v name="$1" '
	function median(v, n, i, j, x) {
		for (i = 2; i <= n; i++) {
			x = v[i]
			for (j = i - 1; j >= 1 && v[j] > x; j--)
				v[j + 1] = v[j]
			v[j + 1] = x
		}
		return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
	}
	function named(bytes) {
		if (bytes >= 1048576)
			return bytes / 1048576 " MiB"
		return bytes >= 1024 ? bytes / 1024 " KiB" : bytes " B"
	}
	{
		split(FILENAME, part, ".")
		if (!($1 in known)) {
			known[$1] = 1
			size[++sizes] = $1
		}
		# Mbit/s of 2^20 bits: its third column has too few digits for short times.
		time[part[1], part[2], $1] = $1 * 8 / ($2 * 1048576) * 1e6
	}
	END {
		printf "| %s | native | under the shim | ratio (range) |\n", name
		print "| ---: | ---: | ---: | ---: |"
		for (i = 1; i <= sizes; i++) {
			for (k = 1; k <= pairs; k++) {
				n[k] = time["n", k, size[i]]
				s[k] = time["s", k, size[i]]
				r[k] = n[k] / s[k]
			}
			ratio = median(r, pairs)
			if (!worst || ratio < worst) {
				worst = ratio
				where = size[i]
			}
			# Of all sizes the powers of four.
			x = size[i]
			while (x >= 4)
				x /= 4
			if (size[i] >= 4 && x == 1)
				printf "| %s | %.2f us | %.2f us | %.2f (%.2f to %.2f) |\n",
					named(size[i]), median(n, pairs), median(s, pairs), ratio,
					r[1], r[pairs]
		}
		printf "\nOf all %d sizes the least ratio is %.2f, at %s.\n\n",
			sizes, worst, named(where)
	}' n.[0-9]* s.[0-9]*
}

# compare NAME COMMAND...
compare() {
	local k
	if ! type -P "$2" >/dev/null || ! type -P "${*: -1}" >/dev/null; then
		echo "$1: not installed" >&2
		return
	fi
	rm -f n.* s.*
	for ((k = 1; k <= pairs; k++)); do
		job "n.$k" "${@:2}"
		job "s.$k" env LD_PRELOAD="$preload" "${@:2}"
	done
	table "$1"
}

compare "MPICH" mpiexec.mpich -bind-to core -n 2 NPmpich2
compare "Open MPI" mpirun.openmpi --bind-to core -n 2 NPopenmpi
