/*
 * deep.c - stacks.
 *
 *	deep N	uses N MiB of the main stack
 *	deep	catches the overflow of a thread's stack, and of the main one, on a signal stack
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sigjmp_buf back;
static volatile int zero;

/* Not a tail call: the result is used, and the array lives on. */
static int dive(unsigned long kib)
{
	volatile char here[1000];

	here[0] = 1;
	here[999] = (char)zero;
	return kib ? dive(kib - 1) + here[999] : here[0];
}

static void on_overflow(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	siglongjmp(back, info->si_addr ? 2 : 1);
}

static void overflow(const char *who)
{
	stack_t stack = { .ss_size = 65536, .ss_sp = malloc(65536) };

	sigaltstack(&stack, NULL);
	for (int i = 0; i < 3; i++)
		if (sigsetjmp(back, 1) == 0)
			printf("%s %d\n", who, dive(1UL << 40));
		else
			printf("%s: caught\n", who);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
}

static void *thread(void *arg)
{
	overflow(arg);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	pthread_attr_t attr;
	void *low = NULL;
	size_t size = 0;
	pthread_t id;

	if (pthread_getattr_np(pthread_self(), &attr) ||
	    pthread_attr_getstack(&attr, &low, &size) || (char *)&attr < (char *)low ||
	    (char *)&attr >= (char *)low + size)
		puts("the stack is not where libc believes it to be");
	if (argc > 1) {
		printf("%s MiB: %d\n", argv[1], dive(strtoul(argv[1], NULL, 10) * 1024));
		return 0;
	}
	sigaction(SIGSEGV, &sa, NULL);
	overflow("main");
	if (pthread_create(&id, NULL, thread, "thread"))
		return 1;
	pthread_join(id, NULL);
	return 0;
}
