/*
 * attributes.c - prints every attribute of its process that exec hands on, so that two runs can be
 * compared: no PIDs but what they are to each other, no addresses, no inode numbers.
 *
 * Whether it is a task goes to the file "marks" beside the program, one line for each run.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "signals.h"

#define FDS 1024
#define LIBRARY "libpip-preload.so"

extern char **environ;

/* The first line of a file that begins so; the whole file for NULL.  "" = none. */
static const char *file_line(const char *path, const char *start)
{
	static char buf[8192];
	FILE *f = fopen(path, "re");
	size_t n;

	buf[0] = '\0';
	if (!f)
		return buf;
	if (!start) {
		n = fread(buf, 1, sizeof(buf) - 1, f);
		buf[n] = '\0';
	} else {
		while (fgets(buf, sizeof(buf), f) && strncmp(buf, start, strlen(start)) != 0)
			buf[0] = '\0';
	}
	fclose(f);
	n = strlen(buf);
	while (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return buf;
}

static void read_link(const char *path, char *to, size_t size)
{
	ssize_t len = readlink(path, to, size - 1);

	to[len > 0 ? len : 0] = '\0';
}

/* The field of /proc/PID/stat, counted as proc(5) does; from the 3rd. */
static long stat_field(pid_t pid, int field)
{
	char path[64];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	p = strrchr(file_line(path, NULL), ')');
	for (int i = 2; p && i < field; i++)
		p = strchr(p + 1, ' ');
	return p ? atol(p + 1) : -1;
}

/* ---- Who it is ----------------------------------------------------------------------------- */

/* A PID as what it is to this process. */
static void relation(const char *what, pid_t pid)
{
	const char *top = getenv("PROBE_TOP");
	pid_t parent = getppid();

	printf("%s:", what);
	if (pid <= 0)
		printf(" %d", pid);
	if (pid == getpid())
		printf(" pid");
	if (pid == parent)
		printf(" ppid");
	if (pid == getpgid(0))
		printf(" pgrp");
	if (pid == getpgid(parent))
		printf(" parent's-pgrp");
	if (pid == getsid(0))
		printf(" sid");
	if (pid == getsid(parent))
		printf(" parent's-sid");
	if (top && pid == atoi(top))
		printf(" top");
	putchar('\n');
}

static void ancestors(void)
{
	const char *top = getenv("PROBE_TOP");
	pid_t end = top ? atoi(top) : 1, pid = getppid();

	printf("ancestors:");
	for (int i = 0; i < 32 && pid > 1 && pid != end; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		printf(" %s", file_line(path, NULL));
		pid = (pid_t)stat_field(pid, 4);
	}
	printf("%s\n", pid == end ? " (top)" : " (lost)");
}

static void identity(void)
{
	char comm[32] = "";
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	prctl(PR_GET_NAME, comm);
	printf("comm: %s\n", comm);
	printf("/proc/self/comm: %s\n", file_line("/proc/self/comm", NULL));
	printf("%s\n", file_line("/proc/self/status", "Name:"));
	printf("getpid is /proc/self: %d\n", atoi(file_line("/proc/self/stat", NULL)) == getpid());
	printf("getpid is the kernel's: %d\n", syscall(SYS_getpid) == getpid());
	printf("main thread: %d\n", gettid() == getpid());
	printf("parent is the kernel's: %d\n", stat_field(getpid(), 4) == getppid());
	relation("ppid", getppid());
	ancestors();
	relation("pgrp", getpgrp());
	relation("sid", getsid(0));
	relation("kernel's pgrp", (pid_t)stat_field(getpid(), 5));
	relation("kernel's sid", (pid_t)stat_field(getpid(), 6));
	printf("terminal in stat: %d\n", stat_field(getpid(), 7) != 0);
	relation("foreground group in stat", (pid_t)stat_field(getpid(), 8));
	printf("terminal: %s\n", fd >= 0 ? "yes" : strerror(errno));
	if (fd >= 0) {
		relation("foreground group", tcgetpgrp(fd));
		relation("terminal's session", tcgetsid(fd));
		close(fd);
	}
	printf("%s\n", file_line("/proc/self/status", "Threads:"));
	printf("exit signal: %ld\n", stat_field(getpid(), 38));
	printf("children: %s\n",
	       waitpid(-1, NULL, WNOHANG | __WALL | WUNTRACED) < 0 ? strerror(errno) : "some");
}

/* ---- What it was given --------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Without the library under test, and without what only one of the runs has. */
static void print_variable(char *entry)
{
	char *value = strchr(entry, '='), *save = NULL;
	int n = 0;

	if (strncmp(entry, "PIP_VERBOSE=", 12) == 0)
		return;
	if (strncmp(entry, "LD_PRELOAD=", 11) != 0 || !value) {
		printf("env %s\n", entry);
		return;
	}
	entry = strdup(value + 1);
	for (char *p = strtok_r(entry, ": ", &save); p; p = strtok_r(NULL, ": ", &save))
		if (!strstr(p, LIBRARY))
			printf("%s%s", n++ ? ":" : "env LD_PRELOAD=", p);
	if (n)
		putchar('\n');
	free(entry);
}

static void words(int argc, char **argv)
{
	char path[4096];
	int n = 0;

	for (int i = 0; i < argc; i++)
		printf("argv[%d]: %s\n", i, argv[i]);
	printf("invoked as: %s\n", program_invocation_name);
	printf("AT_EXECFN: %s\n", (char *)getauxval(AT_EXECFN));
	printf("AT_SECURE: %lu\n", getauxval(AT_SECURE));
	printf("AT_UID...: %lu %lu %lu %lu\n", getauxval(AT_UID), getauxval(AT_EUID),
	       getauxval(AT_GID), getauxval(AT_EGID));
	read_link("/proc/self/exe", path, sizeof(path));
	printf("exe: %s\n", path);
	while (environ[n])
		n++;
	qsort(environ, (size_t)n, sizeof(char *), by_name);
	for (int i = 0; i < n; i++)
		print_variable(environ[i]);
}

static void print_target(int fd)
{
	static struct stat seen[FDS];
	char path[64], to[4096];

	fstat(fd, &seen[fd]);
	for (int i = 0; i < fd; i++)
		if (seen[i].st_ino == seen[fd].st_ino && seen[i].st_dev == seen[fd].st_dev) {
			printf(" as %d", i);
			return;
		}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_link(path, to, sizeof(to));
	if (S_ISFIFO(seen[fd].st_mode) || S_ISSOCK(seen[fd].st_mode))
		printf(" %.*s", (int)strcspn(to, "["), to);
	else if (seen[fd].st_nlink == 0)
		printf(" (deleted)");
	else if (strncmp(to, "/dev/pts/", 9) == 0)
		printf(" a terminal");
	else
		printf(" %s", to);
}

static void descriptors(void)
{
	for (int fd = 0; fd < FDS; fd++) {
		int flags = fcntl(fd, F_GETFD), status = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0 || fstat(fd, &st))
			continue;
		printf("fd %d: type %o fd-flags %d flags %o", fd, st.st_mode & S_IFMT, flags,
		       status);
		if (S_ISREG(st.st_mode) && fd != 1 && fd != 2)
			printf(" offset %lld", (long long)lseek(fd, 0, SEEK_CUR));
		print_target(fd);
		putchar('\n');
	}
}

