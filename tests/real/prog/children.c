/*
 * children.c - every way to make a process, from the main thread and from another: fork, vfork,
 * posix_spawn, system, popen, a clone of our own, daemon(3), forkpty.  With the argument "advice":
 * what a child inherits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int variable = 1;
static _Thread_local int own = 2;
static const char *who;

static void put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

static void collect(const char *what, pid_t pid)
{
	int status = -1;
	pid_t got = waitpid(pid, &status, 0);

	printf("%s, %s: %d 0x%x, variable %d %d\n", who, what, pid > 0 && got == pid, status,
	       variable, own);
	fflush(stdout);
}

static void with_fork(void)
{
	char *p = malloc(300000), *q, *longer;
	pid_t pid;

	strcpy(p + 299000, "in a mapping");
	pid = fork();
	if (pid == 0) {
		variable = own = 50;
		q = malloc(200000);
		strcpy(q, p + 299000);
		longer = realloc(p, 1000000);
		dprintf(1, "%s, child: %s, %s, parent %d\n", who, q, longer + 299000,
			getppid() > 1);
		exit(strcmp(q, longer + 299000) == 0 ? 11 : 12);
	}
	collect("fork", pid);
	free(p);
}

static void with_vfork(void)
{
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is tested */
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "echo vfork; exit 13", NULL);
		_exit(99);
	}
	collect("vfork", pid);
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is tested */
	pid = vfork();
	if (pid == 0) {
		execl("/nonexistent", "x", NULL);
		_exit(14);
	}
	collect("vfork without exec", pid);
}

static void with_posix_spawn(void)
{
	char *argv[] = { "sh", "-c", "cat; exit 16", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all;
	int fds[2];
	pid_t pid = -1;

	if (pipe(fds))
		abort();
	put(fds[1], "posix_spawn\n");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	posix_spawnattr_init(&attr);
	sigemptyset(&all);
	posix_spawnattr_setsigmask(&attr, &all);
	sigfillset(&all);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	close(fcntl(fds[1], F_DUPFD, 10));
	if (posix_spawn(&pid, "/bin/sh", &actions, &attr, argv, environ))
		pid = -1;
	close(fds[0]);
	close(fds[1]);
	collect("posix_spawn", pid);
	printf("%s, posix_spawnp: %s\n", who,
	       strerror(posix_spawnp(&pid, "no-such-program", NULL, NULL, argv, environ)));
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
}

static void with_shell(void)
{
	char line[64] = "";
	int status;
	FILE *f;

	fflush(stdout);
	printf("%s, system: 0x%x\n", who, system("echo system; kill -9 $$"));
	fflush(stdout);
	f = popen("tr a-z A-Z; exit 17", "w");
	fprintf(f, "%s, popen\n", who);
	status = pclose(f);
	printf("%s, pclose: 0x%x\n", who, status);
	f = popen("echo one; echo two", "r");
	while (fgets(line, sizeof(line), f))
		printf("%s, read: %s", who, line);
	status = pclose(f);
	printf("%s, pclose: 0x%x\n", who, status);
	fflush(stdout);
}

/* Pages that a child is not to have, or to find empty; and one beside them, which it is to have. */
static void with_advice(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	memset(p, 7, 3 * page);
	madvise(p, page, MADV_DONTFORK);
	madvise(p + page, page, MADV_WIPEONFORK);
	pid = fork();
	if (pid == 0)
		_exit(p[page] * 10 + p[2 * page]);
	collect("MADV_WIPEONFORK", pid);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(p[0]);
	}
	collect("MADV_DONTFORK", pid);
	madvise(p, page, MADV_DOFORK);
	pid = fork();
	if (pid == 0)
		_exit(p[0]);
	collect("MADV_DOFORK", pid);
	munmap(p, 3 * page);
}

static int clone_body(void *arg)
{
	variable = 60;
	dprintf(1, "%s, clone: %s\n", who, (char *)arg);
	return 18;
}

static void with_clone(void)
{
	size_t size = 65536;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	collect("clone", clone(clone_body, stack + size, SIGCHLD, "a copy"));
	collect("clone with CLONE_VM",
		clone(clone_body, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, "shared"));
	variable = 1;
	munmap(stack, size);
}

static void with_daemon(void)
{
	char line[64] = "";
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		abort();
	pid = fork();
	if (pid == 0) {
		if (daemon(0, 0))
			_exit(20);
		dprintf(fds[1], "daemon: leader %d, own group %d, variable %d",
			getsid(0) == getpid(), getpgrp() == getpid(), variable);
		_exit(0);
	}
	close(fds[1]);
	collect("daemon", pid);
	for (ssize_t at = 0, n; (n = read(fds[0], line + at, sizeof(line) - 1 - (size_t)at)) > 0;)
		at += n;
	close(fds[0]);
	printf("%s, %s\n", who, line);
	fflush(stdout);
}

static void with_forkpty(void)
{
	char text[256] = "";
	size_t at = 0;
	ssize_t n;
	int fd;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "test -t 0 && echo terminal; read x; echo $x; exit 19",
		      NULL);
		_exit(99);
	}
	put(fd, "typed\n");
	while (at < sizeof(text) - 1 && (n = read(fd, text + at, sizeof(text) - 1 - at)) > 0)
		at += (size_t)n;
	close(fd);
	printf("%s, forkpty: %d %d\n", who, strstr(text, "terminal") != NULL,
	       strstr(text, "typed") != NULL);
	collect("forkpty", pid);
}

static void nothing_left(void)
{
	int status;

	printf("%s, more: %d %s\n", who, (int)waitpid(-1, &status, 0), strerror(errno));
	fflush(stdout);
}

static void *all(void *arg)
{
	who = arg;
	with_fork();
	with_vfork();
	with_posix_spawn();
	with_shell();
	with_clone();
	with_daemon();
	with_forkpty();
	nothing_left();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t id;

	if (argc > 1 && strcmp(argv[1], "advice") == 0) {
		who = "main";
		with_advice();
		return 0;
	}
	all("main");
	if (pthread_create(&id, NULL, all, "thread"))
		return 1;
	pthread_join(id, NULL);
	return 21;
}
