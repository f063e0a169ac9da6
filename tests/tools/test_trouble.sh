#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# test_trouble.sh - debuggers and tools on tasks: tools/pip-gdb.py, PIP_GDB_PATH with the real gdb,
# PIP_SHOW_PIPS, and what happens where pip-backtrace is not installed.
#
# The environment names pip-exec (PIP_EXEC), where the programs of tests/prog are (PROGRAMS), libpip
# (LIBPIP), pip-backtrace (BACKTRACE) and pip-gdb.py (EXTENSION).
set -uo pipefail
: "${PIP_EXEC:?}" "${PROGRAMS:?}" "${LIBPIP:?}" "${BACKTRACE:?}" "${EXTENSION:?}"

unset "${!PIP_STOP_@}" "${!PIP_SHOW_@}" "${!PIP_GDB_@}" "${!LD_@}"
unset PIP_MODE PIP_BACKTRACE PIP_QUIET
export LC_ALL=C DEBUGINFOD_URLS=
ulimit -S -c 0

count=0 failed=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/pip-trouble.XXXXXX")
trap 'rm -rf "$dir"' EXIT
log=$dir/log
fatal=$PROGRAMS/fatal

# check NAME FUNCTION - one case; what the function writes is shown if it fails.
check() {
	count=$((count + 1))
	if "$2" >"$log" 2>&1; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		head -c 8000 "$log" | sed 's/^/# /'
		echo
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# has FILE REGEX... - each matches a line of the file.
has() {
	local file=$1 regex
	shift
	for regex; do
		grep -qE -- "$regex" "$file" || {
			echo "no line matches '$regex':"
			cat "$file"
			return 1
		}
	done
}

# dies COMMAND... - pip-exec, with stderr in $dir/err; its exit code must be that of SIGSEGV.
dies() {
	timeout 60 env "$@" >"$dir/out" 2>"$dir/err"
	local rc=$?
	[ "$rc" = 11 ] || {
		echo "exit code $rc"
		cat "$dir/err"
		return 1
	}
}

# ---- gdb on a task that is stopped ----

stopped_task() {
	local root pid='' rc=0
	PIP_STOP_ON_START=@1 timeout 60 "$PIP_EXEC" -n 2 "$fatal" segv >"$dir/out" 2>"$dir/err" &
	root=$!
	for ((i = 0; i < 200 && ${#pid} == 0; i++)); do
		sleep 0.05
		pid=$(sed -n 's/.*task\[1\] (PID=\([0-9]*\)) is SIGSTOPed.*/\1/p' "$dir/err")
	done
	timeout 60 gdb -batch -nx -p "$pid" -ex "source $EXTENSION" -ex "info pip" \
		-ex "pip symbols" -ex "break fatal_middle" -ex "handle SIGSTOP nostop nopass" \
		-ex "continue" -ex "bt" -ex "pip symbols 99" </dev/null >"$dir/gdb" 2>&1
	kill -CONT "$pid"
	wait "$root"
	rc=$?
	[ "$rc" = 11 ] || echo "exit code $rc"
	has "$dir/gdb" "^  root +[0-9]+ +live  -  +$PIP_EXEC$" \
		"^\* 1 +$pid +live  0x[0-9a-f]+ +$fatal$" "^0x[0-9a-f]+ $fatal$" \
		"^0x[0-9a-f]+ /.*/libc\.so\.6$" "^Breakpoint 1, .*fatal_middle" \
		"^#0 .*fatal_middle" "^#[12] .*main \(argc=" "There is no task 99\."
}

# In a system call, beside the root's own thread.
running_task() {
	"$PIP_EXEC" "$PROGRAMS/plain" pause 2>"$dir/err" &
	local root=$! pid=''
	for ((i = 0; i < 200 && ${#pid} == 0; i++)); do
		sleep 0.05
		pid=$(ps -o pid= --ppid "$root" | tr -d ' ')
	done
	sleep 0.2
	timeout 60 gdb -batch -nx -p "$pid" -ex "source $EXTENSION" -ex "pip symbols 0" -ex bt \
		</dev/null >"$dir/gdb" 2>&1
	kill -TERM "$pid"
	wait "$root"
	has "$dir/gdb" "^#[0-9]+ .* (__libc_)?pause" "^#[0-9]+ .* (end|main) \("
}

no_space() {
	sleep 60 &
	local pid=$!
	timeout 60 gdb -batch -nx -p "$pid" -ex "source $EXTENSION" -ex "info pip" \
		</dev/null >"$dir/gdb" 2>&1
	kill "$pid"
	has "$dir/gdb" "This process has no tasks: it has no mapping called pip-space\."
}

# ---- PIP_GDB_PATH ----

crashed_task() {
	dies PIP_GDB_PATH=gdb "$PIP_EXEC" "$fatal" segv || return
	has "$dir/err" "^PiP-ERR.* task 0 .*SIGSEGV" "^#[0-9]+ +<signal handler called>$" \
		"^#[0-9]+ .* fatal_store \(\)" "^#[0-9]+ .* main \(argc=" \
		"^pip-exec: PIPID:0 signaled"
}

crashed_thread() {
	dies PIP_GDB_PATH=gdb "$PIP_EXEC" "$PROGRAMS/fatal-pip" thread || return
	has "$dir/err" "^PiP-ERR.*Exception signal" "^#[0-9]+ .* fatal_store \(\)" \
		"^#[0-9]+ .* thread_store \("
}

commands() {
	printf 'source %s\ninfo pip\n' "$EXTENSION" >"$dir/commands"
	dies PIP_GDB_PATH=gdb PIP_GDB_COMMAND="$dir/commands" "$PIP_EXEC" "$fatal" segv || return
	has "$dir/err" "^\* 0 +[0-9]+ +live  0x[0-9a-f]+ +$fatal$" || return
	! grep -q "^#0" "$dir/err"
}

# ---- A core file ----

core_file() {
	mkdir "$dir/core" && cd "$dir/core" || return
	(ulimit -c unlimited && timeout 60 "$PIP_EXEC" "$fatal" segv 2>/dev/null)
	gdb -batch -nx "$PIP_EXEC" core* -ex "source $EXTENSION" -ex "info pip" \
		-ex "pip symbols 0" -ex bt </dev/null >"$dir/gdb" 2>&1
	cd / && rm -rf "$dir/core"
	has "$dir/gdb" "0 +[0-9]+ +live  0x[0-9a-f]+ +$fatal$" "^#0 .* fatal_store \(\)" \
		"^#[0-9]+ .* main \(argc="
}

# ---- An installed prefix ----

make_prefix() {
	mkdir -p "$dir/prefix/lib" "$dir/prefix/bin" "$dir/prefix/libexec/pip"
	cp "$LIBPIP" "$dir/prefix/lib/libpip.so.0"
	cp "$BACKTRACE" "$dir/prefix/libexec/pip/pip-backtrace"
	printf '#!/bin/sh\necho "pips called: <$*>"\n' >"$dir/prefix/bin/pips"
	chmod +x "$dir/prefix/bin/pips"
	printf '#!/bin/sh\necho "gdb called"\n' >"$dir/prefix/bin/some-gdb"
	chmod +x "$dir/prefix/bin/some-gdb"
}

in_prefix=(LD_LIBRARY_PATH="$dir/prefix/lib")

installed() {
	dies "${in_prefix[@]}" "$PIP_EXEC" "$fatal" segv || return
	has "$dir/err" "task 0 .*SIGSEGV" "^  #0  0x[0-9a-f]+ in "
}

show_pips() {
	local value
	for value in on ON; do
		dies "${in_prefix[@]}" PIP_SHOW_PIPS="$value" "$PIP_EXEC" "$fatal" segv || return
		has "$dir/err" "^pips called: <x>$" || return
	done
	dies "${in_prefix[@]}" PIP_SHOW_PIPS=off "$PIP_EXEC" "$fatal" segv || return
	! grep "pips" "$dir/err" || return
	dies "${in_prefix[@]}" PIP_SHOW_PIPS=on PIP_GDB_SIGNALS=FPE "$PIP_EXEC" "$fatal" segv ||
		return
	! grep "pips" "$dir/err"
}

order() {
	dies "${in_prefix[@]}" PIP_SHOW_PIPS=on PIP_SHOW_MAPS=on \
		PIP_GDB_PATH="$dir/prefix/bin/some-gdb" "$PIP_EXEC" "$fatal" segv || return
	grep -oE "SIGSEGV|Show MAPS|pips called|gdb called|PIPID:0 signaled" "$dir/err" \
		>"$dir/order"
	diff - "$dir/order" <<-'END'
		SIGSEGV
		Show MAPS
		pips called
		gdb called
		PIPID:0 signaled
	END
}

no_pips() {
	rm "$dir/prefix/bin/pips"
	dies "${in_prefix[@]}" PIP_SHOW_PIPS=on "$PIP_EXEC" "$fatal" segv || return
	has "$dir/err" "^PiP-ERR.* unable to execute '$dir/prefix/bin/pips': No such file or"
}

# The line can do without.
no_backtrace_program() {
	rm "$dir/prefix/libexec/pip/pip-backtrace"
	dies "${in_prefix[@]}" "$PIP_EXEC" "$fatal" segv || return
	has "$dir/err" "^PiP-ERR\[[0-9]+\(T0\):T0\] task 0 .*SIGSEGV .* at address 0x18$" || return
	! grep "^  #0" "$dir/err"
}

if command -v gdb >/dev/null; then
	check "gdb_stopped_task" stopped_task
	check "gdb_running_task" running_task
	check "gdb_without_space" no_space
	check "gdb_crashed_task" crashed_task
	check "gdb_crashed_thread" crashed_thread
	check "gdb_commands" commands
	case "$(ulimit -H -c) $(cat /proc/sys/kernel/core_pattern)" in
	"0 "*) skip "gdb_core_file" "no core files are allowed" ;;
	*" core") check "gdb_core_file" core_file ;;
	*) skip "gdb_core_file" "core files go elsewhere" ;;
	esac
else
	skip "gdb" "there is no gdb"
fi
make_prefix
check "trouble_installed" installed
check "trouble_show_pips" show_pips
check "trouble_order" order
check "trouble_no_pips" no_pips
check "trouble_no_program" no_backtrace_program
echo "1..$count"
exit $failed