static void places(void)
{
	char path[4096] = "";
	mode_t mask = umask(0);

	umask(mask);
	printf("umask: %03o\n", mask);
	printf("cwd: %s\n", getcwd(path, sizeof(path)) ? path : strerror(errno));
	read_link("/proc/self/root", path, sizeof(path));
	printf("root: %s\n", path);
	printf("cgroup: %s\n", file_line("/proc/self/cgroup", NULL));
}

static void namespaces(void)
{
	static const char *const name[] = { "cgroup",           "ipc",  "mnt", "net", "pid",
					    "pid_for_children", "time", "uts", "user" };
	const char *top = getenv("PROBE_TOP");

	for (size_t i = 0; top && i < sizeof(name) / sizeof(name[0]); i++) {
		char path[64], mine[64], theirs[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", name[i]);
		read_link(path, mine, sizeof(mine));
		snprintf(path, sizeof(path), "/proc/%.10s/ns/%s", top, name[i]);
		read_link(path, theirs, sizeof(theirs));
		printf("namespace %s: %s\n", name[i],
		       strcmp(mine, theirs) == 0 ? "top's" : "another");
	}
}

/* ---- What it may do ------------------------------------------------------------------------ */

static void rights(void)
{
	static const char *const line[] = { "Uid:",        "Gid:",    "Groups:", "CapInh:",
					    "CapPrm:",     "CapEff:", "CapBnd:", "CapAmb:",
					    "NoNewPrivs:", "Seccomp:" };
	uid_t uid[3];
	static gid_t group[NGROUPS_MAX];
	gid_t gid[3];
	int n = getgroups(NGROUPS_MAX, group);

	getresuid(&uid[0], &uid[1], &uid[2]);
	getresgid(&gid[0], &gid[1], &gid[2]);
	printf("uids: %u %u %u %d\n", uid[0], uid[1], uid[2], setfsuid((uid_t)-1));
	printf("gids: %u %u %u %d\n", gid[0], gid[1], gid[2], setfsgid((gid_t)-1));
	printf("groups:");
	for (int i = 0; i < n; i++)
		printf(" %u", group[i]);
	putchar('\n');
	for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++)
		printf("%s\n", file_line("/proc/self/status", line[i]));
	printf("securebits: %d\n", prctl(PR_GET_SECUREBITS));
	printf("keep caps: %d\n", prctl(PR_GET_KEEPCAPS));
	printf("no_new_privs: %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE));
	printf("loginuid: %s\n", file_line("/proc/self/loginuid", NULL));
}

static void limits(void)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit r;

		getrlimit(i, &r);
		printf("limit %d: %lld %lld\n", i, (long long)r.rlim_cur, (long long)r.rlim_max);
	}
}

