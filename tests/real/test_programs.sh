#!/bin/bash
# test_programs.sh - large programs as tasks, with their own threads, children, locks and heaps:
# sqlite3, git, perl, awk, python.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2317 # scripts for tasks; called by check()
. "$(dirname "$0")/real.sh"

numbers 20000 >lines
head -n 5 lines >five

# ---- sqlite3 -------------------------------------------------------------------------------

query='WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 300000)
	SELECT count(*), sum(x * x % 1009), avg(x), group_concat(substr(hex(x), 1, 4), "")
	FROM t WHERE x % 1111 = 0 OR x > 299990;'

eight() {
	sqlite3 :memory: "$query" >one || return
	for _ in 1 2 3 4 5 6 7 8; do cat one; done >want
	task -n 8 sqlite3 :memory: "$query" >out && equal "output" want out
}

# Locks of files are the process's, and so each task's.
one_database() {
	local insert='PRAGMA busy_timeout = 30000; BEGIN IMMEDIATE;
		WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 5000)
		INSERT INTO numbers SELECT x, x * 7 FROM t; COMMIT;'
	local sum='SELECT count(*), sum(b), max(a) FROM numbers; PRAGMA integrity_check;'
	rm -f db*
	sqlite3 db "PRAGMA journal_mode = $1; CREATE TABLE numbers (a, b);" &&
		task -n 4 sqlite3 db "$insert" && task -n 4 sqlite3 db "$insert" &&
		task sqlite3 db "$sum" >out &&
		printf '40000|700140000|5000\nok\n' | equal "output" - out
}
rollback_journal() {
	one_database delete
}
write_ahead_log() {
	one_database wal
}

if usable "sqlite3" sqlite3; then
	same "sqlite3: 300,000 rows" sqlite3 :memory: "$query"
	check "sqlite3: 300,000 rows in 8 tasks of pip-exec" eight
	tasks=8 same "sqlite3: 300,000 rows" sqlite3 -header -csv :memory: "$query"
	same "sqlite3: a mistake" sqlite3 :memory: 'SELECT 1; SELECT nothing FROM nowhere;'
	check "sqlite3: 8 tasks write to one database, rollback journal" rollback_journal
	check "sqlite3: 8 tasks write to one database, write-ahead log" write_ahead_log
fi

# ---- git -----------------------------------------------------------------------------------

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$dir
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='2001-02-03T04:05:06Z'
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE GIT_PAGER=cat

# make_repository DIR COMMAND... - COMMAND is how git is run.
make_repository() {
	local repository=$1 i
	shift
	"$@" init -q -b main "$repository" || return
	for i in 1 2 3; do
		head -n $((i * 500)) lines >"$repository/file"
		seq "$i" 10000 >"$repository/other"
		"$@" -C "$repository" add . &&
			"$@" -C "$repository" commit -q -m "commit $i" || return
	done
	"$@" -C "$repository" repack -q -a -d --threads=2 &&
		"$@" -C "$repository" tag -m "a tag" v1 || return
}

made_by_tasks() {
	make_repository by-tasks task git && git -C by-tasks fsck --strict --no-progress &&
		git -C by-tasks log -p --stat >out && equal "log" log.txt out &&
		[ "$(git -C by-tasks rev-parse v1)" = "$(git -C repository rev-parse v1)" ]
}

cloned_by_task() {
	task git clone -q --no-local --depth 2 "file://$PWD/repository" clone &&
		task git -C clone log --oneline >out &&
		git -C repository log --oneline -2 | sed 's/ (.*)//' >want &&
		diff want out && diff repository/other clone/other &&
		task git -C clone fsck --no-progress
}

if usable "git" git; then
	make_repository repository git
	git -C repository log -p --stat >log.txt
	same "git: log" git -C repository log --graph --decorate --oneline --all
	same "git: log with patches" git -C repository log -p --stat
	tasks=6 same "git: log with patches" git -C repository log -p -M -C
	same "git: blame" git -C repository blame other
	same "git: grep with threads" git -C repository -c grep.threads=4 grep -n -e 77 --and -e 1
	same "git: archive" git -C repository archive --format=tar main
	same "git: a pager" git -C repository -p -c core.pager="tr a-z A-Z" log --format='%s %h'
	same "git: an alias for a shell" \
		git -C repository -c alias.x='!echo shell; git rev-parse HEAD; false' x
	same "git: not a repository" git -C / rev-parse --is-inside-work-tree --git-dir .
	check "git: init, add, commit, repack, tag as tasks" made_by_tasks
	check "git: clone with its children" cloned_by_task
