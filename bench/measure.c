/* measure.c - what the benchmarks share; see measure.h. */
#include "measure.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Noreturn void fail(const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		err ? strerror(err) : "unexpected result");
	exit(EXIT_FAILURE);
}

double now_us(void)
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

double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		fail("calloc", ENOMEM);
	return p;
}

char *text(const char *format, ...)
{
	va_list args;
	char *buf;
	int len;

	va_start(args, format);
	len = vasprintf(&buf, format, args);
	va_end(args);
	if (len < 0)
		fail("vasprintf", ENOMEM);
	return buf;
}

char *program(const char *name)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		fail("/proc/self/exe", errno);
	self[len] = '\0';
	return text("%s/prog/%s", dirname(self), name);
}

int number(void (*usage)(void), const char *arg, int min, int max)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (end == arg || *end != '\0' || value < min || value > max)
		usage();
	return (int)value;
}