/* ---- Signals and timers -------------------------------------------------------------------- */

static void signals(void)
{
	static const char *const line[] = { "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:" };

	print_signals();
	for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++)
		printf("%s\n", file_line("/proc/self/status", line[i]));
}

static void timers(void)
{
	for (int i = 0; i < 3; i++) {
		struct itimerval t;

		getitimer(i, &t); /* to 100 s: time passes */
		printf("itimer %d: every %ld left %ld\n", i, (long)t.it_interval.tv_sec,
		       t.it_value.tv_sec || t.it_value.tv_usec ? t.it_value.tv_sec / 100 + 1 : 0);
	}
	printf("timers: %s\n", file_line("/proc/self/timers", NULL));
	printf("timer slack: %d\n", prctl(PR_GET_TIMERSLACK));
}

/* ---- Scheduling ---------------------------------------------------------------------------- */

static void scheduling(void)
{
	struct {
		unsigned size, policy;
		unsigned long long flags;
		int nice;
		unsigned priority;
		unsigned long long runtime, deadline, period;
		unsigned min, max;
	} a;
	unsigned long nodes[16] = { 0 };
	int policy = -1;
	cpu_set_t cpus;

	memset(&a, 0, sizeof(a));
	syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0);
	printf("scheduler: %u, flags %llx nice %d priority %u deadline %llu %llu %llu %u %u\n",
	       a.policy, a.flags, a.nice, a.priority, a.runtime, a.deadline, a.period, a.min,
	       a.max);
	errno = 0;
	printf("nice: %d\n", getpriority(PRIO_PROCESS, 0));
	sched_getaffinity(0, sizeof(cpus), &cpus);
	printf("CPUs:");
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &cpus))
			printf(" %d", i);
	syscall(SYS_get_mempolicy, &policy, nodes, sizeof(nodes) * 8, NULL, 0);
	printf("\nmemory policy: %d, nodes %lx\n", policy, nodes[0]);
	printf("ioprio: %ld\n", syscall(SYS_ioprio_get, 1, 0));
	printf("oom_score_adj: %s\n", file_line("/proc/self/oom_score_adj", NULL));
	printf("autogroup: %s\n", strchr(file_line("/proc/self/autogroup", NULL), ' ') ?: "");
	printf("core filter: %s\n", file_line("/proc/self/coredump_filter", NULL));
}

static void others(void)
{
	int number = 0;

	printf("personality: %x\n", personality(0xffffffff));
	prctl(PR_GET_PDEATHSIG, &number);
	printf("parent-death signal: %d\n", number);
	prctl(PR_GET_CHILD_SUBREAPER, &number);
	printf("subreaper: %d\n", number);
	printf("no huge pages: %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	printf("machine checks: %d\n", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	printf("rounding: %d\n", fegetround());
	printf("floating point traps: %d\n", fegetexcept());
}

/* ---- Its kind ------------------------------------------------------------------------------ */

static void mark(void)
{
	char path[4096];
	FILE *maps = fopen("/proc/self/maps", "re"), *marks;
	char line[4096], *end;
	int is_task = 0;

	while (maps && fgets(line, sizeof(line), maps))
		is_task |= strstr(line, "pip-space") != NULL;
	if (maps)
		fclose(maps);
	read_link("/proc/self/exe", path, sizeof(path) - 16);
	end = strrchr(path, '/');
	strcpy(end ? end + 1 : path, "marks");
	marks = fopen(path, "ae");
	if (!marks)
		return;
	fputs(is_task ? "task\n" : "ordinary\n", marks);
	fclose(marks);
}

/* Who is left alone by its parent looks only then: before, it is a race.  5 s at most. */
static void await_orphanage(void)
{
	const char *parent = getenv("PROBE_ORPHAN_OF");
	char path[64];

	for (int i = 0; parent && i < 1000; i++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", getppid());
		if (strncmp(file_line(path, NULL), parent, strlen(parent)) != 0)
			break;
		usleep(5000);
	}
}

int main(int argc, char **argv)
{
	static char buf[1 << 18];

	/* In one piece, whoever else prints at the same time. */
	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
	mark(); /* before syscall(2) below, which makes a root of a program with the library */
	await_orphanage();
	descriptors();
	words(argc, argv);
	identity();
	places();
	namespaces();
	rights();
	limits();
	signals();
	timers();
	scheduling();
	others();
	return 0;
}
