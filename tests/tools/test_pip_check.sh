#!/bin/bash
# test_pip_check.sh - pip-check: what it says of files.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
check=$TOOLS/pip-check plain=$PROGRAMS/plain
: "${CC:?}"

# All that it says is on stderr.
answers() {
	says "$out" ""
	says "$err" "$1"
}

kinds() {
	case_begin "a program that calls PiP"
	run "$check" "$PROGRAMS/api"
	is 0
	answers "$PROGRAMS/api : Root&Task"

	case_begin "a program that knows nothing of PiP, a stripped one, a static one"
	run "$check" "$plain" "$plain-stripped" "$plain-static"
	is 0
	answers "$plain : Task"$'\n'"$plain-stripped : Task"$'\n'"$plain-static : Task"

	case_begin "a program at fixed addresses"
	run "$check" "$plain-nonpie"
	is 1
	answers "$plain-nonpie : not a PiP program"

	case_begin "the same, but it calls PiP"
	echo 'int pip_fin(void); int main(void) { return !pip_fin(); }' >"$dir/root.c"
	run "$TOOLS/pipcc" --silent --piproot -o "$dir/root" "$dir/root.c"
	is 0
	run "$check" "$dir/root"
	is 0
	answers "$dir/root : Root"

	case_begin "several files: one bad one counts"
	run "$check" "$plain" "$plain-nonpie" "$PROGRAMS/api"
	is 1
	answers "$plain : Task
$plain-nonpie : not a PiP program
$PROGRAMS/api : Root&Task"

	case_begin "no file"
	run "$check"
	is 0
	answers ""
}

wishes() {
	local option
	for option in -r --root --piproot; do
		case_begin "$option"
		run "$check" $option "$dir/root" "$PROGRAMS/api"
		is 0
		answers ""
		run "$check" $option "$plain"
		is 1
		answers "$plain : cannot be a PiP root"
	done
	for option in -t --task --piptask; do
		case_begin "$option"
		run "$check" $option "$plain" "$PROGRAMS/api"
		is 0
		answers ""
		run "$check" $option "$dir/root"
		is 1
		answers "$dir/root : cannot be a PiP task"
	done
	for option in -b --both --pipboth; do
		case_begin "$option"
		run "$check" $option "$PROGRAMS/api"
		is 0
		answers ""
		run "$check" $option "$dir/root"
		is 1
		answers "$dir/root : cannot be a PiP task"
		run "$check" $option "$plain"
		is 1
		answers "$plain : cannot be a PiP root"
		run "$check" $option "$plain-nonpie"
		is 1
		answers "$plain-nonpie : can be neither PiP root nor PiP task"
	done

	case_begin "-r goes before -t, and -t before -b"
	run "$check" -b -t -r "$dir/root"
	is 0
	run "$check" -b -t "$plain"
	is 0
}

# why FILE TEXT...: the lines of -v.
why() {
	local file=$1 want=
	shift
	for line; do
		want+="$file : $line"$'\n'
	done
	run "$check" -v "$file"
	says "$out" ""
	says "$err" "${want%$'\n'}"
}

