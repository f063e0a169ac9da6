/*
 * crash.c - a program that comes to a bad end: crashes[] below.  It knows nothing of PiP.
 *
 * crash HOW [N]; a HOW that begins with "thread-" happens in a second thread, while the first
 * waits.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *volatile nowhere = (void *)8;
static volatile int zero, endless = 1;
static int number;

static void crash_segv(void)
{
	*(volatile int *)nowhere = 1;
}

static void crash_jump(void)
{
	((void (*)(void))nowhere)();
}

static void crash_divide(void)
{
#ifdef __aarch64__
	raise(SIGFPE); /* there that is 0 */
#else
	number = 1000 / zero;
#endif
}

/* Its result is used, so that it is no tail call. */
static int recurse(volatile char *above)
{
	volatile char here[1024]; /* no frame may step over a thread's guard page */

	here[0] = *above;
	return endless ? recurse(here) + here[0] : 0;
}

static void crash_overflow(void)
{
	volatile char bottom = 0;

	recurse(&bottom);
}

static void crash_pipe(void)
{
	int fds[2];

	if (pipe(fds) == 0) {
		close(fds[0]);
		if (write(fds[1], "", 1) < 0)
			_exit(112);
	}
}

/* A mapping of a file that has no bytes there. */
static void crash_bus(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	*p = 1;
}

static void crash_ill(void)
{
	__builtin_trap();
}

static void crash_heap(void)
{
	char *volatile p = malloc(100);

	free(p);
	/* cppcheck-suppress doubleFree ; this is what it is for */
	free(p); /* NOLINT(clang-analyzer-unix.Malloc): so it is */
}

static void crash_abort(void)
{
	abort();
}

static void crash_raise(void)
{
	raise(number);
}

static void crash_exit(void)
{
	exit(number);
}

static void crash__exit(void)
{
	_exit(number);
}

static void hang(void)
{
	for (;;)
		pause();
}

/* An orderly end is not possible any more. */
static void crash_stuck(void)
{
	atexit(hang);
	crash_segv();
}

static void crash_twice(void)
{
	atexit(crash_segv);
	crash_segv();
}

static void handler(int sig)
{
	(void)sig;
	crash_segv();
}

static void crash_handler(void)
{
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
}

/* A synchronous signal that is blocked cannot be handled. */
static void crash_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	crash_segv();
}

static const struct crash {
	const char *name;
	void (*run)(void);
} crashes[] = {
	{ "segv", crash_segv },         { "jump", crash_jump },   { "divide", crash_divide },
	{ "overflow", crash_overflow }, { "pipe", crash_pipe },   { "bus", crash_bus },
	{ "ill", crash_ill },           { "heap", crash_heap },   { "abort", crash_abort },
	{ "raise", crash_raise },       { "exit", crash_exit },   { "_exit", crash__exit },
	{ "stuck", crash_stuck },       { "twice", crash_twice }, { "handler", crash_handler },
	{ "blocked", crash_blocked },
};

static void *run_crash(void *arg)
{
	const struct crash *crash = arg;

	crash->run();
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int in_thread = strncmp(how, "thread-", 7) == 0;

	number = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		pthread_t thread;

		if (strcmp(how + (in_thread ? 7 : 0), crashes[i].name) != 0)
			continue;
		if (!in_thread) {
			crashes[i].run();
		} else {
			if (pthread_create(&thread, NULL, run_crash, (void *)&crashes[i]))
				return 111;
			hang();
		}
	}
	return 113; /* it should not come here */
}
