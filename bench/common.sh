# shellcheck shell=bash disable=SC2034
# common.sh - what the benchmarks of the shim share; they source it.

pairs=5  # how often both ways are measured
preload= # libpip-preload.so, if it is not the build folder's

# begin BUILD_DIR - sets preload, and goes to a new folder, dir, which is removed at the end.
begin() {
	: "${preload:=$(realpath "$1")/preload/libpip-preload.so}"
	[ -r "$preload" ] || {
		echo "${0##*/}: there is no $preload" >&2
		exit 1
	}
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	cd "$dir" || exit 1
}
