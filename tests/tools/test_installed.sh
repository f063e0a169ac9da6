#!/bin/bash
# test_installed.sh - the tests of the commands once more, with the commands as they are installed.
#
# They lie in a folder that is not their prefix, and find each other and the library from there.
# Needs BUILD_DIR, PREFIX and LIBDIR, beside what the tests themselves need.
set -uo pipefail
: "${BUILD_DIR:?}" "${PREFIX:?}" "${LIBDIR:?}"
here=$(cd "${BASH_SOURCE%/*}" && pwd)
staging=$(mktemp -d "${TMPDIR:-/tmp}/pip-installed.XXXXXX")
trap 'rm -rf "$staging"' EXIT

if ! DESTDIR=$staging/dest meson install -C "$BUILD_DIR" --no-rebuild >"$staging/log" 2>&1; then
	sed 's/^/# /' "$staging/log"
	echo "Bail out! It cannot be installed"
	exit 1
fi
mv "$staging/dest$PREFIX" "$staging/prefix"
export TOOLS=$staging/prefix/bin LIBPIP=$staging/prefix/$LIBDIR/libpip.so

# All of their lines make one stream, numbered through.
for name; do
	bash "$here/test_$name.sh" || echo "not ok - status $?"
done | awk '
	/^1\.\.0 # SKIP/ { sub(/^1\.\.0/, "ok " ++n " - one of the commands"); print; next }
	/^1\.\./ { next }
	/^not ok - / { if (!bad) printf "not ok %d - a test stopped\n", ++n; bad = 1; next }
	/^not ok / { bad = 1; sub(/^not ok [0-9]+/, "not ok " ++n); print; next }
	/^ok / { sub(/^ok [0-9]+/, "ok " ++n); print; next }
	{ print }
	END { print "1.." n; exit bad }'
