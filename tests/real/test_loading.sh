#!/bin/bash
# test_loading.sh - what the dynamic linker does for a program: libraries, their places,
# thread-local storage, preloading, the program's name.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check()
. "$(dirname "$0")/real.sh"

# ---- Many libraries ------------------------------------------------------------------------

libraries=100

# shellcheck disable=SC2086 # a compiler may come with arguments
make_many() {
	local i compile="$CC -O0 -I. $SOURCES/many.c"
	mkdir many
	for ((i = 0; i < libraries; i++)); do
		echo "LIBRARY($i)" >>many.list
		echo "-DN=$i -DBEFORE=$(((i + libraries - 1) % libraries)) -o many/lib$i.so"
	done | xargs -P 2 -n 4 $compile -fPIC -shared &&
		$compile -fPIE -pie -pthread -rdynamic -Wl,--no-as-needed many/lib*.so \
			-Wl,-rpath,"\$ORIGIN" -o many/main
}

if make_many >"$log" 2>&1; then
	same "$libraries libraries" many/main
	tasks=8 same "$libraries libraries" many/main
	with=LD_BIND_NOW=1 same "$libraries libraries, bound at once" many/main
else
	report "$libraries libraries can be built" 1
fi

# ---- Thread-local storage, dlopen ----------------------------------------------------------

same "1 MiB of thread-local storage" "$PROGRAMS/tls"
tasks=8 same "1 MiB of thread-local storage" "$PROGRAMS/tls"
plugs=("$PROGRAMS"/libplug[123].so)
same "dlopen and dlclose in four threads" "$PROGRAMS/dlloop" "${plugs[@]}"
tasks=4 same "dlopen and dlclose in four threads" "$PROGRAMS/dlloop" "${plugs[@]}"

# ---- Unusual files -------------------------------------------------------------------------

same "a library that wants an executable stack" "$PROGRAMS/dlloop-execstack" "${plugs[@]}"
same "dlopen of a library that wants an executable stack" \
	"$PROGRAMS/dlloop" "${plugs[0]}" "$PROGRAMS/libexecstack.so"

# shape NAME LINK_OPTION... - common.c linked in some way.  $CC may come with arguments.
# shellcheck disable=SC2086
shape() {
	local name=$1
	shift
	if $CC -pie -pthread "$@" -o shaped common.o -lm >"$log" 2>&1; then
		same "$name" ./shaped
	else
		skip "$name" "the linker cannot do this"
	fi
}
# shellcheck disable=SC2086
$CC -std=gnu17 -O1 -D_GNU_SOURCE= -fPIE -pthread -c "$SOURCES/common.c"
shape "segments aligned at 2 MiB" -Wl,-z,max-page-size=0x200000,-z,common-page-size=0x200000
shape "code and data in one segment" -Wl,-z,noseparate-code
shape "no segment is made read-only" -Wl,-z,norelro
shape "relative relocations in short form" -Wl,-z,pack-relative-relocs
shape "the old hash table only" -Wl,--hash-style=sysv
shape "an executable stack" -Wl,-z,execstack
shape "a stack size of its own" -Wl,-z,stack-size=0x2000000
shape "no build ID, no unwind table" -Wl,--build-id=none,--no-eh-frame-hdr
shape "linked by gold" -fuse-ld=gold
shape "linked by lld" -fuse-ld=lld
shape "static PIE aligned at 2 MiB" -static-pie -Wl,-z,max-page-size=0x200000

# A dynamic linker and a C library that pip-exec itself does not use.
# shellcheck disable=SC2086
own_libc() {
	local linker library
	local options="-std=gnu17 -O1 -D_GNU_SOURCE= -fPIE -pie -pthread"
	mkdir own
	linker=$(sed -n 's/.* \(\/.*\/ld[-.][^ ]*\)$/\1/p' /proc/self/maps | head -n 1)
	for library in libc.so.6 libm.so.6; do
		cp "$($CC -print-file-name=$library)" own/ || return
	done
	cp "$linker" own/ld.so &&
		for program in common children forks exe; do
			$CC $options -o own/$program "$SOURCES/$program.c" -lm \
				-Wl,--dynamic-linker="$work/own/ld.so" \
				-Wl,-rpath,"$work/own" -Wl,--disable-new-dtags || return
		done
}
if own_libc >"$log" 2>&1; then
	for program in common children forks exe; do
		same "a C library of its own: $program" own/$program
	done
	tasks=4 same "a C library of its own: forks" own/forks
