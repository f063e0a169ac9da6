#!/bin/bash
# test_pip_unpie.sh - pip-unpie.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
unpie=$TOOLS/pip-unpie plain=$PROGRAMS/plain

# Is the mark there?
marked() {
	readelf -d "$1" | grep -q 'FLAGS_1.*PIE'
}

reports() {
	case_begin "-c: a PIE"
	run "$unpie" -c "$plain"
	is 1
	says "$err" "'$plain' is PIE (not 'unpie-ed' yet)"

	case_begin "-c: no PIE"
	run "$unpie" -c "$plain-nonpie"
	is 1
	says "$err" "'$plain-nonpie' is NOT PIE"
	run "$unpie" -c "$PROGRAMS/libother.so"
	is 1
	says "$err" "'$PROGRAMS/libother.so' is NOT PIE"
}

clears() {
	local inode
	case_begin "the mark goes, and nothing else changes"
	cp "$plain" "$dir/program"
	chmod 751 "$dir/program"
	ln -s program "$dir/link"
	marked "$dir/program" || complain "it has no mark to begin with"
	inode=$(stat -c %i "$dir/program")
	run "$unpie" "$dir/link"
	is 0
	says "$err" ""
	says "$out" ""
	! marked "$dir/program" || complain "it still has the mark"
	[ -L "$dir/link" ] || complain "the link is no link any more"
	[ "$(stat -c %a "$dir/program")" = 751 ] || complain "its mode has changed"
	[ "$(stat -c %i "$dir/program")" != "$inode" ] || complain "it was changed in place"
	[ "$(cmp -l "$plain" "$dir/program" | wc -l)" = 1 ] || complain "more than a byte differs"
	[ "$(find "$dir" -name 'program*' | wc -l)" = 1 ] || complain "a temporary file is left"
	run "$dir/program" return 9
	is 9

	case_begin "-c: one that was a PIE"
	run "$unpie" -c "$dir/program"
	is 0
	says "$err" "'$dir/program' is PIE (already 'unpie-ed' PIE)"

	case_begin "once more does no harm, and one without a mark neither"
	inode=$(stat -c %i "$dir/program")
	run "$unpie" "$dir/program"
	is 0
	[ "$(stat -c %i "$dir/program")" = "$inode" ] || complain "it was written again"
	run "$unpie" "$plain-nonpie"
	is 0

	case_begin "while the program runs"
	cp "$plain" "$dir/program"
	"$dir/program" pause &
	local pid=$!
	executed $pid
	run "$unpie" "$dir/program"
	is 0
	kill -TERM $pid
	wait $pid 2>/dev/null
	status=$?
	is 143

	case_begin "it can be a task still"
	run "$TOOLS/pip-exec" "$dir/program" return 4
	is 4
}

failures() {
	local words
	while read -r words; do
		case_begin "usage: pip-unpie $words"
		# shellcheck disable=SC2086 # several words
		run "$unpie" $words
		is 2
		matches "$err" '^Usage: '
	done <<END

-c
-x
-x $plain
$plain $plain
-c $plain $plain
END
	case_begin "no such file, a folder"
	run "$unpie" "$dir/there-is-no-such-file"
	is 2
	matches "$err" "there-is-no-such-file.*No such file or directory"
	run "$unpie" -c "$dir"
	is 2

	case_begin "not ELF"
	echo "#!/bin/sh" >"$dir/script"
	head -c 100 /dev/zero >"$dir/zeros"
	: >"$dir/empty"
	for file in script zeros empty; do
		run "$unpie" "$dir/$file"
		is 1
		run "$unpie" -c "$dir/$file"
		is 1
	done

	case_begin "of 32 bits"
	{
		printf '\177ELF\001\001\001'
		head -c 100 /dev/zero
	} >"$dir/small"
	run "$unpie" "$dir/small"
	is 2

	case_begin "cut short"
	head -c 100 "$plain" >"$dir/short"
	run "$unpie" "$dir/short"
	is 2

	if [ "$(id -u)" != 0 ]; then
		case_begin "a file that cannot be written stays as it is"
		cp "$plain" "$dir/fixed"
		chmod 555 "$dir/fixed"
		run "$unpie" "$dir/fixed"
		is 2
		matches "$err" "Permission denied"
		cmp -s "$plain" "$dir/fixed" || complain "it has changed"
	fi

	case_begin "no room for the copy: the file stays as it is"
	cp "$plain" "$dir/program"
	# shellcheck disable=SC2016
	run bash -c 'ulimit -f 1; trap "" XFSZ; "$@"' bash "$unpie" "$dir/program"
	is 2
	matches "$err" "cannot write a copy"
	cmp -s "$plain" "$dir/program" || complain "it has changed"
	[ "$(find "$dir" -name 'program*' | wc -l)" = 1 ] || complain "a temporary file is left"
}

reports
clears
failures
finish
