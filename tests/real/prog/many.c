/*
 * many.c - a program with many libraries, and each of these libraries; built by test_loading.sh.
 *
 *	-DN=5 -DBEFORE=4	library 5, with a constructor, thread-local storage and a function
 *				value_5(), which calls the one of library 4
 *	otherwise		the program; many.list has a line LIBRARY(n) for each of them
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef N

#define NAME(n) NAME_(n)
#define NAME_(n) value_##n

extern int constructors; /* of the program's */
int NAME(N)(int depth);
int NAME(BEFORE)(int depth) __attribute__((weak)); /* it is not linked with that library */

static _Thread_local int own = N;
static char *block;

__attribute__((constructor)) static void begin(void)
{
	constructors++;
	block = malloc(1000 + N);
	block[N] = N;
}

int NAME(N)(int depth)
{
	own += block[N];
	return depth ? own + NAME(BEFORE)(depth - 1) : own;
}

#else

int constructors;

#define LIBRARY(n) int value_##n(int depth);
#include "many.list"
#undef LIBRARY

static void *sum(void *arg)
{
	long s = 0;

#define LIBRARY(n) s += value_##n(3);
#include "many.list"
#undef LIBRARY
	printf("%s: %ld\n", (char *)arg, s);
	return NULL;
}

int main(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, sum, "thread"))
		return 1;
	pthread_join(id, NULL);
	sum("main");
	printf("%d constructors\n", constructors);
	return 0;
}

#endif
