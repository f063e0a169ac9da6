/*
 * ways.c - starts true(1) in the way that its argument names: libc's functions for that.  Its exit
 * code is that of true, or tells what went wrong.
 */
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

extern char **environ;

static char *true_argv[] = { "/bin/true", NULL };

static _Noreturn void run(void)
{
	execv(true_argv[0], true_argv);
	_exit(99);
}

static int code_of(pid_t pid)
{
	int status;

	if (pid == 0)
		run();
	return pid > 0 && waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 98;
}

static int by_fork(void)
{
	return code_of(fork());
}

static int by_plain_fork(void)
{
	return code_of(_Fork());
}

static int by_vfork(void)
{
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is tested */
	pid_t pid = vfork();

	if (pid == 0) {
		execv(true_argv[0], true_argv);
		_exit(99);
	}
	return code_of(pid);
}

static int by_syscall(void)
{
	return code_of((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int by_posix_spawn(void)
{
	pid_t pid;

	return posix_spawn(&pid, true_argv[0], NULL, NULL, true_argv, environ) ? 97 : code_of(pid);
}

static int by_posix_spawnp(void)
{
	pid_t pid;

	return posix_spawnp(&pid, "true", NULL, NULL, true_argv, environ) ? 97 : code_of(pid);
}

static int by_system(void)
{
	return WEXITSTATUS(system("/bin/true"));
}

static int by_popen(void)
{
	FILE *stream = popen("/bin/true", "r");

	return stream ? WEXITSTATUS(pclose(stream)) : 97;
}

static int by_wordexp(void)
{
	wordexp_t words;
	int rc = wordexp("$(/bin/true)a", &words, WRDE_SHOWERR);

	if (rc == 0 && (words.we_wordc != 1 || strcmp(words.we_wordv[0], "a") != 0))
		rc = 97;
	wordfree(&words);
	return rc;
}

static int by_forkpty(void)
{
	int terminal;

	return code_of(forkpty(&terminal, NULL, NULL, NULL));
}

static int by_daemon(void)
{
	int code, status;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0) {
		if (daemon(1, 1))
			_exit(97);
		run();
	}
	code = code_of(pid); /* of the one that daemon() ends */
	if (wait(&status) < 0 || !WIFEXITED(status))
		return 98;
	return code ? code : WEXITSTATUS(status);
}

static int in_clone(void *arg)
{
	(void)arg;
	run();
}

static int by_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	return code_of(clone(in_clone, stack + sizeof(stack), SIGCHLD, NULL));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*start)(void);
	} ways[] = {
		{ "fork", by_fork },
		{ "_Fork", by_plain_fork },
		{ "vfork", by_vfork },
		{ "clone", by_clone },
		{ "syscall", by_syscall },
		{ "posix_spawn", by_posix_spawn },
		{ "posix_spawnp", by_posix_spawnp },
		{ "system", by_system },
		{ "popen", by_popen },
		{ "wordexp", by_wordexp },
		{ "forkpty", by_forkpty },
		{ "daemon", by_daemon },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			return ways[i].start();
	return 96;
}
