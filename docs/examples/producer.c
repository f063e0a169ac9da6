/*
 * producer.c - makes a long series of numbers and lets the analyser work on it where it is.
 *
 *     couple                               starts this program and the analyser
 *     pip-exec ./producer : ./analyser     so does this
 *
 * Publishing 64 MiB means publishing one pointer.  See analyser.c for the other side.
 */
#include "example.h"
#include "series.h"

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 8UL << 20;
	double *value = malloc(count * sizeof(*value));
	static struct series series;

	check(value ? 0 : ENOMEM, "malloc");
	for (size_t i = 0; i < count; i++)
		value[i] = (double)i;

	series.value = value;
	series.count = count;
	/* 0: not for other address spaces.  The analyser is another process, but not another
	 * space. */
	check(sem_init(&series.answered, 0, 0) ? errno : 0, "sem_init");
	check(pip_named_export(&series, SERIES), "pip_named_export");
	printf("producer (pid %d): %zu numbers at %p\n", (int)getpid(), count, (void *)value);
	fflush(stdout);

	/* All this must stay until the analyser is done with it. */
	while (sem_wait(&series.answered))
		;
	printf("producer (pid %d): the analyser left the sum %.0f at %p\n", (int)getpid(),
	       series.sum, (void *)&series.sum);
	sem_destroy(&series.answered);
	free(value);
	return series.sum == (double)count * ((double)count - 1) / 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
