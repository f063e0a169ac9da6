/*
 * analyser.c - adds up the producer's numbers in the producer's memory.
 *
 * Another program than producer.c, in another process; it needs nothing but the pointer.  It puts
 * its answer into the producer's memory as well.
 */
#include "example.h"
#include "series.h"

int main(void)
{
	struct series *series;
	void *exported;
	double sum = 0;

	/* This waits until the producer has exported it. */
	check(pip_named_import(PRODUCER, &exported, SERIES), "pip_named_import");
	series = exported;

	for (size_t i = 0; i < series->count; i++)
		sum += series->value[i];
	printf("analyser (pid %d): the %zu numbers at %p make %.0f; %zu bytes were not copied\n",
	       (int)getpid(), series->count, (const void *)series->value, sum,
	       series->count * sizeof(*series->value));

	series->sum = sum;
	sem_post(&series->answered); /* from here on the producer's memory may go */
	return EXIT_SUCCESS;
}
