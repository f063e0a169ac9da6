/* fault.c - for scenarios in which tasks end at a bad moment; see fault.h. */
#include "fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "prog/share.h"

#define TARGETS 256
#define ENDLESS_US 5000000 /* a task that runs so long would never end */

/* meson runs its tests with one in which libraries are found that have to be missing. */
__attribute__((constructor)) static void forget_library_path(void)
{
	unsetenv("LD_LIBRARY_PATH");
}

/* ---- How often, and what comes next ---- */

int rounds(int normal)
{
	const char *value = getenv("FAULT_ROUNDS");

	return value && atoi(value) > 0 ? atoi(value) : normal;
}

struct slice {
	void (*body)(int n);
	int n;
};

static void run_slice(void *arg)
{
	struct slice *slice = arg;

	slice->body(slice->n);
}

void in_slices(void (*body)(int n), int total, int slice)
{
	for (; total > 0; total -= slice) {
		struct slice part = { body, total < slice ? total : slice };
		struct outcome o;
		char *rest;

		scenario_run(&o, run_slice, &part);
		scenario_exited(&o, 0);
		scenario_left_nothing(&o);
		for (char *line = strtok_r(o.out, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			printf("# %s\n", line);
		fflush(stdout);
		scenario_free(&o);
	}
}

unsigned long dice(unsigned long n)
{
	static uint64_t state;
	static pid_t owner;

	/* A forked scenario has a sequence of its own. */
	if (owner != getpid()) {
		const char *seed = getenv("FAULT_SEED");

		owner = getpid();
		state = seed ? strtoull(seed, NULL, 0)
			     : (uint64_t)(now_seconds() * 1e9) ^ (uint64_t)owner << 40;
		dprintf(STDERR_FILENO, "FAULT_SEED=%#jx\n", (uintmax_t)state);
	}
	state += 0x9e3779b97f4a7c15; /* splitmix64 */
	uint64_t z = state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % n;
}

/* ---- What the root has ---- */

static int proc = -1, spare = -1;

/* A descriptor for a file of /proc, even if there should be no other. */
static int proc_open(const char *name, int flags)
{
	int fd;

	close(spare);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC | flags);
	check(fd >= 0);
	return fd;
}

static void proc_close(int fd)
{
	close(fd);
	spare = fcntl(proc, F_DUPFD_CLOEXEC, 0);
	check(spare >= 0);
}

static ssize_t proc_read(const char *name, char *buf, size_t size)
{
	int fd = proc_open(name, 0);
	ssize_t n = read(fd, buf, size - 1);

	check(n >= 0);
	buf[n] = '\0';
	proc_close(fd);
	return n;
}

static long count_entries(const char *name)
{
	static char buf[8192] __attribute__((aligned(8)));
	int fd = proc_open(name, O_DIRECTORY);
	long n, count = 0;

	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n; count++)
			at += ((struct dirent64 *)(void *)(buf + at))->d_reclen;
	proc_close(fd);
	return count;
}

static long count_lines(const char *name)
{
	static char buf[65536];
	int fd = proc_open(name, 0);
	long count = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			count += buf[i] == '\n';
	proc_close(fd);
	return count;
}

static long status_value(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at)
		check_failed(__FILE__, __LINE__, "there is no %s in /proc/self/status", name);
	return atol(at + strlen(name));
}

void ledger_open(void)
{
	if (proc >= 0)
		return;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	check(proc >= 0);
	spare = fcntl(proc, F_DUPFD_CLOEXEC, 0);
}

void ledger_close(void)
{
	close(proc);
	close(spare);
	proc = spare = -1;
}

void ledger_take(struct ledger *l)
{
	char name[64], status[4096];
	long threads = 0;

	ledger_open();
	/* pthread_join() returns a moment before the kernel has forgotten the thread. */
	do {
		l->threads = threads;
		sleep_ms(2);
		proc_read("self/status", status, sizeof(status));
		threads = status_value(status, "\nThreads:");
	} while (threads != l->threads);
	l->fds = count_entries("self/fd");
	l->maps = count_lines("self/maps");
	l->size_kb = status_value(status, "\nVmSize:");
	l->tables_kb = status_value(status, "\nVmPTE:");
	/* All tasks are children of the main thread; one number for each. */
	snprintf(name, sizeof(name), "self/task/%d/children", getpid());
	l->children = 0;
	proc_read(name, status, sizeof(status));
	for (const char *p = status; *p; p++)
		l->children += *p == ' ';
}

void ledger_print(const char *what, const struct ledger *l)
{
	printf("%s: %ld descriptors, %ld mappings, VmSize %ld kB, VmPTE %ld kB, %ld threads, "
	       "%ld children\n",
	       what, l->fds, l->maps, l->size_kb, l->tables_kb, l->threads, l->children);
}