else
	report "a C library of its own can be had" 1
fi

# ---- Where the program is ------------------------------------------------------------------

mkdir -p place/lib elsewhere bin
cp "$PROGRAMS/origin" place/
cp "$PROGRAMS"/liborigin.so place/lib/
cp "$PROGRAMS/libplug1.so" place/lib/libplug.so
ln -s ../place/origin elsewhere/link
cp "$PROGRAMS/exe" bin/real-exe
ln -s real-exe bin/exe-link

same "\$ORIGIN: an absolute path" "$work/place/origin"
same "\$ORIGIN: a relative path" place/origin
same "\$ORIGIN: through a symbolic link" elsewhere/link
tasks=4 same "\$ORIGIN" place/origin
with=PATH=$work/place:$PATH same "\$ORIGIN: found along PATH" origin
with=LD_LIBRARY_PATH=$work/place/lib same "LD_LIBRARY_PATH" "$PROGRAMS/origin"
same "/proc/self/exe" bin/real-exe
same "/proc/self/exe: through a symbolic link" bin/exe-link
tasks=4 same "/proc/self/exe" bin/real-exe
rm place/lib/liborigin.so
missing_library() {
	place/origin 2>want
	task place/origin 2>err
	local status=$?
	cat err
	[ "$status" = 83 ] && grep -qxFf want err # ELIBEXEC
}
check "a library that is missing" missing_library

# ---- Preloading and settings ---------------------------------------------------------------

preloaded=$PROGRAMS/libpreloaded.so
export PRELOADED_FOR=id
# Libraries are initialised before the hook that sends a task's stderr elsewhere is called.
preloading_with_hooks() {
	mkdir apart
	timeout "$limit" env LD_PRELOAD="$preloaded" id -u 2>want
	timeout "$limit" env LD_PRELOAD="$preloaded" "$PROGRAMS/apart" 1 apart id -u 2>err
	equal "stderr" want err
}
# preloading VALUE WHAT
preloading() {
	with=LD_PRELOAD=$1 same "LD_PRELOAD, $2: in effect" id -u
	with=LD_PRELOAD=$1 same "LD_PRELOAD, $2: shown as it is" env
	with=LD_PRELOAD=$1 same "LD_PRELOAD, $2: passed on" sh -c 'env | grep ^LD_; id -u'
}
if usable "LD_PRELOAD" id env sh; then
	preloading "$preloaded" "a library"
	preloading " $preloaded:" "with separators"
	preloading "" "empty"
	tasks=4 with=LD_PRELOAD=$preloaded same "LD_PRELOAD, a library: shown as it is" env
	check "LD_PRELOAD, a library: in effect, with hooks" preloading_with_hooks
fi

# The last vector that is shown on stdin (watchdog and pip-exec show theirs first), without
# addresses and without our own entry.
auxv() {
	awk '/^AT_SYSINFO_EHDR:/ { n = 0 }
		/^AT_/ && !/^AT_(SYSINFO_EHDR|PHDR|BASE|ENTRY|RANDOM):/ && !/0x50695054/ {
			line[n++] = $0
		}
		END { for (i = 0; i < n; i++) print line[i] }' | sort
}
show_auxv() {
	LD_SHOW_AUXV=1 "$PROGRAMS/state" | auxv >want
	LD_SHOW_AUXV=1 task "$PROGRAMS/state" | auxv | equal "LD_SHOW_AUXV" want - && [ -s want ]
}
check "LD_SHOW_AUXV" show_auxv

finish
