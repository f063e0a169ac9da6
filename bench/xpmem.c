/*
 * xpmem.c - what it costs to get at the memory of another task by XPMEM, beside what it costs by a
 * shared memory object.
 *
 * main() runs two measurements, in rounds of both peers in turn, and prints a line for each claim,
 * a ratio and what it comes from: calls_measure(), each of the calls beside its counterpart;
 * use_measure(), a use from asking for the memory to giving it back, with every page of it read.
 * Nothing is judged here: the exit code only says that all could be run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pip/pip.h>
#include <xpmem.h>

#include "measure.h"
#include "prog/lends.h"

#define SIZE (2UL << 20)
#define PAGE 4096
#define CALLS 400 /* of one kind in a row; each needs two descriptors of the other peer */
#define WARM_UPS 2

static struct loan loan; /* by a task */
static char *object;     /* what opens the object that has as much memory */

static xpmem_segid_t segid[CALLS];
static xpmem_apid_t apid[CALLS];
static int created[CALLS], opened[CALLS];
static char *mapped[CALLS];

static void need(int good, const char *what)
{
	if (!good)
		fail(what, errno);
}

/* ---- The calls, by number ---- */

static void xpmem_make_one(int i)
{
	segid[i] = xpmem_make(0, XPMEM_MAXADDR_SIZE, XPMEM_PERMIT_MODE, (void *)0600);
	need(segid[i] != -1, "xpmem_make");
}

static void xpmem_get_one(int i)
{
	apid[i] = xpmem_get(loan.segid, XPMEM_RDWR, XPMEM_PERMIT_MODE, NULL);
	need(apid[i] != -1, "xpmem_get");
}

static void xpmem_attach_one(int i)
{
	struct xpmem_addr addr = { .apid = apid[i], .offset = (off_t)(uintptr_t)loan.memory };

	mapped[i] = xpmem_attach(addr, SIZE, NULL);
	need(mapped[i] != (char *)-1, "xpmem_attach");
}

static void xpmem_detach_one(int i)
{
	need(xpmem_detach(mapped[i]) == 0, "xpmem_detach");
}

static void xpmem_release_one(int i)
{
	need(xpmem_release(apid[i]) == 0, "xpmem_release");
}

static void xpmem_remove_one(int i)
{
	need(xpmem_remove(segid[i]) == 0, "xpmem_remove");
}

static void object_create_one(int i)
{
	created[i] = memfd_create("bench", MFD_CLOEXEC);
	need(created[i] >= 0 && ftruncate(created[i], SIZE) == 0, "memfd_create");
}

static void object_open_one(int i)
{
	opened[i] = open(object, O_RDWR | O_CLOEXEC);
	need(opened[i] >= 0, "open");
}

static void object_map_one(int i)
{
	mapped[i] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, opened[i], 0);
	need(mapped[i] != MAP_FAILED, "mmap");
}

static void object_unmap_one(int i)
{
	need(munmap(mapped[i], SIZE) == 0, "munmap");
}

static void object_close_one(int i)
{
	need(close(opened[i]) == 0, "close");
}

static void object_destroy_one(int i)
{
	need(close(created[i]) == 0, "close");
}

/* In this order, the peers in turn, CALLS times each. */
static const struct call {
	const char *name[2];
	void (*run[2])(int);
} calls[] = {
	{ { "xpmem_make", "memfd_create+ftruncate" }, { xpmem_make_one, object_create_one } },
	{ { "xpmem_get", "open" }, { xpmem_get_one, object_open_one } },
	{ { "xpmem_attach", "mmap" }, { xpmem_attach_one, object_map_one } },
	{ { "xpmem_detach", "munmap" }, { xpmem_detach_one, object_unmap_one } },
	{ { "xpmem_release", "close" }, { xpmem_release_one, object_close_one } },
	{ { "xpmem_remove", "close (last)" }, { xpmem_remove_one, object_destroy_one } },
};
#define NCALLS (int)(sizeof(calls) / sizeof(calls[0]))

static double *table(int rounds)
{
	return allocate((size_t)rounds, sizeof(double));
}

/* Prints and frees what came of each round for two peers. */
static void claim(const char *const name[2], double *const us[2], int rounds)
{
	double *ratios = table(rounds), middle[3];

	for (int r = 0; r < rounds; r++)
		ratios[r] = us[0][r] / us[1][r];
	middle[2] = median(ratios, rounds);
	for (int p = 0; p < 2; p++)
		middle[p] = median(us[p], rounds);
	printf("claim %s/%s ratio %.4f (min %.4f, max %.4f; %.3f us, %.3f us)\n", name[0], name[1],
	       middle[2], ratios[0], ratios[rounds - 1], middle[0], middle[1]);
	free(ratios);
	free(us[0]);
	free(us[1]);
}

