/* test_hooks.c - functions of the root's program that run in a task before and after its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "root.h"
#include "../prog/api.h"

#define TASKS 8

/* What hooks saw; one for each task. */
struct calls {
	atomic_int before, after, order;
	int before_order, after_order;
	pid_t before_pid, after_pid;
	int before_result, after_result;
	void *memory;
};

static atomic_int total_before, total_after;

static int before(void *arg)
{
	struct calls *c = arg;

	total_before++;
	c->before++;
	c->before_pid = (pid_t)syscall(SYS_getpid);
	c->before_order = ++c->order;
	return c->before_result;
}

static int after(void *arg)
{
	struct calls *c = arg;

	total_after++;
	c->after++;
	c->after_pid = (pid_t)syscall(SYS_getpid);
	c->after_order = ++c->order;
	return c->after_result;
}

/* A task with both hooks that does as the arguments say. */
static int hooked(const char *path, const char *how, const char *number, struct calls *c)
{
	char *argv[] = { (char *)path, (char *)how, (char *)number, NULL };

	return task_hooked(path, argv, before, after, c);
}

static void once_each(void)
{
	struct calls c = { 0 };
	pid_t pid;
	int pipid;

	root_init(1);
	pipid = hooked(PROG("plain"), "return", "5", &c);
	pid = task_getpid(pipid);
	task_exits(pipid, 5);
	check_int(c.before, 1);
	check_int(c.after, 1);
	check_int(c.before_order, 1);
	check_int(c.after_order, 2);
	/* On the task's kernel thread, but with the root's variables. */
	check_int(c.before_pid, pid);
	check_int(c.after_pid, pid);
	check_int(total_before, 1);
	check_int(total_after, 1);
	root_fin();
}

static void one_of_them(void)
{
	char *argv[] = { PROG("plain"), "return", "5", NULL };
	struct calls c = { 0 };

	root_init(1);
	task_exits(task_hooked(argv[0], argv, before, NULL, &c), 5);
	check_int(c.before, 1);
	check_int(c.after, 0);
	task_exits(task_hooked(argv[0], argv, NULL, after, &c), 5);
	check_int(c.before, 1);
	check_int(c.after, 1);
	task_exits(task_hooked(argv[0], argv, NULL, NULL, &c), 5);
	/* The v1 form, and a function to start. */
	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, NULL, before, after, &c), 0);
	task_exits(0, 5);
	check_int(c.before, 2);
	check_int(c.after, 2);
	root_fin();
}

static void with_start_function(void)
{
	pip_spawn_program_t program;
	struct calls c = { 0 };
	pip_spawn_hook_t hook = { 0 };

	root_init(1);
	pip_spawn_from_func(&program, PROG("api"), "api_return", (void *)6, NULL, NULL);
	pip_spawn_hook(&hook, before, after, &c);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, &hook), 0);
	task_exits(0, 6);
	check_int(c.before, 1);
	check_int(c.after, 1);
	root_fin();
}

/* Which ends are followed by the after-hook. */
static void after_each_end(void)
{
	static const struct {
		const char *prog, *how, *number;
		int code, signum, after;
	} ends[] = {
		{ PROG("plain"), "return", "0", 0, 0, 1 },
		{ PROG("plain"), "exit", "7", 7, 0, 1 },
		{ PROG("api"), "pip_exit", "8", 8, 0, 1 },
		{ PROG("api"), "fin", "9", 9, 0, 1 },
		{ PROG("api"), "fin-pip_exit", "10", 10, 0, 1 },
		{ PROG("plain"), "pthread_exit", "11", 11, 0, 1 },
		{ PROG("plain"), "raise", "15", 0, SIGTERM, 1 },
		{ PROG("plain"), "raise", "2", 0, SIGINT, 1 },
		{ PROG("plain"), "segv", "", 0, SIGSEGV, 1 },
		{ PROG("plain"), "_exit", "12", 12, 0, 0 },
		{ PROG("plain"), "_exit", "0", 0, 0, 0 },
		{ PROG("plain"), "raise", "9", 0, SIGKILL, 0 },
	};

	root_init(1);
	for (int i = 0; i < LENGTH(ends); i++) {
		struct calls c = { 0 };
		int pipid = hooked(ends[i].prog, ends[i].how, ends[i].number, &c);

		if (ends[i].signum)
			task_signaled(pipid, ends[i].signum);
		else
			task_exits(pipid, ends[i].code);
		check_int(c.before, 1);
		if (c.after != ends[i].after)
			check_failed(__FILE__, __LINE__, "%s %s: %d after-hooks", ends[i].how,
				     ends[i].number, c.after);
	}
	root_fin();
}

