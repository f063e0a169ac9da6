/* tls.c - 1 MiB of thread-local storage, some of it with initial values, in all threads. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SIZE (1 << 20)

static _Thread_local char big[SIZE] = { [SIZE - 1] = 5 };
static _Thread_local _Alignas(4096) volatile int aligned = 77;
static _Thread_local char first[64] = "initial";

/* The compiler knows how it should be aligned, so it must not know what this is about. */
static unsigned long misalignment(volatile void *volatile at)
{
	return (uintptr_t)at % 4096;
}

static unsigned sum(void)
{
	unsigned s = 0;

	for (int i = 0; i < SIZE; i++)
		s += (unsigned char)big[i];
	return s;
}

static void *thread(void *arg)
{
	unsigned before = sum() + (unsigned)aligned + (unsigned)strlen(first);

	memset(big, (int)(intptr_t)arg, SIZE);
	return (void *)(before * 1000UL + (sum() >> 20) + misalignment(&aligned));
}

int main(void)
{
	pthread_t id[4];
	void *result;

	for (intptr_t i = 0; i < 4; i++)
		if (pthread_create(&id[i], NULL, thread, (void *)(i + 1)))
			return 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(id[i], &result);
		printf("thread %d: %lu\n", i, (unsigned long)(uintptr_t)result);
	}
	printf("main: %u %d %s %lu\n", sum(), aligned, first, misalignment(&aligned));
	return 0;
}
