/* thread_once.c - makes libc's locks safe between programs.  Entry function: thread_once(). */
#include "thread_once.h"

#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/single_threaded.h>

static void *nothing(void *arg)
{
	return arg;
}

void thread_once(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (!__libc_single_threaded)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
	if (pthread_create(&thread, &attr, nothing, NULL) == 0)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
}
