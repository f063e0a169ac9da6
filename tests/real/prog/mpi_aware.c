/*
 * mpi_aware.c - ranks that know of both MPI and PiP: their PIPIDs, names, a barrier of all.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include <pip/pip.h>

static int rank;

static void check(int err, const char *what)
{
	if (err) {
		fprintf(stderr, "rank %d: %s: error %d\n", rank, what, err);
		MPI_Abort(MPI_COMM_WORLD, 1);
	}
}

static long mine;
static pip_barrier_t barrier;

int main(int argc, char **argv)
{
	int pipid = -1, ntasks = 0, size, seen = 0, *ids;
	void *theirs, *everybody;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	check(pip_init(&pipid, &ntasks, NULL, 0), "pip_init");
	if (!pip_is_initialized() || !pip_isa_task() || ntasks < size)
		check(1, "no task, or of too few");
	ids = calloc((size_t)size, sizeof(*ids));
	MPI_Allgather(&pipid, 1, MPI_INT, ids, 1, MPI_INT, MPI_COMM_WORLD);

	/* In order of exec: which rank is first is up to the launcher, but none is left out. */
	for (int i = 0; i < size; i++)
		for (int k = 0; k < size; k++)
			seen += ids[k] == i;
	if (seen != size)
		check(seen, "the PIPIDs are not 0 to n - 1");

	if (rank == 0)
		check(pip_barrier_init(&barrier, size), "pip_barrier_init");
	mine = 500 + rank;
	check(pip_named_export(rank ? (void *)&mine : (void *)&barrier, "rank %d", rank),
	      "pip_named_export");
	check(pip_export(&mine), "pip_export");
	check(pip_named_import(ids[0], &everybody, "rank 0"), "pip_named_import");
	check(pip_barrier_wait(everybody), "pip_barrier_wait");
	for (int i = 0; i < size; i++) {
		check(pip_import(ids[i], &theirs), "pip_import");
		if (!theirs || *(long *)theirs != 500 + i)
			check(i + 1, "a wrong value behind pip_import()");
		if (i == 0)
			continue;
		check(pip_named_import(ids[i], &theirs, "rank %d", i), "pip_named_import");
		if (*(long *)theirs != 500 + i)
			check(i + 1, "a wrong value behind pip_named_import()");
	}
	check(pip_barrier_wait(everybody), "pip_barrier_wait");
	if (rank == 0)
		printf("%d ranks have met\n", size);
	check(pip_fin(), "pip_fin");
	free(ids);
	MPI_Finalize();
	return 0;
}
