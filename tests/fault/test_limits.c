/*
 * test_limits.c - when something has run out: descriptors, memory, mappings, processes, PIPIDs.
 *
 * The call fails with an error that says so, or the task ends by itself; what was taken on the way
 * is given back, and with more room all goes on.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "fault.h"

#define SOME_ID 65534

static struct ledger ledger;
static char *small[] = { FAULT_PROG("small"), NULL };
/* This one has our library in it. */
static char *linked[] = { FAULT_PROG("share"), NULL };

static struct rlimit limit_set(int resource, rlim_t to)
{
	struct rlimit before, now;

	check_int(getrlimit(resource, &before), 0);
	now = before;
	now.rlim_cur = to;
	check_int(setrlimit(resource, &now), 0);
	return before;
}

/* Runs both programs when there is enough of everything. */
static void plenty(void)
{
	int status = -1;

	check_int(run(0, small, &status), 0);
	check_int(status, 0);
	status = -1;
	check_int(run(0, linked, &status), 0);
	check_int(status, 0);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* Without a break the root's malloc() takes a megabyte at a time, which it keeps; so it does with
 * a thread's stack. */
static void heap_grow(void)
{
	void *some[8];

	for (int i = 0; i < LENGTH(some); i++)
		some[i] = malloc(100000);
	for (int i = 0; i < LENGTH(some); i++)
		free(some[i]);
	task_exits(task_hooked(small[0], small, nothing, nothing, NULL), 0);
}

static void begin(int ntasks)
{
	root_init(ntasks);
	killer_start();
	plenty();
	plenty();
	heap_grow();
	ledger_take(&ledger);
}

static void end(void)
{
	plenty();
	ledger_same(&ledger);
	killer_stop();
	root_fin();
}

/* Spawning gives want or ELIBEXEC, if the program's own dynamic linker has found it out, and says
 * why; or the task comes to a bad end; or all is well.  Returns whether it was. */
static bool scarce(char **argv, int want, const char *message)
{
	struct capture c;
	int status = -1, rc;
	char *said;

	capture_begin(&c, STDERR_FILENO);
	rc = run(0, argv, &status);
	said = capture_end(&c);
	if (rc && rc != want && rc != ELIBEXEC)
		check_failed(__FILE__, __LINE__, "%s: %s (said: %s)", argv[0], pip_errname(rc),
			     said);
	if (rc == want)
		check_match(said, message);
	if (rc)
		check_match(said, "^PiP-ERR");
	/* A program that runs out of something says so by its exit code, and is not shot. */
	if (rc == 0 && !WIFEXITED(status) && !ended_by(status, SIGABRT) &&
	    !ended_by(status, SIGSEGV))
		check_failed(__FILE__, __LINE__, "%s: status 0x%x (said: %s)", argv[0], status,
			     said);
	free(said);
	return rc == 0 && status == 0;
}

/* ---- Descriptors ---- */

/* All below the limit are taken but for `left`. */
static bool with_few_descriptors(int left, bool (*what)(void))
{
	struct rlimit before = limit_set(RLIMIT_NOFILE, 100);
	int fds[100], n = 0;
	bool well;

	while ((fds[n] = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	for (int i = 0; i < left; i++)
		close(fds[--n]);
	well = what();
	while (n)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &before);
	return well;
}

static bool scarce_small(void)
{
	return scarce(small, EMFILE, "Too many open files");
}

static bool scarce_linked(void)
{
	return scarce(linked, EMFILE, "Too many open files");
}

static void descriptors_of_root(void)
{
	int well = 0;

	begin(1);
	/* scarce() needs two itself. */
	for (int left = 2; left < 12; left++) {
		well += with_few_descriptors(left, scarce_small);
		well += with_few_descriptors(left, scarce_linked);
		ledger_same(&ledger);
	}
	check(well > 0);
	end();
}

/* The first task of all finds few, when the library looks around. */
static void descriptors_at_first(void)
{
	for (int left = 2; left < 12; left++) {
		root_init(1);
		killer_start();
		with_few_descriptors(left, scarce_linked);
		plenty();
		plenty();
		heap_grow();
		ledger_take(&ledger);
		for (int i = 0; i < 10; i++)
			plenty();
		end();
	}
}

static int few_descriptors(void *arg)
{
	struct rlimit limit = { (rlim_t)(intptr_t)arg, (rlim_t)(intptr_t)arg };

	return setrlimit(RLIMIT_NOFILE, &limit) ? errno : 0;
}

static void descriptors_of_task(void)
{
	char *argv[] = { FAULT_PROG("greedy"), "descriptors", NULL };

	begin(2);
	for (intptr_t n = 0; n < 70; n += n < 10 ? 1 : 30)
		task_exits(task_hooked(argv[0], argv, few_descriptors, NULL, (void *)n), 0);
	end();
}

/* ---- Memory ---- */

static void memory_of_root(void)
{
	char *greedy[] = { FAULT_PROG("greedy"), "memory", NULL };
	size_t step = 256 * 1024, size;
	int well = 0;

	begin(1);
	size = (size_t)ledger.size_kb * 1024;
	for (int i = 0; i < 200 && well < 3; i++) {
		struct rlimit before = limit_set(RLIMIT_AS, size + (size_t)i * step);

		if (scarce(i % 2 ? small : linked, ENOMEM, "Cannot allocate memory|memory"))
			well++;
		else
			well = 0;
		setrlimit(RLIMIT_AS, &before);
		plenty(); /* what is kept ready for the next task is there again */
		ledger_same(&ledger);
	}
	check_int(well, 3);
	for (int i = 0; i < 3; i++) {
		struct rlimit before = limit_set(RLIMIT_AS, size + (256UL << 20));

		task_exits(task_main(greedy[0], greedy[1], NULL), 0);
		setrlimit(RLIMIT_AS, &before);
	}
	end();
}

static void memory_before_init(void)
{
	struct rlimit before;
	int ntasks = 1;

	ledger_open();
	ledger_take(&ledger);
	before = limit_set(RLIMIT_AS, (rlim_t)ledger.size_kb * 1024 + (16 << 20));
	check_int(pip_init(NULL, &ntasks, NULL, 0), ENOMEM);
	setrlimit(RLIMIT_AS, &before);
	check_int(pip_is_initialized(), 0);
	ledger_same(&ledger);
	begin(1);
	end();
}

/* ---- Mappings ---- */

static long max_map_count(void)
{
	char *text = file_read("/proc/sys/vm/max_map_count");
	long n = text ? atol(text) : 0;

	free(text);
	return n;
}

static void mappings_of_root(void)
{
	char *greedy[] = { FAULT_PROG("greedy"), "mappings", NULL };
	long most = max_map_count(), n;
	int well = 0;
	char *all;

	if (most <= 0 || most > 200000)
		return; /* it would take too long */
	begin(1);
	/* Every second page is another mapping; one munmap() gives all of it back. */
	all = mmap(NULL, (size_t)most * 4096, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(all != MAP_FAILED);
	for (n = 0; n < most; n += 2)
		if (mprotect(all + n * 4096, 4096, PROT_READ))
			break;
	check_int(errno, ENOMEM);
	for (int i = 0; i < 100 && well < 6; i++) {
		if (scarce(i % 2 ? linked : small, ENOMEM, "Cannot allocate memory|memory"))
			well++;
		else
			well = 0;
		/* One after the other two mappings fewer. */
		n -= 2;
		check_int(mprotect(all + n * 4096, 4096, PROT_NONE), 0);
	}
	check_int(well, 6);
	check_int(munmap(all, (size_t)most * 4096), 0);
	plenty();
	ledger_same(&ledger);
	task_exits(task_main(greedy[0], greedy[1], NULL), 0);
	end();
}

/* ---- Processes ---- */

static void become_ordinary(void)
{
	if (geteuid() == 0) {
		check_int(setresgid(SOME_ID, SOME_ID, SOME_ID), 0);
		check_int(setresuid(SOME_ID, SOME_ID, SOME_ID), 0);
		check_int(prctl(PR_SET_DUMPABLE, 1), 0);
	}
}

static void processes(void)
{
	pip_spawn_program_t program;
	pip_spawn_hook_t hook;
	struct rlimit before;
	struct capture c;
	int pipid = 0, rc;
	char *said;

	become_ordinary();
	begin(1);
	pip_spawn_from_main(&program, small[0], small, NULL, NULL);
	pip_spawn_hook(&hook, nothing, nothing, NULL);
	before = limit_set(RLIMIT_NPROC, 0);
	for (int i = 0; i < 10; i++) {
		capture_begin(&c, STDERR_FILENO);
		rc = pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, i % 2 ? &hook : NULL);
		said = capture_end(&c);
		check_int(rc, EAGAIN);
		check_match(said, "^PiP-ERR.*Resource temporarily unavailable");
		free(said);
	}
	setrlimit(RLIMIT_NPROC, &before);
	end();
}

static int few_processes(void *arg)
{
	struct rlimit limit = { 0, 0 };

	(void)arg;
	return setrlimit(RLIMIT_NPROC, &limit) ? errno : 0;
}

static void processes_of_task(void)
{
	char *forks[] = { FAULT_PROG("greedy"), "processes", NULL };
	char *threads[] = { FAULT_PROG("greedy"), "threads", NULL };

	become_ordinary();
	begin(1);
	for (int i = 0; i < 10; i++) {
		task_exits(task_hooked(forks[0], forks, few_processes, NULL, NULL), 0);
		task_exits(task_hooked(threads[0], threads, few_processes, NULL, NULL), 0);
	}
	end();
}

/* ---- PIPIDs ---- */

static void pipids(void)
{
	char *argv[] = { FAULT_PROG("storm"), "spin", NULL };
	int pipid;

	begin(3);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			check_int(spawn(i, argv), 0);
		for (int i = 0; i < 10; i++) {
			pipid = PIP_PIPID_ANY;
			check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL,
					    NULL, NULL),
				  EAGAIN);
			check_int(pipid, PIP_PIPID_ANY);
			check_int(spawn(i % 3, argv), EAGAIN);
		}
		for (int i = 0; i < 3; i++) {
			check_int(pip_kill(i, SIGKILL), 0);
			task_signaled(i, SIGKILL);
		}
	}
	end();
}