static void calls_measure(int rounds)
{
	double *us[NCALLS][2];

	for (int c = 0; c < NCALLS; c++)
		for (int p = 0; p < 2; p++)
			us[c][p] = table(rounds);
	for (int r = -WARM_UPS; r < rounds; r++) {
		for (int p = 0; p < 2; p++) {
			for (int c = 0; c < NCALLS; c++) {
				double before = now_us();

				for (int i = 0; i < CALLS; i++)
					calls[c].run[p](i);
				us[c][p][r < 0 ? 0 : r] = (now_us() - before) / CALLS;
			}
		}
	}
	printf("# one call: %d rounds of %d of each\n", rounds, CALLS);
	for (int c = 0; c < NCALLS; c++)
		claim(calls[c].name, us[c], rounds);
}

static void use_measure(int rounds, int uses)
{
	static const char *const names[2] = { "use-by-xpmem", "use-by-object" };
	double *us[2] = { table(rounds), table(rounds) };
	long sum = 0;

	for (int r = -WARM_UPS; r < rounds; r++) {
		for (int p = 0; p < 2; p++) {
			double before = now_us();

			for (int i = 0; i < uses; i++) {
				calls[1].run[p](0);
				calls[2].run[p](0);
				for (size_t at = 0; at < SIZE; at += PAGE)
					sum += *(volatile char *)(mapped[0] + at);
				calls[3].run[p](0);
				calls[4].run[p](0);
			}
			us[p][r < 0 ? 0 : r] = (now_us() - before) / uses;
		}
	}
	if (sum != 2L * (rounds + WARM_UPS) * uses * (long)(SIZE / PAGE))
		fail("what was read", 0);
	printf("# one use of %lu KiB, a byte of each page read: %d rounds of %d of each\n",
	       SIZE >> 10, rounds, uses);
	claim(names, us, rounds);
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"Usage: xpmem [-r ROUNDS] [-b USES]\n"
		"  -r ROUNDS  rounds of each measurement (default 101)\n"
		"  -b USES    uses by each peer in a round of the second one (default 20)\n");
	exit(2);
}

int main(int argc, char **argv)
{
	int rounds = 101, uses = 20, ntasks = 1, pipid = PIP_PIPID_ANY, option, err, fd, status;
	int loans[2], hold[2];
	void *memory;

	while ((option = getopt(argc, argv, "r:b:h")) != -1) {
		switch (option) {
		case 'r':
			rounds = number(usage, optarg, 1, 100000);
			break;
		case 'b':
			uses = number(usage, optarg, 1, 100000);
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();

	err = pip_init(NULL, &ntasks, NULL, 0);
	if (err)
		fail("pip_init", err);
	setvbuf(stdout, NULL, _IOLBF, 0);

	need(pipe(loans) == 0 && pipe(hold) == 0, "pipe");
	/* The task inherits its own ends of the pipes; ours must not keep it alive. */
	need(fcntl(loans[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(hold[1], F_SETFD, FD_CLOEXEC) == 0,
	     "fcntl");
	char *args[] = { program("lends"), text("%d", loans[1]), text("%d", hold[0]),
			 text("%lu", SIZE), NULL };
	err = pip_spawn(args[0], args, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL);
	if (err)
		fail("pip_spawn", err);
	close(loans[1]);
	need(read(loans[0], &loan, sizeof(loan)) == sizeof(loan), "the task");

	fd = memfd_create("lent", MFD_CLOEXEC);
	need(fd >= 0 && ftruncate(fd, SIZE) == 0, "memfd_create");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(memory != MAP_FAILED, "mmap");
	memset(memory, 1, SIZE);
	object = text("/proc/self/fd/%d", fd);

	calls_measure(rounds);
	use_measure(rounds, uses);

	close(hold[1]);
	err = pip_wait(pipid, &status);
	if (err || status)
		fail("pip_wait", err);
	err = pip_fin();
	if (err)
		fail("pip_fin", err);
	munmap(memory, SIZE);
	close(fd);
	free(object);
	for (int i = 0; args[i]; i++)
		free(args[i]);
	return EXIT_SUCCESS;
}
