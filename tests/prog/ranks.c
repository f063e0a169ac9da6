/*
 * ranks.c - an XPMEM program as others write them: it knows of no PiP.  Arguments: a directory, the
 * program's rank and the number of ranks.
 *
 * Like an MPI library, each rank shares its whole address space once, hands out the id (here
 * through files), and from then on uses the others' memory at their addresses.  It leaves with 3
 * where there is no XPMEM.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xpmem.h>

#define NO_XPMEM 3
#define ITEMS 10000
#define RANKS_MAX 64

struct card {
	xpmem_segid_t segid;
	uintptr_t items;
};

static const char *dir;
static int rank, size;

static void need(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "rank %d: %s: %s\n", rank, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void name(char path[4096], const char *kind, int of)
{
	snprintf(path, 4096, "%s/%s.%d", dir, kind, of);
}

static void publish(const char *kind, const void *data, size_t len)
{
	char hidden[4096], path[4096];
	FILE *f;

	name(hidden, "hidden", rank);
	name(path, kind, rank);
	f = fopen(hidden, "w");
	need(f && fwrite(data, len, 1, f) == 1 && fclose(f) == 0, hidden);
	need(rename(hidden, path) == 0, path);
}

static void learn(const char *kind, int of, void *data, size_t len)
{
	char path[4096];
	FILE *f;

	name(path, kind, of);
	for (int left = 30000; !(f = fopen(path, "r")); left--) {
		need(left > 0, path);
		usleep(1000);
	}
	need(fread(data, len, 1, f) == 1, path);
	fclose(f);
}

static void barrier(const char *kind)
{
	char c = 0;

	publish(kind, &c, 1);
	for (int i = 0; i < size; i++)
		learn(kind, i, &c, 1);
}

static void *attach(xpmem_apid_t apid, uintptr_t at, size_t len)
{
	uintptr_t page = at & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);
	struct xpmem_addr addr = { .apid = apid, .offset = (off_t)page };
	void *p = xpmem_attach(addr, len + (at - page), NULL);

	need(p != (void *)-1, "xpmem_attach");
	return (char *)p + (at - page);
}

int main(int argc, char **argv)
{
	struct card mine, theirs;
	xpmem_apid_t apid[RANKS_MAX];
	long *items, sum = 0;

	if (argc != 4)
		return EXIT_FAILURE;
	dir = argv[1];
	rank = atoi(argv[2]);
	size = atoi(argv[3]);
	if (xpmem_version() < 0 || xpmem_init()) {
		fprintf(stderr, "rank %d: no XPMEM: %s\n", rank, strerror(errno));
		return NO_XPMEM;
	}
	items = calloc(ITEMS, sizeof(*items));
	need(items != NULL, "calloc");

	mine.segid = xpmem_make(0, XPMEM_MAXADDR_SIZE, XPMEM_PERMIT_MODE, (void *)0600);
	need(mine.segid != -1, "xpmem_make");
	mine.items = (uintptr_t)items;
	publish("card", &mine, sizeof(mine));

	/* Everybody writes a part of everybody's items, each its own one. */
	for (int i = 0; i < size; i++) {
		long *there;

		learn("card", i, &theirs, sizeof(theirs));
		apid[i] = xpmem_get(theirs.segid, XPMEM_RDWR, XPMEM_PERMIT_MODE, NULL);
		need(apid[i] != -1, "xpmem_get");
		there = attach(apid[i], theirs.items, ITEMS * sizeof(*items));
		for (int k = rank; k < ITEMS; k += size)
			there[k] = 1000L * rank + i;
		need(xpmem_detach((void *)((uintptr_t)there & ~4095UL)) == 0, "xpmem_detach");
	}
	barrier("written");
	for (int k = 0; k < ITEMS; k++)
		sum += items[k] != 1000L * (k % size) + rank;
	need(sum == 0, "what the others wrote");

	for (int i = 0; i < size; i++)
		need(xpmem_release(apid[i]) == 0, "xpmem_release");
	barrier("released");
	need(xpmem_remove(mine.segid) == 0, "xpmem_remove");
	free(items);
	printf("rank %d of %d: done\n", rank, size);
	return EXIT_SUCCESS;
}
