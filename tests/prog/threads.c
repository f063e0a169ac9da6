/*
 * threads.c - a program with threads of its own that ends as its arguments say:
 *
 *	threads HOW CODE	with three more threads: one computes, one sleeps, one waits
 *	threads alone HOW CODE	without
 *	threads sub HOW CODE	on one of its threads, while main() sleeps
 *
 * What it says is in its buffers when it ends.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "prog.h"

static volatile unsigned long count;
static sem_t never;
static volatile int *volatile nowhere = (volatile int *)16;

static void *compute(void *arg)
{
	for (;;)
		count++;
	return arg;
}

static void *sleep_on(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (;;)
		pause();
	return arg;
}

static void *wait_on(void *arg)
{
	sem_wait(&never);
	return arg;
}

__attribute__((noinline)) static int deeper(volatile char *up)
{
	volatile char room[4096];

	room[0] = (char)(*up | 1);
	return room[0] ? deeper(room) + room[0] : 0;
}

static int end(const char *how, int code)
{
	volatile char bottom = 0;

	if (strcmp(how, "exit") == 0)
		exit(code);
	if (strcmp(how, "_exit") == 0)
		_exit(code);
	if (strcmp(how, "pthread_exit") == 0)
		pthread_exit((void *)(intptr_t)code);
	if (strcmp(how, "raise") == 0)
		raise(code);
	if (strcmp(how, "kill") == 0)
		kill(getpid(), code);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "wild") == 0)
		*nowhere = code;
	if (strcmp(how, "cancel") == 0)
		EXPECT_INT(pthread_cancel(pthread_self()), 0);
	if (strcmp(how, "setuid") == 0)
		return setuid(getuid()) ? -1 : code;
	if (strcmp(how, "deep") == 0)
		return deeper(&bottom);
	while (strcmp(how, "pause") == 0 || strcmp(how, "cancel") == 0)
		pause();
	return code;
}

static char **ending;

static void *end_here(void *arg)
{
	end(ending[0], atoi(ending[1]));
	return arg;
}

int main(int argc, char **argv)
{
	void *(*const bodies[])(void *) = { compute, sleep_on, wait_on };
	pthread_t thread;

	EXPECT(argc >= 3);
	printf("said by %s", argv[1]);
	if (strcmp(argv[1], "alone") == 0)
		return end(argv[2], atoi(argv[3]));
	for (int i = 0; i < 3; i++)
		EXPECT_INT(pthread_create(&thread, NULL, bodies[i], NULL), 0);
	WAIT_FOR(count > 0);
	if (strcmp(argv[1], "sub") != 0)
		return end(argv[1], atoi(argv[2]));
	ending = argv + 2;
	EXPECT_INT(pthread_create(&thread, NULL, end_here, NULL), 0);
	for (;;)
		pause();
}
