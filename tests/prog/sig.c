/* sig.c - tasks that send and take signals; sig.h has their arguments. */
#include <errno.h>
#include <string.h>

#include "prog.h"
#include "sig.h"

static void block(int signum)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signum);
	EXPECT_INT(pip_sigmask(SIG_BLOCK, &set, NULL), 0);
}

/* Takes a signal and passes one on, again and again. */
START(sig_relay)
{
	struct relay *r = arg;

	block(r->taken);
	r->ready = 1;
	for (int i = 0; i < r->rounds; i++) {
		EXPECT_INT(pip_signal_wait(r->taken), 0);
		EXPECT_INT(pip_kill(r->to, r->sent), 0);
	}
	return 0;
}

/* The same with sigwait(). */
START(sig_relay_sigwait)
{
	struct relay *r = arg;
	sigset_t set;

	block(r->taken);
	sigemptyset(&set);
	sigaddset(&set, r->taken);
	r->ready = 1;
	for (int i = 0; i < r->rounds; i++) {
		int signum = 0;

		EXPECT_INT(sigwait(&set, &signum), 0);
		EXPECT_INT(signum, r->taken);
		EXPECT_INT(pip_kill(r->to, r->sent), 0);
	}
	return 0;
}

static struct caught *caught;

static void handler(int signum)
{
	(void)signum;
	caught->count++;
	caught->pid = getpid();
}

/* Programs install handlers as ever. */
START(sig_handler)
{
	struct sigaction sa = { .sa_handler = handler };

	caught = arg;
	EXPECT_INT(sigaction(SIGUSR1, &sa, NULL), 0);
	EXPECT_INT(sigaction(SIGTERM, &sa, NULL), 0);
	caught->here = 1;
	WAIT_FOR(caught->leave);
	return 0;
}

/* And ignore and block them. */
START(sig_ignore)
{
	caught = arg;
	signal(SIGTERM, SIG_IGN);
	block(SIGUSR2);
	caught->here = 1;
	WAIT_FOR(caught->leave);
	return 0;
}

START(sig_errors)
{
	sigset_t set, old;
	int me;

	(void)arg;
	EXPECT_INT(pip_get_pipid(&me), 0);
	EXPECT_INT(pip_kill(PIP_PIPID_ANY, 0), EINVAL);
	EXPECT_INT(pip_kill(PIP_PIPID_NULL, 0), EINVAL);
	EXPECT_INT(pip_kill(-1, 0), ERANGE);
	EXPECT_INT(pip_kill(100000, 0), ERANGE);
	EXPECT_INT(pip_kill(me, 0), 0);
	EXPECT_INT(pip_kill(PIP_PIPID_MYSELF, 0), 0);
	EXPECT_INT(pip_kill(PIP_PIPID_ROOT, 0), 0);
	EXPECT_INT(pip_kill(me, -1), EINVAL);
	EXPECT_INT(pip_kill(me, NSIG), EINVAL);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	EXPECT_INT(pip_sigmask(12345, &set, NULL), EINVAL);
	EXPECT_INT(pip_sigmask(SIG_BLOCK, &set, &old), 0);
	EXPECT_INT(sigismember(&old, SIGUSR2), 0);
	EXPECT_INT(pip_sigmask(SIG_BLOCK, NULL, &old), 0);
	EXPECT_INT(sigismember(&old, SIGUSR2), 1);
	EXPECT_INT(pip_kill(PIP_PIPID_MYSELF, SIGUSR2), 0);
	EXPECT_INT(pip_signal_wait(SIGUSR2), 0);
	EXPECT_INT(pip_sigmask(SIG_UNBLOCK, &set, &old), 0);
	EXPECT_INT(pip_sigmask(SIG_SETMASK, NULL, &old), 0);
	EXPECT_INT(sigismember(&old, SIGUSR2), 0);
	EXPECT_INT(pip_signal_wait(-1), EINVAL);
	EXPECT_INT(pip_signal_wait(NSIG), EINVAL);
	return 0;
}

/* Ends itself with the signal that it is given. */
START(sig_self)
{
	EXPECT_INT(pip_kill(PIP_PIPID_MYSELF, (int)(intptr_t)arg), 0);
	return 0;
}

static void say(const char *text)
{
	EXPECT_INT(write(STDOUT_FILENO, text, strlen(text)), strlen(text));
}

static void at_exit(void)
{
	say("atexit\n");
}

/* An end by a signal is an orderly one. */
START(sig_orderly)
{
	printf("buffered\n");
	fflush(stdout);
	printf("in the buffer\n");
	atexit(at_exit);
	EXPECT_INT(pip_kill(PIP_PIPID_MYSELF, (int)(intptr_t)arg), 0);
	say("not reached\n");
	return 0;
}

START(sig_abort_all)
{
	(void)arg;
	pip_abort();
}

/* Ends everything as soon as it is told to. */
START(sig_abort_when)
{
	struct caught *c = arg;

	c->here++;
	WAIT_FOR(c->leave);
	pip_abort();
}

int main(void)
{
	return EXPECT_FAILED;
}
