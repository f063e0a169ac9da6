/*
 * mpi_pointers.c - an MPI program whose rank 0 reads every other rank's variable through a plain
 * pointer.
 *
 *     LD_PRELOAD=libpip-preload.so mpiexec -n 4 ./mpi_pointers
 *
 * Neither the program nor the MPI library nor mpiexec knows of PiP.  The ranks only tell each other
 * where their variables are; started in the ordinary way they are in different address spaces, and
 * the program says so.
 */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MARK 0x6d70695f706f696eUL

static struct {
	unsigned long mark;
	int value;
	int pid;
} mine; /* a global variable: every rank has one of its own */

/* Is anything at this address, in the address space of the caller? */
static int is_mapped(const void *at)
{
	uintptr_t page = (uintptr_t)at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	unsigned char resident;

	return mincore((void *)page, 1, &resident) == 0;
}

static int read_all(const long *where, int size)
{
	int sum = 0;

	if (!where)
		return EXIT_FAILURE;
	printf("rank 0 (pid %d) has its variable at %#lx = %d\n", mine.pid, where[0], mine.value);
	for (int rank = 1; rank < size; rank++) {
		const __typeof__(mine) *theirs = (void *)where[rank];

		if (!is_mapped(theirs) || theirs->mark != MARK) {
			printf("rank %d is in another address space: is LD_PRELOAD set?\n", rank);
			return EXIT_FAILURE;
		}
		printf("rank 0 (pid %d) reads rank %d's variable at %p = %d (pid %d)\n", mine.pid,
		       rank, (const void *)theirs, theirs->value, theirs->pid);
		sum += theirs->value;
	}
	printf("%d MPI processes in one address space: rank 0 has read %d variables by plain "
	       "pointers, without a message; their sum is %d\n",
	       size, size - 1, sum);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int rank, size, rc = EXIT_SUCCESS;
	long at = (long)&mine, *where;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	where = calloc((size_t)size, sizeof(*where));
	if (!where)
		MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);

	mine.mark = MARK;
	mine.value = 100 * rank;
	mine.pid = getpid();
	MPI_Gather(&at, 1, MPI_LONG, where, 1, MPI_LONG, 0, MPI_COMM_WORLD);
	if (rank == 0)
		rc = read_all(where, size);
	/* A rank's memory goes with it, so nobody leaves before rank 0 has read. */
	MPI_Barrier(MPI_COMM_WORLD);
	free(where);
	MPI_Finalize();
	return rc;
}