/* ---- Children that are taken away ---- */

/* Statuses are lost then, but no call waits for ever. */
static void ignored_children(void)
{
	char *missing[] = { NULL, NULL }, *argv[] = { FAULT_PROG("storm"), "spin", NULL };
	char *dir = temp_dir();

	missing[0] = path_in(dir, "needs-gone");
	file_copy(PROG("needs-gone"), missing[0], 0755);
	begin(1);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 4; i++) {
		/* First the library is missing, then its function, which shows later. */
		if (i == 2)
			file_copy(PROG("libother.so"), path_in(dir, "libgone.so"), 0755);
		/* With its status it is not known why, but there is no task. */
		int rc = spawn(0, missing);

		check(rc == ELIBEXEC || rc == 0);
		if (rc == 0)
			task_collect(0);
		check_int(spawn(0, argv), 0);
		check_int(pip_kill(0, SIGKILL), 0);
		task_collect(0);
	}
	signal(SIGCHLD, SIG_DFL);
	end();
}

static const struct CMUnitTest tests[] = {
	CASE(descriptors_of_root), CASE(descriptors_at_first), CASE(descriptors_of_task),
	CASE(memory_of_root),      CASE(memory_before_init),   CASE(mappings_of_root),
	CASE(processes),           CASE(processes_of_task),    CASE(pipids),
	CASE(ignored_children),
};

TEST_MAIN(tests)
