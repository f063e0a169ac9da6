/* openmp.c - a program that computes in parallel. */
#include <omp.h>

#include "prog.h"

int main(void)
{
	long sum = 0;
	int threads = 0;

	omp_set_num_threads(4);
	for (int round = 0; round < 20; round++) {
#pragma omp parallel reduction(+ : sum)
		{
#pragma omp single
			threads = omp_get_num_threads();
#pragma omp for
			for (int i = 1; i <= 10000; i++)
				sum += i;
		}
	}
	EXPECT_INT(threads, 4);
	EXPECT_INT(sum, 20 * 50005000L);
	return 5;
}