/* The after-hook comes before what the program does at its exit, and main has been. */
static void before_hook_fails_body(void *arg)
{
	char *argv[] = { PROG("plain"), "write", "main has run", NULL }, *text;
	int code = (int)(intptr_t)arg;
	struct calls c = { .before_result = code };
	struct capture capture;
	int pipid;

	root_init(1);
	capture_begin(&capture, STDOUT_FILENO);
	pipid = task_hooked(argv[0], argv, before, after, &c);
	task_exits(pipid, code & 0xff);
	text = capture_end(&capture);
	check_str(text, "");
	check_int(c.before, 1);
	check_int(c.after, 1);
	free(text);
	root_fin();
}

static void before_hook_fails(void **state)
{
	int codes[] = { 3, 255, 77 };

	(void)state;
	for (int i = 0; i < LENGTH(codes); i++) {
		struct outcome o;
		char *said;

		scenario_run(&o, before_hook_fails_body, (void *)(intptr_t)codes[i]);
		scenario_exited(&o, 0);
		assert_true(asprintf(&said, "^PiP-ERR.*before hook at .* returns %d$", codes[i]) >
			    0);
		scenario_said(&o, said);
		free(said);
		scenario_free(&o);
	}
}

static void after_hook_fails_body(void *arg)
{
	struct calls c = { .after_result = 3 };

	(void)arg;
	root_init(3);
	hooked(PROG("plain"), "return", "0", &c);
	hooked(PROG("plain"), "return", "4", &c);
	hooked(PROG("plain"), "pthread_exit", "0", &c);
	/* Only a code of 0 gives way. */
	task_exits(0, 3);
	task_exits(1, 4);
	check(WIFEXITED(task_collect(2)));
	check_int(c.after, 3);
	root_fin();
}

static void after_hook_fails(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, after_hook_fails_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-ERR.*PIPID:0 after-hook returns 3$");
	scenario_said(&o, "^PiP-ERR.*PIPID:1 after-hook returns 3$");
	scenario_free(&o);
}

/* The result of the after-hook does not alter what pthread_exit() said. */
static void after_hook_and_pthread_exit(void)
{
	struct calls c = { .after_result = 3 };

	root_init(1);
	task_exits(hooked(PROG("plain"), "pthread_exit", "11", &c), 11);
	root_fin();
}

/* Hooks run on the root's heap. */
static int allocate(void *arg)
{
	struct calls *c = arg;

	c->memory = strdup("from the before-hook");
	return c->memory ? 0 : 1;
}

static int release(void *arg)
{
	free(arg);
	return 0;
}

static void memory(void)
{
	char *argv[] = { PROG("plain"), "return", "5", NULL };
	struct calls c = { 0 };

	root_init(1);
	for (int i = 0; i < 20; i++) {
		task_exits(task_hooked(argv[0], argv, allocate, NULL, &c), 5);
		check_str(c.memory, "from the before-hook");
		free(c.memory);
		task_exits(task_hooked(argv[0], argv, NULL, release, malloc(100)), 5);
	}
	root_fin();
}

/* libc works in a hook, its errno too, and leaves the root's alone. */
static int use_libc(void *arg)
{
	struct calls *c = arg;
	char buf[64];

	errno = 0;
	if (open("/there/is/no/such/file", O_RDONLY) >= 0 || errno != ENOENT)
		return 1;
	snprintf(buf, sizeof(buf), "%d %.1f %s", 42, 1.5, "text");
	if (strcmp(buf, "42 1.5 text") != 0 || getenv("PATH") == NULL)
		return 2;
	c->before++;
	return 0;
}

static void libc(void)
{
	char *argv[] = { PROG("plain"), "return", "0", NULL };
	struct calls c = { 0 };

	root_init(1);
	errno = E2BIG;
	task_exits(task_hooked(argv[0], argv, use_libc, use_libc, &c), 0);
	check_int(c.before, 2);
	root_fin();
}