/* Who lives on grows a little: a page table here, a piece of its heap there. */
static bool about(long got, long want, long few)
{
	long most = want / 100 > few ? want / 100 : few;

	return labs(got - want) <= most;
}

void ledger_same_at(const char *file, int line, const struct ledger *before)
{
	struct ledger now;

	ledger_take(&now);
	if (now.fds == before->fds && now.maps == before->maps && now.threads == before->threads &&
	    now.children == before->children && about(now.size_kb, before->size_kb, 256) &&
	    about(now.tables_kb, before->tables_kb, 24))
		return;
	ledger_print("before", before);
	ledger_print("after", &now);
	fflush(stdout);
	check_failed(file, line, "the root has not what it had before");
}

/* ---- The killer ---- */

enum aim {
	NO_AIM,
	AIMED,
	SHOOTING,
	SHOT
};

static struct target {
	_Atomic int aim;
	int signum;
	double delay, due;
	pid_t pid;
} targets[TARGETS];

static pthread_t killer;
static _Atomic bool killer_ends;
static _Atomic int ntargets; /* the PIPIDs of all aims are below */

/* One look at a target.  Returns whether there is still something to do. */
static bool look_at(int pipid, struct target *t)
{
	int aimed = AIMED;
	pip_id_t id = 0;

	if (t->aim != AIMED)
		return false;
	if (t->pid == 0) {
		if (pip_get_system_id(pipid, &id) || id == 0)
			return true;
		t->pid = (pid_t)id;
		t->due = now_seconds() + t->delay;
	}
	if (now_seconds() < t->due)
		return true;
	if (atomic_compare_exchange_strong(&t->aim, &aimed, SHOOTING)) {
		kill(t->pid, t->signum);
		t->aim = SHOT;
	}
	return false;
}

static void *killer_body(void *arg)
{
	(void)arg;
	while (!killer_ends) {
		bool busy = false;

		for (int i = 0; i < ntargets; i++)
			busy |= look_at(i, &targets[i]);
		if (busy)
			sched_yield();
		else
			usleep(50);
	}
	return NULL;
}

void killer_start(void)
{
	killer_ends = false;
	check_int(pthread_create(&killer, NULL, killer_body, NULL), 0);
}

void killer_stop(void)
{
	killer_ends = true;
	check_int(pthread_join(killer, NULL), 0);
}

void killer_aim(int pipid, int signum, long delay_us)
{
	struct target *t = &targets[pipid];

	check(pipid < TARGETS && t->aim == NO_AIM);
	t->signum = signum;
	t->delay = (double)delay_us / 1e6;
	t->pid = 0;
	t->aim = AIMED;
	if (ntargets <= pipid)
		ntargets = pipid + 1;
}

void killer_await(int pipid)
{
	while (targets[pipid].aim != SHOT)
		usleep(20);
	targets[pipid].aim = NO_AIM;
}

bool killer_has_shot(int pipid)
{
	return targets[pipid].aim == SHOT;
}

bool killer_call_off(int pipid)
{
	int aimed = AIMED;

	if (atomic_compare_exchange_strong(&targets[pipid].aim, &aimed, NO_AIM))
		return true;
	killer_await(pipid);
	return false;
}

/* ---- Siblings ---- */

static struct meeting meeting;
static int nsiblings;
static long turn;

void meet(void)
{
	check_int(pip_named_export(&meeting, "turn %ld", turn++), 0);
	check_int(pip_barrier_wait(&meeting.barrier), 0);
}

void siblings_start(int n)
{
	meeting.last = -1;
	meeting.siblings = n;
	check_int(pip_barrier_init(&meeting.barrier, n + 1), 0);
	for (nsiblings = 0; nsiblings < n; nsiblings++)
		check_int(task_func(FAULT_PROG("share"), "share_meet", &meeting), nsiblings);
	meet();
}

void siblings_end(void)
{
	meeting.last = turn;
	meet();
	for (int i = 0; i < nsiblings; i++)
		task_exits(i, 0);
	check_int(pip_barrier_fin(&meeting.barrier), 0);
}

/* ---- Spawning ---- */

int spawn(int id, char *const *argv)
{
	int pipid = id, rc;

	rc = pip_spawn(argv[0], (char **)argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL);
	check_int(pipid, id);
	return rc;
}

bool ended_by(int status, int signum)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == signum;
}

bool ended_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

int run(int id, char *const *argv, int *status)
{
	siginfo_t info;
	int rc;

	killer_aim(id, SIGKILL, ENDLESS_US);
	rc = spawn(id, argv);
	/* The task must not be collected before the killer has lost interest in its PID. */
	if (rc == 0)
		check_int(waitid(P_PID, (id_t)task_pid(id), &info, WEXITED | WNOWAIT), 0);
	killer_call_off(id);
	if (rc == 0)
		*status = task_collect(id);
	return rc;
}
