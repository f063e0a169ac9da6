/*
 * unusual.c CASE - what few programs do, or do before they execute another.  Prints what became of
 * it.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 61234
#define BLOCK 75000 /* bytes: less than what malloc() maps for itself */

static void *volatile nowhere = (void *)16; /* which compilers do not know */
static char *const none[] = { NULL };
static char *sh[] = { "sh", "-c", NULL, NULL };

/* The status of a child that runs fn(). */
static int child(void (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void shell(const char *command)
{
	fflush(stdout);
	sh[2] = (char *)command;
	execv("/bin/sh", sh);
	_exit(99);
}

static void show(const char *what, long rc)
{
	printf("%s: %s\n", what, rc < 0 ? strerror(errno) : "done");
}

static void bad_pointers(void)
{
	char *const bad_strings[] = { "sh", nowhere, NULL };
	struct stat st;
	char buf[64];

	show("open", open(nowhere, O_RDONLY));
	show("open NULL", syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY));
	show("stat", stat(nowhere, &st));
	show("readlink", readlink(nowhere, buf, sizeof(buf)));
	show("readlink to nowhere", readlink("/proc/self/exe", nowhere, 64));
	show("exec", execve(nowhere, none, none));
	show("exec, arguments", execve("/bin/sh", nowhere, none));
	show("exec, argument", execve("/bin/sh", bad_strings, none));
	show("exec, environment", execve("/bin/sh", none, nowhere));
	show("exec, variable", execve("/bin/sh", sh, bad_strings));
	show("clone3", syscall(SYS_clone3, nowhere, 88));
	show("prctl", prctl(PR_GET_PDEATHSIG, nowhere));
}

static void without_environment(void)
{
	pid_t pid;
	int status = -1;

	clearenv();
	printf("system %x\n", system("echo a"));
	sh[2] = "echo b; exit 3";
	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, sh, NULL) == 0)
		waitpid(pid, &status, 0);
	printf("spawn %x\n", status);
	execve("/bin/sh", sh, NULL);
}

static void close_all(void)
{
	dup2(1, 50);
	show("close_range", syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE));
	shell("{ echo x >&50; } 2>/dev/null || echo closed");
}

static void sandbox(void)
{
	uint64_t rights[1] = { 2 }; /* LANDLOCK_ACCESS_FS_WRITE_FILE */
	long fd = syscall(444 /* landlock_create_ruleset */, rights, sizeof(rights), 0);

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	show("restrict", syscall(446 /* landlock_restrict_self */, fd, 0));
	shell("{ echo x >forbidden; } 2>/dev/null && echo written || echo refused");
}

static void *pause_there(void *arg)
{
	pause();
	return arg;
}

static void other_user(void)
{
	if (setgid(OTHER_USER) || setuid(OTHER_USER))
		printf("as before\n");
	shell("id -u; id -g");
}

static void with_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, pause_there, NULL);
	printf("%x\n", child(other_user));
	other_user();
}

/* Its end shows in a pipe. */
static void killed_as_other(void)
{
	struct pollfd end;
	int fd[2], ready[2];
	pid_t pid;
	char c;

	if (pipe2(fd, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		return;
	pid = fork();
	if (pid == 0) {
		if (setuid(OTHER_USER) && !getuid())
			_exit(97);
		if (write(ready[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(97);
	}
	close(fd[1]);
	if (read(ready[0], &c, 1) != 1)
		printf("no child\n");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	end = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	printf("its end was seen: %d\n", poll(&end, 1, 5000));
}

/* Read to its end when all children and theirs have ended. */
static int ended[2];

/* In a child whose parent has ended. */
static void bereaved(void)
{
	int fd[2];
	char c;

	if (pipe(fd))
		return;
	if (fork() == 0) {
		sigset_t set;
		struct timespec limit = { 5, 0 };
		pid_t before = getppid();

		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_BLOCK, &set, NULL);
		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		if (write(fd[1], "x", 1) != 1)
			_exit(97);
		printf("signal: %d\n", sigtimedwait(&set, NULL, &limit) == SIGUSR2);
		printf("another parent: %d\n", getppid() != before);
		fflush(stdout);
		_exit(0);
	}
	if (read(fd[0], &c, 1) != 1)
		printf("no child\n");
}

static volatile sig_atomic_t value;

static void on_value(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	value = info->si_value.sival_int;
}

static void queued(void)
{
	struct sigaction sa = { .sa_sigaction = on_value, .sa_flags = SA_SIGINFO };

	sigaction(SIGRTMIN, &sa, NULL);
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 7 });
	printf("%d\n", value);
	printf("%d\n", pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){ 8 }));
	printf("%d\n", value);
}

/* libseccomp asks so what the kernel knows. */
static void asks_for_seccomp(void)
{
	show("seccomp", syscall(SYS_seccomp, 0 /* SECCOMP_SET_MODE_STRICT */, 1, NULL));
}

static char *block[100];

static void grows(void)
{
	for (int i = 0; i < 100; i++) {
		block[i] = malloc(8192);
		memset(block[i], 1, 8192);
	}
}

/* A forked child that launches programs that fork. */
static void grows_and_launches(void)
{
	for (int round = 0; round < 20; round++) {
		block[round] = malloc(BLOCK);
		memset(block[round], round, BLOCK);
		if (fork() == 0) {
			for (int i = 0; i <= round; i++)
				for (int k = 0; k < BLOCK; k += 4096)
					if (block[i][k] != i)
						_exit(98);
			shell("(:); exit 0");
		}
		wait(&(int){ 0 });
	}
}

static const struct {
	const char *name;
	void (*fn)(void);
} cases[] = {
	{ "bad-pointers", bad_pointers },
	{ "without-environment", without_environment },
	{ "close-range", close_all },
	{ "landlock", sandbox },
	{ "threads-and-rights", with_threads },
	{ "killed-as-other", killed_as_other },
	{ "bereaved", bereaved },
	{ "queued", queued },
	{ "seccomp", asks_for_seccomp },
	{ "grows", grows_and_launches },
};

int main(int argc, char *argv[])
{
	char c;

	if (argc != 2 || pipe(ended))
		return 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, argv[1]) != 0)
			continue;
		printf("child %x\n", child(cases[i].fn));
		close(ended[1]);
		while (read(ended[0], &c, 1) > 0)
			;
		if (cases[i].fn == bad_pointers)
			bad_pointers();
		printf("child %x\n", child(grows));
		if (cases[i].fn == asks_for_seccomp) {
			asks_for_seccomp();
			printf("child %x\n", child(grows));
		}
		return 0;
	}
	return 2;
}
