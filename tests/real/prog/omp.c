/* omp.c - OpenMP: threadprivate, copyin, reduction, tasks, ordered, nested, critical. */
#include <omp.h>
#include <stdio.h>

#define N 200000

static int private_counter = 100;
#pragma omp threadprivate(private_counter)

static long fib(int n)
{
	long a, b;

	if (n < 2)
		return n;
#pragma omp task shared(a) if (n > 12)
	a = fib(n - 1);
#pragma omp task shared(b) if (n > 12)
	b = fib(n - 2);
#pragma omp taskwait
	return a + b;
}

int main(void)
{
	static double v[N];
	int kept[4] = { 0 }, calls = 0, inner = 0;
	double sum = 0;
	long f = 0;

	omp_set_dynamic(0);
	omp_set_max_active_levels(2);
	omp_set_num_threads(4);

	private_counter = 7;
#pragma omp parallel copyin(private_counter)
	private_counter += omp_get_thread_num();
#pragma omp parallel
	kept[omp_get_thread_num()] = private_counter++;
	printf("threadprivate: %d %d %d %d, %d\n", kept[0], kept[1], kept[2], kept[3],
	       private_counter);

#pragma omp parallel for schedule(dynamic, 1000) reduction(+ : sum)
	for (int i = 0; i < N; i++) {
		v[i] = i;
		sum += v[i];
	}
	printf("reduction: %.0f\n", sum);

#pragma omp parallel for ordered
	for (int i = 0; i < 8; i++) {
#pragma omp ordered
		printf("ordered: %d\n", i);
	}
#pragma omp parallel
#pragma omp single
	f = fib(20);
	printf("tasks: %ld\n", f);

	for (int round = 0; round < 200; round++) {
#pragma omp parallel
#pragma omp critical
		calls++;
	}
#pragma omp parallel num_threads(2)
#pragma omp parallel num_threads(3)
#pragma omp atomic
	inner++;
	printf("regions: %d, nested: %d, max %d\n", calls, inner, omp_get_max_threads());
	return 4;
}
