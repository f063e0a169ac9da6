#!/bin/bash
# test_tools.sh - everyday programs of the distribution as tasks.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2317 # scripts for tasks; called by check()
. "$(dirname "$0")/real.sh"

echo "int twice(int x) { return 2 * x; }" >x.c

numbers 200000 >table
head -n 20000 table >lines
head -n 5 lines >five

# ---- What reads and writes -----------------------------------------------------------------

for program in cat tac wc sort uniq md5sum od base64 rev cksum; do
	if usable "$program" "$program"; then
		stdin=$PWD/lines same "$program: stdin to stdout" "$program"
	fi
done
tasks=6 stdin=$PWD/lines same "cat: each reads it all" cat
usable "grep" grep && same "grep: no match in a file" grep -c nothing lines /dev/null
usable "sed" sed && stdin=$PWD/lines same "sed" sed -n 's/\(.\)\(.\)/\2\1/g; 100,2000p; $='
usable "tr" tr && stdin=$PWD/lines same "tr" tr 0-9 a-j
usable "head" head && same "head: 3 MB of zeros" head -c 3000000 /dev/zero
usable "find" find && same "find" find /usr/include /etc/passwd /nonexistent -name '*i*.h' -ls
usable "ls" ls && same "ls" ls -lR /usr/include /nonexistent
usable "env" env && same "env: shows its environment as it is" env
usable "date" date && same "date" date -d @86400 +%c
usable "expr" expr && same "expr: an exit code" expr 5 - 5

pipeline() {
	task cat lines | task sort -n | task uniq | task tail -n 3 >out
	sort -n lines | uniq | tail -n 3 | equal "output" - out
}
usable "a pipeline of tasks" cat sort uniq tail && check "a pipeline of tasks" pipeline

broken_pipe() {
	task cat table 2>err | head -n 1 >out
	echo "status ${PIPESTATUS[0]}, $(cat err)"
	head -n 1 table | equal "output" - out && grep -q 'signaled (Broken pipe)' err
}
usable "cat: ends by SIGPIPE" cat && check "cat: ends by SIGPIPE" broken_pipe

# ---- Threads in them -----------------------------------------------------------------------

if usable "sort" sort; then
	same "sort: threads" sort --parallel=4 -S 8M -n table
	same "sort: temporary files" sort --parallel=2 -S 1M -k 2 table
	with=LC_ALL=C.UTF-8 same "sort: in C.UTF-8" sort -f table
	tasks=4 same "sort: threads" sort --parallel=2 -k 2n lines
fi

xz_round_trip() {
	task xz -T2 --block-size=500KiB -c table >numbers.xz &&
		xz -T2 --block-size=500KiB -c table | equal "compressed" - numbers.xz &&
		task xz -T2 -dc numbers.xz | equal "round trip" table -
}
if usable "xz" xz; then
	check "xz: round trip with threads" xz_round_trip
	tasks=3 stdin=$PWD/lines same "xz: threads" xz -T2 -1 -c
	stdin=$PWD/lines same "xz: not its format" xz -dc -
fi
usable "zstd" zstd && stdin=$PWD/table same "zstd: threads" zstd -T2 -c

# ---- Those that run others -----------------------------------------------------------------

if usable "make" make; then
	printf '%s\n' 'all: a b c' '	@echo linked; cat a b c' \
		'a b c:' '	@seq 3 >$@; sleep 0.05' 'fails:' '	@exit 3' >Makefile
	same "make: in parallel" make -s -B -j 3
	same "make: a failure" make -k fails all
fi
usable "xargs" xargs && stdin=$PWD/five same "xargs" xargs -n 2 -P 1 echo args
usable "timeout" timeout &&
	same "timeout: stops its child" timeout 0.3 sh -c 'echo begun; exec sleep 9'
usable "nice" nice && same "nice" nice -n 3 sh -c 'nice; exit 2'
usable "tar" tar && same "tar: through a compressor" \
	tar --sort=name --mtime=@0 --owner=0 --group=0 --use-compress-program='xz -1' \
	-cf - -C "$dir/work" lines five Makefile
toolchain() {
	printf '.globl function\nfunction: .long 7\n' >x.s
	as -o ordinary.o x.s && ld -shared -o ordinary.so ordinary.o &&
		task as -o task.o x.s && task ld -shared -o task.so task.o &&
		cmp ordinary.o task.o && cmp ordinary.so task.so
}
usable "as and ld" as ld && check "as and ld" toolchain
# The part of gcc that works: it writes assembler code.
compiler=$($CC -print-prog-name=cc1 2>/dev/null)
usable "the compiler" "${compiler:-cc1}" &&
	stdin=$PWD/x.c same "the compiler" "$compiler" -quiet -O2 -
usable "vim" vim &&
	same "vim: a script" vim -u NONE -es lines -c '1,3s/1/one/g' -c '1,5p' -c 'cquit 3'
usable "openssl" openssl && same "openssl" openssl dgst -sha512 -hmac key table
usable "curl" curl && same "curl" curl -s "file://$PWD/lines"
usable "ps" ps && same "ps" ps -o pid=,ppid=,comm= -p 1
usable "gdb" gdb &&
	same "gdb" gdb -nx -batch -ex 'print 6 * 7' -ex 'list main' "$PROGRAMS/common"
traced() {
	strace -f -o trace "$PIP_EXEC" -n 2 sh -c 'echo traced | cat' >out
	printf 'traced\ntraced\n' | equal "output" - out && grep -q 'exited with 0' trace
}
if type -P strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	usable "tasks under strace" sh && check "tasks under strace" traced
else
	skip "tasks under strace" "strace is not installed, or not allowed"
fi

finish
