#!/bin/bash
# test_install.sh - what "meson install" installs, into a folder that is not its prefix.
#
# Needs BUILD_DIR, PREFIX, LIBDIR and CC, beside what tools.sh needs.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
: "${BUILD_DIR:?}" "${PREFIX:?}" "${LIBDIR:?}" "${CC:?}"
root=$dir/dest prefix=$dir/dest$PREFIX

installs() {
	case_begin "meson install"
	run env "DESTDIR=$root" meson install -C "$BUILD_DIR" --no-rebuild --quiet
	is 0
}

# libpip.so -> libpip.so.0
libraries() {
	local file link
	case_begin "libraries and their links"
	for file in libpip.so libxpmem.so; do
		link=$prefix/$LIBDIR/$file
		[ "$(readlink "$link")" = "$file.0" ] || complain "$file is no link to $file.0"
		[ -f "$link.0" ] || complain "there is no $file.0"
		readelf -d "$link" | grep -q "SONAME.*\[$file\.0\]" ||
			complain "the soname of $file is not $file.0"
	done
	[ -f "$prefix/$LIBDIR/libpip-preload.so" ] || complain "there is no libpip-preload.so"
}

headers() {
	local name
	case_begin "headers"
	for name in pip pip_clone pip_gdbif_enums pip_machdep pip_machdep_aarch64 \
		pip_machdep_x86_64 pip_util xpmem; do
		[ -f "$prefix/include/pip/$name.h" ] || complain "there is no pip/$name.h"
	done
	[ -f "$prefix/include/xpmem.h" ] || complain "there is no xpmem.h"
}

# A stranger's program, by pkg-config; the folder has moved since it was installed.
uses() {
	local flags
	case_begin "pkg-config, and the prefix is where the library lies"
	mv "$prefix" "$dir/moved"
	prefix=$dir/moved
	cat >"$dir/stranger.c" <<'END'
#include <stdio.h>
#include <stdlib.h>

#include <pip/pip.h>

int main(void)
{
	char *prefix = pip_prefix_dir();

	puts(prefix);
	free(prefix);
	return pip_init(NULL, NULL, NULL, 0) || pip_fin();
}
END
	if ! command -v pkg-config >/dev/null; then
		flags=("-I$prefix/include" "-L$prefix/$LIBDIR" -lpip)
	else
		read -ra flags < <(PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig \
			pkg-config --define-variable=prefix="$prefix" --cflags --libs libpip)
	fi
	# shellcheck disable=SC2086 # a compiler may come with arguments
	run $CC -o "$dir/stranger" "$dir/stranger.c" "${flags[@]}" "-Wl,-rpath,$prefix/$LIBDIR"
	is 0
	run "$dir/stranger"
	is 0
	says "$out" "$(realpath "$prefix")"
}

# They find the library beside them, wherever that is.
commands() {
	case_begin "commands work where they lie"
	run "$prefix/bin/pip-exec" -n 2 "$PROGRAMS/plain" return 7
	is 7
}

completion() {
	local folder=$prefix/share/bash-completion/completions name
	case_begin "completion, by the name of each command"
	for name in "$prefix"/bin/*; do
		name=${name##*/}
		# shellcheck disable=SC2016
		run bash -c '. "$1" && complete -p "$2"' bash "$folder/$name" "$name"
		is 0
	done
}

installs
libraries
headers
uses
commands
completion
finish
