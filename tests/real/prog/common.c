/*
 * common.c - a bit of everything that any C library has: threads, thread-local variables, malloc,
 * sorting, floating point, signals, a child and a pipe, files, stdin, an exit handler.
 *
 * It is built for glibc and for musl, dynamic and static.  Its output is always the same.
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS 2000

static _Thread_local unsigned mine = 17, zeroed[256];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_here;
static pthread_key_t key;
static _Atomic int destroyed;
static unsigned long total;
static volatile sig_atomic_t caught;

static void on_destroy(void *value)
{
	destroyed += (int)(intptr_t)value;
}

static void on_signal(int sig)
{
	caught += sig;
}

static void at_exit(void)
{
	puts("exit handler");
}

/* Blocks of all sizes, some for mmap, each filled and checked. */
static unsigned churn(unsigned seed)
{
	unsigned char *block[32] = { 0 };
	size_t size[32] = { 0 };
	unsigned sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned k = seed % 32;

		seed = seed * 1103515245 + 12345;
		for (size_t at = 0; at < size[k]; at += 509)
			sum += block[k][at] == (unsigned char)size[k] ? 0 : 1000000;
		size[k] = (seed >> 8) % (i % 100 == 0 ? 400000 : 3000);
		block[k] = realloc(block[k], size[k] + 1);
		memset(block[k], (int)(unsigned char)size[k], size[k]);
		sum += seed >> 20;
	}
	for (int k = 0; k < 32; k++)
		free(block[k]);
	return sum;
}

static void *thread(void *arg)
{
	unsigned sum = churn((unsigned)(uintptr_t)arg);

	mine += (unsigned)(uintptr_t)arg;
	zeroed[255]++;
	pthread_setspecific(key, (void *)1);
	pthread_barrier_wait(&all_here);
	pthread_mutex_lock(&lock);
	total += sum + mine + zeroed[255] + zeroed[0];
	pthread_mutex_unlock(&lock);
	return (void *)(uintptr_t)mine;
}

static void threads(void)
{
	pthread_t id[THREADS];
	void *result;

	pthread_key_create(&key, on_destroy);
	pthread_barrier_init(&all_here, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&id[i], NULL, thread, (void *)(i + 1)))
			abort();
	for (int i = 0; i < THREADS; i++) {
		pthread_join(id[i], &result);
		printf("thread %d: %lu\n", i, (unsigned long)(uintptr_t)result);
	}
	printf("threads: %lu, mine %u, destructors %d\n", total, mine, (int)destroyed);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void numbers(void)
{
	double v[1000];
	char text[64];

	for (int i = 0; i < 1000; i++)
		v[i] = sin(i * 0.731) * exp(i / 300.0);
	qsort(v, 1000, sizeof(v[0]), by_value);
	snprintf(text, sizeof(text), "%.17g", v[0]);
	printf("numbers: %.12f %.12f %.12f %d %a\n", v[0], v[500], v[999],
	       strtod(text, NULL) == v[0], ldexp(1.0, -1040));
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	raise(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	alarm(1);
	kill(getpid(), SIGALRM);
	printf("signals: %d\n", (int)caught);
	alarm(0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("signals: %d\n", (int)caught);
}

static void child(void)
{
	int fds[2], status = 0;
	char text[32] = "";
	pid_t pid;

	fflush(stdout);
	if (pipe(fds))
		abort();
	pid = fork();
	if (pid == 0) {
		char *p = malloc(100000);

		memset(p, 'x', 100000);
		snprintf(text, sizeof(text), "from %s %u", getpid() > 1 ? "child" : "?", mine);
		if (write(fds[1], text, sizeof(text)) != sizeof(text))
			abort();
		_exit(p[99999] == 'x' ? 42 : 1);
	}
	close(fds[1]);
	if (read(fds[0], text, sizeof(text)) != sizeof(text))
		abort();
	waitpid(pid, &status, 0);
	printf("child: '%s' %d\n", text, WEXITSTATUS(status));
}

static void memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q;

	strcpy(p + 60 * page, "kept");
	munmap(p, 32 * page);
	q = mmap(p, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("memory: %s %d %d", p + 60 * page, q == p, q[0]);
	mprotect(p, page, PROT_READ | PROT_WRITE);
	q[0] = 1;
	munmap(q, page);
	munmap(p + 32 * page, 32 * page);
	p = sbrk(0);
	printf(" %d\n", p != (void *)-1);
}

static void input(void)
{
	unsigned long lines = 0, sum = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		lines++;
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)line[i];
	}
	free(line);
	printf("input: %lu lines, %lx\n", lines, sum);
}

int main(int argc, char **argv)
{
	struct tm tm;
	time_t day = 86400L * 365;

	atexit(at_exit);
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	printf("environment: %s\n", getenv("REAL_TEST"));
	threads();
	numbers();
	signals();
	child();
	memory();
	input();
	gmtime_r(&day, &tm);
	printf("time: %04d-%02d-%02d\n", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	fprintf(stderr, "to stderr\n");
	return 23;
}
