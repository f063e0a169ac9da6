/*
 * mpi_job.c - what the ranks of test_mpi.sh do.  It knows of MPI only, and is built once for each
 * MPI library.
 *
 *	pointers	rank 0 reads and writes all ranks' variables through plain pointers, which
 *			is possible in one address space only
 *	work [BYTES]	messages of many kinds and sizes, with a checksum of what arrived
 *	stdin		rank 0 passes on what it reads
 *	who		arguments, directory and a few variables of the environment
 *	exit RANK CODE	all end in order, but one with this code
 *	abort RANK CODE	MPI_Abort()
 *	wait DIR	each writes its PID into DIR/RANK; they wait for a signal
 */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int rank, size;

static void fail(const char *what)
{
	printf("rank %d: %s\n", rank, what);
	fflush(stdout);
	MPI_Abort(MPI_COMM_WORLD, 99);
}

/* ---- pointers ------------------------------------------------------------------------------ */

static struct {
	volatile long value;
	pid_t pid;
} mine;

static int pointers(void)
{
	long at = (long)&mine, *all = calloc((size_t)size, sizeof(long));

	if (!all)
		fail("no memory");
	mine.value = 1000 + rank;
	mine.pid = getpid();
	MPI_Gather(&at, 1, MPI_LONG, all, 1, MPI_LONG, 0, MPI_COMM_WORLD);
	for (int i = 1; rank == 0 && i < size; i++) {
		__typeof__(mine) *theirs = (void *)all[i];

		for (int k = 0; k < i; k++)
			if (all[i] == all[k] || theirs->pid == ((__typeof__(mine) *)all[k])->pid)
				fail("two ranks share a variable or a PID");
		printf("rank 0 reads %ld of rank %d\n", theirs->value, i);
		theirs->value = 2000 + i;
	}
	MPI_Barrier(MPI_COMM_WORLD);
	if (rank && mine.value != 2000 + rank)
		fail("what rank 0 wrote has not arrived");
	free(all);
	return 0;
}

/* ---- work ---------------------------------------------------------------------------------- */

static uint64_t sum(const unsigned char *p, size_t n)
{
	uint64_t h = 14695981039346656037UL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211UL;
	return h;
}

static int work(size_t most)
{
	unsigned char *out = malloc(most), *in = malloc(most * (size_t)size);
	int next = (rank + 1) % size, before = (rank + size - 1) % size;
	unsigned long long h = 0, all;
	MPI_Win window;

	if (!out || !in)
		fail("no memory");
	for (size_t n = 1; n <= most; n *= 4) {
		for (size_t i = 0; i < n; i++)
			out[i] = (unsigned char)(i * 31 + (size_t)rank + n);
		MPI_Sendrecv(out, (int)n, MPI_BYTE, next, 1, in, (int)n, MPI_BYTE, before, 1,
			     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		h += sum(in, n);
		MPI_Allgather(out, (int)n, MPI_BYTE, in, (int)n, MPI_BYTE, MPI_COMM_WORLD);
		h += sum(in, n * (size_t)size);
		MPI_Bcast(in, (int)n, MPI_BYTE, size - 1, MPI_COMM_WORLD);
		h += sum(in, n);
	}
	MPI_Win_create(in, (MPI_Aint)most, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
	MPI_Win_fence(0, window);
	MPI_Put(out, (int)most, MPI_BYTE, next, 0, (int)most, MPI_BYTE, window);
	MPI_Win_fence(0, window);
	h += sum(in, most);
	MPI_Win_free(&window);
	MPI_Reduce(&h, &all, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
	if (rank == 0)
		printf("%d ranks, checksum %llx\n", size, all);
	free(out);
	free(in);
	return 0;
}

/* ---- What the launcher hands over ---------------------------------------------------------- */

static int pass_stdin(void)
{
	char line[4096];
	long lines = 0;

	while (rank == 0 && fgets(line, sizeof(line), stdin)) {
		lines++;
		fputs(line, stdout);
	}
	if (rank == 0)
		printf("%ld lines\n", lines);
	return 0;
}

static int who(int argc, char **argv)
{
	const char *value = getenv("MPI_JOB_VALUE");
	char dir[4096], line[8192];
	int n;

	n = snprintf(line, sizeof(line), "rank %d of %d in %s, MPI_JOB_VALUE=%s: %s", rank, size,
		     getcwd(dir, sizeof(dir)) ? dir : "?", value ? value : "(none)",
		     strrchr(argv[0], '/') + 1);
	for (int i = 1; i < argc; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s", argv[i]);
	line[n++] = '\n';
	/* In one piece: launchers mix what ranks write. */
	return write(STDOUT_FILENO, line, (size_t)n) != n;
}

/* ---- Ends ---------------------------------------------------------------------------------- */

static void wait_for_signal(const char *dir)
{
	char path[4096], temporary[4096 + 4];
	FILE *f;

	MPI_Barrier(MPI_COMM_WORLD);
	snprintf(path, sizeof(path), "%s/%d", dir, rank);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	f = fopen(temporary, "w");
	if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f) || rename(temporary, path))
		fail("cannot write the PID");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rc = 2;

	if (MPI_Init(&argc, &argv) != MPI_SUCCESS)
		return 3;
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	if (!strcmp(what, "pointers")) {
		rc = pointers();
	} else if (!strcmp(what, "work")) {
		rc = work(argc > 2 ? strtoul(argv[2], NULL, 0) : 1 << 18);
	} else if (!strcmp(what, "stdin")) {
		rc = pass_stdin();
	} else if (!strcmp(what, "who")) {
		rc = who(argc, argv);
	} else if (!strcmp(what, "exit") && argc > 3) {
		rc = rank == atoi(argv[2]) ? atoi(argv[3]) : 0;
		if (rc)
			printf("rank %d ends with %d\n", rank, rc);
	} else if (!strcmp(what, "wait") && argc > 2) {
		wait_for_signal(argv[2]);
	} else if (!strcmp(what, "abort") && argc > 3) {
		if (rank == atoi(argv[2]))
			MPI_Abort(MPI_COMM_WORLD, atoi(argv[3]));
		MPI_Barrier(MPI_COMM_WORLD);
	}
	MPI_Finalize();
	return rc;
}
