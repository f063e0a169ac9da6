/* child.c - tasks that make children of their own, as programs do; child.h has their argument. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include <pip/pip.h>

#include "child.h"
#include "prog.h"

extern char **environ;

static int code_of(pid_t pid)
{
	int status;

	EXPECT(pid > 0);
	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START(child_system)
{
	char text[64] = "";
	FILE *pipe;

	(void)arg;
	EXPECT_INT(WEXITSTATUS(system("exit 3")), 3);
	EXPECT_INT(system("true"), 0);
	EXPECT(system(NULL) != 0);
	pipe = popen("echo one; echo two", "r");
	EXPECT(pipe != NULL);
	EXPECT_INT(fread(text, 1, sizeof(text) - 1, pipe), 8);
	EXPECT(strcmp(text, "one\ntwo\n") == 0);
	EXPECT_INT(pclose(pipe), 0);
	pipe = popen("cat >/dev/null; exit 4", "w");
	EXPECT(pipe != NULL);
	fprintf(pipe, "text\n");
	EXPECT_INT(WEXITSTATUS(pclose(pipe)), 4);
	return 0;
}

/* A child is an ordinary process. */
static void child_looks(struct child *c, int *own)
{
	pid_t me = getpid();

	EXPECT(me != getppid());
	EXPECT_INT(pip_is_initialized(), 0);
	EXPECT_INT(pip_isa_task(), 0);
	EXPECT_INT(pip_isa_root(), 0);
	EXPECT_INT(pip_isa_piptask(), 0);
	EXPECT_INT(pip_get_pipid(NULL), EPERM);
	EXPECT_INT(pip_named_export(own, "from a child"), EPERM);
	EXPECT_INT(pip_wait(0, NULL), EPERM);
	EXPECT_INT(pip_kill(0, 0), EPERM);
	EXPECT_INT(pip_fin(), EPERM);
	/* It has copies of all variables, and what it writes is its own. */
	EXPECT_INT(*own, 42);
	EXPECT_INT(c->value, 4711);
	*own = 43;
	c->value = 4712;
	free(malloc(100000));
}

START(child_fork)
{
	static int own = 42;
	struct child *c = arg;

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			child_looks(c, &own);
			exit(i);
		}
		EXPECT_INT(code_of(pid), i);
		EXPECT_INT(own, 42);
		EXPECT_INT(c->value, 4711);
		EXPECT_INT(pip_isa_task(), 1);
	}
	return 5;
}

/* Ways for the child to end, none of which is the task's. */
START(child_ends)
{
	int status;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (pid == 0)
		pip_exit(6);
	EXPECT_INT(code_of(pid), 6);
	pid = fork();
	if (pid == 0)
		_exit(7);
	EXPECT_INT(code_of(pid), 7);
	pid = fork();
	if (pid == 0)
		return 8;
	EXPECT_INT(code_of(pid), 8);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	EXPECT_INT(kill(pid, SIGKILL), 0);
	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	pid = fork();
	if (pid == 0)
		abort();
	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	EXPECT_INT(pip_isa_task(), 1);
	return 9;
}

START(child_spawns)
{
	struct child *c = arg;
	char *argv[] = { (char *)c->prog, "return", "6", NULL };
	pid_t pid;

	EXPECT_INT(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
	EXPECT_INT(code_of(pid), 6);
	pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): programs call it */
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(99);
	}
	EXPECT_INT(code_of(pid), 6);
	pid = fork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(99);
	}
	EXPECT_INT(code_of(pid), 6);
	/* Only its own children are there to be waited for. */
	EXPECT_INT(wait(NULL), -1);
	EXPECT_INT(errno, ECHILD);
	return 0;
}

/* The child becomes a root of its own. */
START(child_becomes_root)
{
	struct child *c = arg;
	char *argv[] = { (char *)c->prog, "return", "6", NULL };
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 3; i++) {
			int pipid = PIP_PIPID_ANY, status;

			EXPECT_INT(pip_init(&pipid, NULL, NULL, 0), 0);
			EXPECT_INT(pipid, PIP_PIPID_ROOT);
			pipid = PIP_PIPID_ANY;
			EXPECT_INT(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL,
					     NULL, NULL),
				   0);
			EXPECT_INT(pip_wait(pipid, &status), 0);
			EXPECT(WIFEXITED(status));
			EXPECT_INT(WEXITSTATUS(status), 6);
			EXPECT_INT(pip_fin(), 0);
		}
		exit(7);
	}
	EXPECT_INT(code_of(pid), 7);
	EXPECT_INT(pip_isa_task(), 1);
	return 0;
}

static void *allocate(void *arg)
{
	atomic_int *stop = arg;

	while (!*stop)
		free(malloc(1000));
	return NULL;
}

/* Other threads of the task use its heap meanwhile. */
START(child_of_threads)
{
	atomic_int stop = 0;
	pthread_t thread[2];

	(void)arg;
	for (int i = 0; i < 2; i++)
		EXPECT_INT(pthread_create(&thread[i], NULL, allocate, &stop), 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			free(malloc(1000));
			exit(5);
		}
		EXPECT_INT(code_of(pid), 5);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		EXPECT_INT(pthread_join(thread[i], NULL), 0);
	return 0;
}

static int forked_handlers, at_fork_child;

static void count_fork(void)
{
	forked_handlers++;
}

static void count_child(void)
{
	at_fork_child++;
}

START(child_atfork)
{
	pid_t pid;

	(void)arg;
	EXPECT_INT(pthread_atfork(count_fork, count_fork, count_child), 0);
	pid = fork();
	if (pid == 0)
		_exit(forked_handlers == 1 && at_fork_child == 1 ? 5 : 6);
	EXPECT_INT(code_of(pid), 5);
	EXPECT_INT(forked_handlers, 2);
	return 0;
}

/* Its child goes on when the task is gone, and does no harm. */
START(child_left_behind)
{
	struct child *c = arg;

	if (fork() == 0) {
		usleep(100000);
		if (write(c->after_hook, "x", 1) != 1)
			_exit(1);
		_exit(0);
	}
	return 5;
}

/* A child of vfork that goes on, in this memory, after its parent has been killed. */
START(child_lingers)
{
	struct lingering *l = arg;
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): its test */

	if (pid == 0) {
		/* NOLINTBEGIN(clang-analyzer-unix.Vfork): its test */
		l->pid = getpid();
		while (!l->go)
			usleep(1000);
		l->done = getpid() == l->pid;
		/* NOLINTEND(clang-analyzer-unix.Vfork) */
		_exit(0);
	}
	return 1;
}

int main(void)
{
	return EXPECT_FAILED;
}
