#!/bin/sh
# layers.sh SOURCE_DIR - who may include whom.  One TAP line for each layer that has files.
#
# Inside src an include names the layer ("loader/elf.h"), so a wrong dependency shows in its line.
# Everything outside src, unit tests and fuzzers apart, sees the installed headers only; but some
# commands look at files as the loader does, or at the registry of a space that is not theirs.
set -eu
export LC_ALL=C
cd "$1"

# A layer is a folder of src, or a topic directly in it (space.c and space.h are "space").
# Beside itself, it may include what stands behind its colon; "*" is all of src.
rules='
arch:
base: arch
loader: arch base
task: base loader
space: base loader task
embryo: arch base copies export loader place root space task

self: base space task
log: base embryo self space task
mode: log shim
carrier: base embryo interp
thread_once:
interp: base loader log
begin:
intercept: copies embryo task
namespace: base carrier embryo intercept interp log space task taskside
shim: begin copies embryo intercept interp join lib log mode self space
barrier: base
export: base root space
segment: base embryo lib self space task
root: base export space
join: copies embryo log mode namespace root self shim signals space task thread_once trouble
copies: base embryo interp loader space
place: base copies embryo interp loader space
signals: base embryo join log root self space task thread
stop: embryo log task
trouble: embryo interp log task
wait: base carrier embryo export log namespace root self space stop task thread trouble
thread: base embryo self space task
spawn: arch base carrier embryo interp loader log mode namespace place root self signals space
spawn: stop task wait

xpmem: segment
taskside: base embryo interp join lib log root self shim signals space task thread thread_once
program: space
lib: *
util: *
'

# shellcheck disable=SC2016 # the dollars are awk's
find src tools bench docs/examples tests/task tests/fault tests/real tests/prog \
	preload -name '*.[chS]' 2>/dev/null |
	sort | xargs awk -v rules="$rules" '
	BEGIN {
		n = split(rules, line, "\n")
		for (i = 1; i <= n; i++) {
			split(line[i], part, ":")
			if (part[1] == "")
				continue
			known[part[1]] = 1
			m = split(part[2], others, " ")
			for (j = 1; j <= m; j++)
				may[part[1], others[j]] = 1
			may[part[1], part[1]] = 1
		}
		looking["tools/pip-check.c"] = "place.h"
		looking["tools/pip-unpie.c"] = "loader/loader.h"
		looking["tools/pips/spaces.c"] = "space.h"
		looking["tests/real/prog/liar.c"] = "embryo/standin.h"
	}
	# The layer of a path in src.
	function layer(path) {
		sub(/\/.*/, "", path)
		sub(/\.[chS]$/, "", path)
		return path
	}
	function exists(path,  one, there) {
		there = (getline one < path) >= 0
		close(path)
		return there
	}
	function wrong(why) {
		bad[from] = bad[from] "# " FILENAME ":" FNR ": " why "\n"
	}
	FNR == 1 {
		from = FILENAME
		if (sub(/^src\//, "", from))
			from = layer(from)
		else
			sub(/\/.*/, "", from)
		if (!(from in seen))
			order[++count] = from
		seen[from] = 1
		inside = FILENAME ~ /^src\//
		if (inside && !(from in known))
			wrong("src/" from " has no rule in layers.sh")
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, quoted, "\"")
		header = quoted[2]
		own = FILENAME
		sub(/[^\/]*$/, "", own)
		if (inside && exists("src/" header)) {
			to = layer(header)
			if (!((from, to) in may) && !((from, "*") in may))
				wrong(from " may not include \"" header "\"")
		} else if (FILENAME == "src/arch/arch.h" && header == "syscall.h") {
			# The one header that the build picks by CPU.
		} else if (inside) {
			wrong("\"" header "\" is not a path below src")
		} else if (from == "preload" && header == "begin.h") {
			# What libpip has for libpip-preload.so.
		} else if (looking[FILENAME] == header) {
			# As it should be.
		} else if (!exists(own header) && exists("src/" header)) {
			wrong("only the installed headers may be used here, not \"" header "\"")
		}
	}
	END {
		for (i = 1; i <= count; i++) {
			from = order[i]
			if (from in bad)
				failed = 1
			printf "%sok %d - %s\n%s", from in bad ? "not " : "", i, from, bad[from]
		}
		print "1.." count
		exit failed
	}'