reasons() {
	local no_root="(root) not linked with libpip.so"
	local not_pie="(task) not PIE (not compiled and linked with '-fPIC -pie' options)"

	case_begin "-v: a task only"
	why "$plain" Task "$no_root"

	case_begin "--verbose: a root only"
	why "$dir/root" Root "$not_pie"
	run "$check" --verbose -t "$dir/root"
	says "$err" "$dir/root : cannot be a PiP task"$'\n'"$dir/root : $not_pie"
	run "$check" -v -r "$plain"
	says "$err" "$plain : cannot be a PiP root"$'\n'"$plain : $no_root"

	case_begin "-v: neither"
	why "$plain-nonpie" "not a PiP program" "$no_root" "$not_pie"

	case_begin "-v: both"
	why "$PROGRAMS/api" "Root&Task"

	case_begin "-v: a script"
	printf '#! /bin/sh -e\ntrue\n' >"$dir/script"
	chmod +x "$dir/script"
	why "$dir/script" "not an ELF file" \
		"(task) a script: start its interpreter '/bin/sh' instead"
	is 1

	case_begin "-v: an interpreter that there is not"
	why "$PROGRAMS/no-interp" "not a PiP program" "$no_root" \
		"(task) its interpreter '/nonexistent/ld.so' cannot be used: Exec format error"
	is 1

	case_begin "-v: of another machine"
	# The machine is the two bytes at 18; no machine has this number.
	cp "$plain" "$dir/foreign"
	printf '\376\376' | dd of="$dir/foreign" bs=1 seek=18 conv=notrunc status=none
	why "$dir/foreign" "not a PiP program" "$no_root" "(task) not a program of this machine"
	is 1

	case_begin "-v: damaged"
	head -c 2000 "$plain" >"$dir/damaged"
	chmod +x "$dir/damaged"
	why "$dir/damaged" "not a PiP program" "$no_root" "(task) its headers are damaged"
	is 1

	case_begin "-v: built with a sanitizer"
	echo 'int main(void) { return 0; }' >"$dir/main.c"
	# shellcheck disable=SC2086 # a compiler may come with arguments
	if $CC -fsanitize=address -shared-libasan -o "$dir/asan" "$dir/main.c" 2>"$err" ||
		$CC -fsanitize=address -o "$dir/asan" "$dir/main.c" 2>"$err"; then
		if readelf -d "$dir/asan" | grep -q "NEEDED.*san"; then
			why "$dir/asan" "not a PiP program" "$no_root" \
				"(task) is built with a sanitizer, which needs fixed addresses"
		fi
	fi

	case_begin "-v: linked with a libpip that there is not"
	cp "$PROGRAMS/api" "$dir/lost"
	if readelf -d "$dir/lost" | grep -qE 'R(UN)?PATH.*ORIGIN'; then
		why "$dir/lost" Task "(root) libpip.so is not found"
	fi

	if [ "$(id -u)" != 0 ]; then
		case_begin "-v: it runs with other rights"
		if [ -u /bin/su ] && [ -r /bin/su ]; then
			why /bin/su "not a PiP program" "$no_root" \
				"(task) runs with other rights than its caller's"
		fi

		case_begin "a file that cannot be read"
		cp "$plain" "$dir/secret"
		chmod 111 "$dir/secret"
		run "$check" "$dir/secret"
		is 1
		answers "$dir/secret : permission denied"
	fi
}

errors() {
	case_begin "no such file"
	run "$check" "$dir/there-is-no-such-file" "$plain/below"
	is 1
	answers "$dir/there-is-no-such-file : not found"$'\n'"$plain/below : not found"

	case_begin "not executable, a folder"
	echo text >"$dir/text"
	run "$check" "$dir/text" "$dir"
	is 1
	answers "$dir/text : not an executable file"$'\n'"$dir : not an executable file"

	case_begin "not ELF"
	chmod +x "$dir/text"
	: >"$dir/empty"
	chmod +x "$dir/empty"
	run "$check" "$dir/text" "$dir/empty"
	is 1
	answers "$dir/text : not an ELF file"$'\n'"$dir/empty : not an ELF file"
}

options() {
	local option
	for option in --ldlinux --ldso; do
		case_begin "$option"
		run "$check" $option "$plain"
		is 0
		says "$err" ""
		[ -x "$(cat "$out")" ] || complain "there is no such dynamic linker"
		readelf -l "$plain" | grep -qF "$(cat "$out")]" || complain "programs have another"
	done
	for option in -h --usage --help; do
		case_begin "$option"
		run "$check" $option "$plain"
		is 1
		says "$out" ""
		matches "$err" '^Usage: pip-check '
	done

	case_begin "an option that there is not"
	run "$check" -x "$plain"
	is 1
	answers "pip-check: Invalid option '-x'"
	run "$check" --what "$plain"
	is 1
	answers "pip-check: Invalid option '--what'"

	case_begin "-- ends the options"
	cp "$plain" "$dir/-r"
	cd "$dir" || exit
	run "$check" -- -r
	is 0
	answers "-r : Task"
}

kinds
wishes
reasons
errors
options
finish
