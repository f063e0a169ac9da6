/*
 * drop.c - gives up its rights for good, and goes on.
 *
 *	drop [COMMAND...]	says what is as before, then executes the command
 *	drop -			says so, and waits for a signal to end it
 *	drop quick		ends
 *
 * Nobody may have memory in common with who has other rights, whatever that was before.
 */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOME_ID 65534

static volatile sig_atomic_t caught[65];

static void catch (int signum, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	caught[signum]++;
}

/* Is the memory another program's as well?  A space has a registry. */
static int is_common(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int found = 0;

	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, "memfd:pip-space") != NULL;
	if (maps)
		fclose(maps);
	return found;
}

static void child_sends(pid_t parent)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (getppid() != parent || kill(parent, SIGUSR1))
			_exit(1);
		_exit(5);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	while (!caught[SIGUSR1])
		usleep(1000);
	printf("child %#x, %d signal\n", (unsigned)status, (int)caught[SIGUSR1]);
}

int main(int argc, char **argv)
{
	static const int handled[] = { SIGALRM, SIGUSR1, SIGUSR2 };
	struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct itimerval timer = { .it_value = { 0, 50000 } };
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 }, now;
	pid_t pid = getpid(), parent = getppid(), group = getpgrp(), session = getsid(0);
	struct rlimit files = { 333, 444 }, after;
	char text[] = "as before";
	sigset_t blocked;

	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaction(handled[i], &sa, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR2);
	setitimer(ITIMER_REAL, &timer, NULL);
	setrlimit(RLIMIT_NOFILE, &files);
	pthread_mutex_lock(&mutex);

	if (setgroups(0, NULL) || setgid(SOME_ID) || setuid(SOME_ID)) {
		perror("setuid");
		return 1;
	}
	if (argc > 1 && strcmp(argv[1], "quick") == 0)
		return 0;
	if (setuid(0) == 0 || errno != EPERM)
		puts("it has its rights back");

	pthread_mutex_unlock(&mutex);
	while (!caught[SIGALRM])
		usleep(1000);
	sigaltstack(NULL, &now);
	getrlimit(RLIMIT_NOFILE, &after);
	printf("%s%s%s%s%s%s%s\n", pid == getpid() ? "pid " : "",
	       parent == getppid() ? "ppid " : "", pid == (pid_t)syscall(SYS_gettid) ? "tid " : "",
	       group == getpgrp() ? "group " : "", session == getsid(0) ? "session " : "",
	       now.ss_sp == stack.ss_sp ? "stack " : "", after.rlim_max == 444 ? "limits" : "");
	printf("%s, uid %d, memory %s\n", text, (int)getuid(),
	       is_common() ? "in common" : "of its own");
	printf("%d pending\n", (int)caught[SIGUSR2]);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	printf("%d arrived\n", (int)caught[SIGUSR2]);
	fflush(stdout);
	child_sends(pid);
	fflush(stdout);
	if (argc > 1 && strcmp(argv[1], "-") == 0)
		for (;;)
			pause();
	if (argc > 1)
		execvp(argv[1], argv + 1);
	return 7;
}