fi

# ---- perl, awk, python ---------------------------------------------------------------------

cat >script.pl <<'SCRIPT'
use strict;
use warnings;
use POSIX ":sys_wait_h";
print "buffered ";
{ local $| = 1; print "flushed "; }
print "$0 @ARGV\n";
my $pid = open(my $child, "-|") // die;
if (!$pid) { $| = 1; print "from the child $_\n" for 1 .. 3; exit 5; }
print "got $_" while <$child>;
close $child;
print "status ", $? >> 8, "\n";
open my $sorter, "|-", "sort -rn | head -n 3" or die;
print $sorter "$_\n" for 1 .. 500;
close $sorter;
print "backquotes ", `echo \$((1 + 2))`;
system("exit 3");
print "system ", $? >> 8, "\n";
my @kids = map { my $n = $_; my $p = fork // die; if (!$p) { POSIX::_exit($n) } $p } 1 .. 10;
my $sum = 0;
for (@kids) { waitpid $_, 0; $sum += $? >> 8; }
print "forks $sum\n";
my %h = map { $_ => $_ * 3 % 101 } 1 .. 20000;
my @sorted = sort { $h{$a} <=> $h{$b} || $a <=> $b } keys %h;
print "sort @sorted[0 .. 5] ", scalar(@sorted), "\n";
$SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; select undef, undef, undef, 5; };
print "caught $@";
local $SIG{CHLD} = sub { 1 while waitpid(-1, WNOHANG) > 0; print "SIGCHLD\n" };
my $p = fork // die;
exit 0 if !$p;
select undef, undef, undef, 2;
my $text = join "", map { chr(65 + $_ % 26) } 1 .. 300000;
$text =~ s/(.)(.)/$2$1/g;
print length($text), " ", substr($text, 0, 10), "\n";
print "stdin $.: $_" while <STDIN>;
END { print "end $?\n"; }
die "dies\n";
SCRIPT

if usable "perl" perl; then
	stdin=$PWD/five same "perl: fork, pipes, signals, sort" perl script.pl one "two three"
	stdin=$PWD/five tasks=6 same "perl: fork, pipes, signals, sort" perl script.pl
	same "perl: exec" perl -e '$| = 1; print "before\n"; exec "sh", "-c", "echo after; exit 4"'
	if perl -Mthreads -e 1 2>/dev/null; then
		same "perl: threads" perl -Mthreads -e '
			my @t = map { my $i = $_; threads->create(sub {
				my $s = 0; $s += $_ * $i for 1 .. 2000; $s }) } 1 .. 6;
			print join(" ", map { $_->join } @t), "\n"'
	fi
fi

awk_script='BEGIN {
	while (("seq 1000" | getline x) > 0) sum += x
	print sum
	for (i = 0; i < 20; i++) print (i * 7) % 20 | "sort -n | tail -n 2"
	close("sort -n | tail -n 2")
	print system("exit 3")
	for (i = 0; i < 100000; i++) a[i % 1000] = a[i % 1000] i
	print length(a[7])
	printf "%s %.10f\n", ENVIRON["REAL_TEST"], sin(1)
	while ((getline line <"/dev/stdin") > 0) n++
	print n
	exit 7 }'
for awk in mawk gawk original-awk; do
	usable "$awk" $awk && stdin=$PWD/lines same "$awk: pipes and children" $awk "$awk_script"
done
usable "gawk: a coprocess" gawk && same "gawk: a coprocess" gawk 'BEGIN {
	for (i = 0; i < 500; i++) print i |& "tac"
	close("tac", "to")
	while (("tac" |& getline line) > 0) print line
	print close("tac") }'

usable "python3" python3 && same "python3: children, threads, signals" python3 -c '
import os, signal, subprocess, sys, threading, time
print(sys.executable, subprocess.run(["echo", "child"], capture_output=True).stdout)
found = []
threads = [threading.Thread(target=lambda: found.append(sum(range(10000)))) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(found), signal.getsignal(signal.SIGINT))
if os.fork() == 0:
    os._exit(5)
print(os.wait()[1])
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("interrupted")
sys.exit(3)'

finish
