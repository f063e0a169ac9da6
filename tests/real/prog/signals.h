/* signals.h - prints what a program has of signals: its actions, its mask, what is pending. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdio.h>

static inline void print_signals(void)
{
	sigset_t blocked, pending;
	struct sigaction sa;
	stack_t stack;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	sigpending(&pending);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			printf("signal %d: %s\n", sig,
			       sa.sa_handler == SIG_IGN ? "ignored" : "caught");
		if (sigismember(&blocked, sig) == 1)
			printf("signal %d: blocked\n", sig);
		if (sigismember(&pending, sig) == 1)
			printf("signal %d: pending\n", sig);
	}
	sigaltstack(NULL, &stack);
	printf("signal stack: %d\n", stack.ss_flags);
}

#endif