/* Several hooks at a time, and every one counted. */
static void many(void)
{
	static struct sheet sheet;
	struct calls c[TASKS];

	root_init(TASKS);
	for (int round = 0; round < 10; round++) {
		memset(c, 0, sizeof(c));
		for (int i = 0; i < TASKS; i++)
			check_int(hooked(PROG("plain"), "return", "5", &c[i]), i);
		for (int i = 0; i < TASKS; i++) {
			task_exits(i, 5);
			check_int(c[i].before, 1);
			check_int(c[i].after, 1);
		}
		if (round == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	check_int(total_before, 10L * TASKS);
	check_int(total_after, 10L * TASKS);
	root_fin();
}

/* A task that is killed never comes to its after-hook; nothing of the hook stays. */
static void killed(void)
{
	static struct sheet sheet;
	struct calls c = { 0 };

	root_init(1);
	for (int round = 0; round < 10; round++) {
		int pipid = hooked(PROG("plain"), "pause", "", &c);

		check(retry(c.before == round + 1));
		/* Within the common dynamic linker it could leave a lock. */
		if (harness_namespaces() && !harness_threads())
			check(retry(process_state(task_pid(pipid)) == 'S'));
		check_int(pip_kill(pipid, SIGKILL), 0);
		task_signaled(pipid, SIGKILL);
		if (round == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	check_int(c.after, 0);
	root_fin();
}

/* ---- Descriptors ---- */

struct ends {
	int in, out; /* to become 0 and 1 */
};

static int connect_ends(void *arg)
{
	const struct ends *e = arg;

	return dup2(e->in, 0) == 0 && dup2(e->out, 1) == 1 ? 0 : 1;
}

/*
 * A chain of tasks, each the next one's input.  The root's ends are close-on-exec, so only the hook
 * sees them, and the end of the input runs through the whole chain.
 */
static void chain(void)
{
	enum {
		LINKS = 4
	};
	char *argv[] = { PROG("plain"), "cat", NULL };
	int pipes[LINKS + 1][2];
	struct ends e[LINKS];
	char buf[64];
	ssize_t n;

	root_init(LINKS);
	for (int i = 0; i <= LINKS; i++)
		check_int(pipe2(pipes[i], O_CLOEXEC), 0);
	for (int i = 0; i < LINKS; i++) {
		e[i] = (struct ends){ pipes[i][0], pipes[i + 1][1] };
		check_int(task_hooked(argv[0], argv, connect_ends, NULL, &e[i]), i);
	}
	for (int i = 0; i < LINKS; i++)
		close(pipes[i][0]);
	for (int i = 1; i <= LINKS; i++)
		close(pipes[i][1]);
	check_int(write(pipes[0][1], "through them all", 16), 16);
	n = read(pipes[LINKS][0], buf, sizeof(buf));
	check_int(n, 16);
	check(memcmp(buf, "through them all", 16) == 0);
	close(pipes[0][1]);
	check_int(read(pipes[LINKS][0], buf, sizeof(buf)), 0);
	for (int i = 0; i < LINKS; i++)
		task_exits(i, 0);
	close(pipes[LINKS][0]);
	root_fin();
}

struct flags {
	int shut_later, shut_now, kept;
	int seen; /* what the hook found */
};

static int change_flags(void *arg)
{
	struct flags *f = arg;

	/* Close-on-exec descriptors are still there. */
	f->seen = fcntl(f->kept, F_GETFD);
	if (fcntl(f->kept, F_SETFD, 0) < 0)
		return 1;
	if (fcntl(f->shut_later, F_SETFD, FD_CLOEXEC) < 0)
		return 2;
	return close(f->shut_now) ? 3 : 0;
}

/* What the hook does to descriptors holds for the task, and for it only. */
static void descriptors(void)
{
	char *argv[] = { PROG("plain"), "fds", NULL }, *text, *want;
	struct capture c;
	struct flags f;
	int pipid;

	root_init(1);
	f.shut_later = dup(0);
	f.shut_now = dup(0);
	f.kept = fcntl(0, F_DUPFD_CLOEXEC, 3);
	f.seen = -1;
	capture_begin(&c, STDOUT_FILENO);
	pipid = task_hooked(argv[0], argv, change_flags, NULL, &f);
	task_exits(pipid, 0);
	text = capture_end(&c);
	check_int(f.seen, FD_CLOEXEC);
	check(asprintf(&want, "0\n1\n2\n%d\n", f.kept) > 0);
	check_str(text, want);
	check_int(fcntl(f.shut_later, F_GETFD), 0);
	check_int(fcntl(f.shut_now, F_GETFD), 0);
	check_int(fcntl(f.kept, F_GETFD), FD_CLOEXEC);
	free(want);
	free(text);
	root_fin();
}

static int refuse(void *arg)
{
	(void)arg;
	return 1;
}

static int look_at(void *arg)
{
	int *fd = arg;

	*fd = fcntl(*fd, F_GETFD);
	return 0;
}

/* If the before-hook fails, close-on-exec descriptors are closed all the same. */
static void descriptors_after_failure(void)
{
	char *argv[] = { PROG("plain"), "return", "0", NULL };
	int fd;

	root_init(1);
	fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	task_exits(task_hooked(argv[0], argv, refuse, look_at, &fd), 1);
	check_int(fd, -1);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(once_each),
	CASE(one_of_them),
	CASE(with_start_function),
	CASE(after_each_end),
	cmocka_unit_test(before_hook_fails),
	cmocka_unit_test(after_hook_fails),
	CASE(after_hook_and_pthread_exit),
	CASE(memory),
	CASE(libc),
	CASE(many),
	CASE(killed),
	CASE_PROCESS(chain),
	CASE_PROCESS(descriptors),
	CASE_PROCESS(descriptors_after_failure),
};

TEST_MAIN(tests)
