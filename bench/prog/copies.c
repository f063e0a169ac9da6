/*
 * copies.c - copies another program's memory by the call as libc makes it, and by the system call
 * itself, in turn.  Arguments: that program's PID, the address and length of the memory, rounds.
 * Prints a line for each size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../tests/prog/raw.h"

#define ROUNDS_MAX 1000
#define MOVED (32UL << 20) /* bytes a way and round, in copies of the size that is measured */

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the n values, too. */
static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

static pid_t pid;
static char *theirs, *mine;

/* Microseconds for each of n copies. */
static double measure(int by_kernel, size_t size, size_t n)
{
	struct iovec local = { mine, size }, remote = { theirs, size };
	double before = now_us();

	for (size_t i = 0; i < n; i++) {
		ssize_t got =
			by_kernel ? raw_copy(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0)
				  : process_vm_readv(pid, &local, 1, &remote, 1, 0);

		if (got != (ssize_t)size) {
			fprintf(stderr, "copies: a copy of %zu bytes gave %zd\n", size, got);
			exit(EXIT_FAILURE);
		}
	}
	return (now_us() - before) / (double)n;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t size;
	} sizes[] = { { "4KiB", 4UL << 10 },
		      { "64KiB", 64UL << 10 },
		      { "1MiB", 1UL << 20 },
		      { "4MiB", 4UL << 20 } };
	static double ours[ROUNDS_MAX], kernels[ROUNDS_MAX], ratios[ROUNDS_MAX];
	size_t room;
	int rounds;

	if (argc != 5)
		return EXIT_FAILURE;
	pid = atoi(argv[1]);
	theirs = (char *)strtoul(argv[2], NULL, 16);
	room = strtoul(argv[3], NULL, 10);
	rounds = atoi(argv[4]);
	mine = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	if (mine == MAP_FAILED || rounds < 1 || rounds > ROUNDS_MAX)
		return EXIT_FAILURE;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t size = sizes[s].size < room ? sizes[s].size : room, n = MOVED / size;
		double middle;

		for (int i = -1; i < rounds; i++) { /* the first is a warm-up */
			double a = measure(0, size, n), b = measure(1, size, n);

			if (i < 0)
				continue;
			ours[i] = a;
			kernels[i] = b;
			ratios[i] = a / b;
		}
		middle = median(ratios, rounds);
		printf("claim copy-%s/process_vm_readv-%s ratio %.3f (min %.3f, max %.3f; %.2f us, "
		       "%.2f us)\n",
		       sizes[s].name, sizes[s].name, middle, ratios[0], ratios[rounds - 1],
		       median(ours, rounds), median(kernels, rounds));
	}
	return EXIT_SUCCESS;
}
