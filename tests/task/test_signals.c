/*
 * test_signals.c - pip_kill(), pip_sigmask(), pip_signal_wait(); what signals do to root and tasks.
 */
#include <errno.h>

#include "root.h"
#include "../prog/api.h"
#include "../prog/sig.h"

static void block(int signum)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signum);
	check_int(pip_sigmask(SIG_BLOCK, &set, NULL), 0);
}

/* ---- The functions ---- */

static void not_initialized(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check_int(pip_kill(0, 0), EPERM);
	check_int(pip_kill(PIP_PIPID_ANY, -1), EPERM);
	check_int(pip_sigmask(SIG_BLOCK, &set, NULL), EPERM);
	check_int(sigprocmask(SIG_BLOCK, NULL, &old), 0);
	check_int(sigismember(&old, SIGUSR1), 0);
	check_int(pip_signal_wait(SIGUSR1), EPERM);
}

static void kill_errors(void)
{
	struct gate gate = { 0 };

	root_init(3);
	check_int(pip_kill(PIP_PIPID_ANY, 0), EINVAL);
	check_int(pip_kill(PIP_PIPID_NULL, 0), EINVAL);
	check_int(pip_kill(-1, 0), ERANGE);
	check_int(pip_kill(-123, SIGTERM), ERANGE);
	check_int(pip_kill(3, 0), ERANGE);
	check_int(pip_kill(100000, 0), ERANGE);
	check_int(pip_kill(0, 0), ESRCH);
	check_int(pip_kill(2, SIGKILL), ESRCH);
	check_int(pip_kill(PIP_PIPID_ROOT, 0), 0);
	check_int(pip_kill(PIP_PIPID_MYSELF, 0), 0);
	check_int(pip_kill(PIP_PIPID_ROOT, -1), EINVAL);
	check_int(pip_kill(PIP_PIPID_ROOT, NSIG), EINVAL);

	task_func(PROG("api"), "api_wait_gate", &gate);
	check_int(pip_kill(0, 0), 0);
	check_int(pip_kill(0, -1), EINVAL);
	check_int(pip_kill(0, NSIG), EINVAL);
	check_int(pip_kill(0, 100000), EINVAL);
	gate.open = 1;
	task_exits(0, 0);
	check_int(pip_kill(0, 0), ESRCH);
	check_int(pip_kill(0, SIGKILL), ESRCH);
	root_fin();
}

static void sigmask_errors(void)
{
	sigset_t set, old;

	root_init(1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check_int(pip_sigmask(12345, &set, NULL), EINVAL);
	check_int(pip_sigmask(SIG_BLOCK, &set, &old), 0);
	check_int(sigismember(&old, SIGUSR1), 0);
	check_int(sigismember(&old, SIGCHLD), 1);
	check_int(pip_sigmask(SIG_BLOCK, NULL, &old), 0);
	check_int(sigismember(&old, SIGUSR1), 1);
	check_int(pip_kill(PIP_PIPID_ROOT, SIGUSR1), 0);
	check_int(pip_signal_wait(SIGUSR1), 0);
	check_int(pip_signal_wait(-1), EINVAL);
	check_int(pip_signal_wait(NSIG), EINVAL);
	check_int(pip_sigmask(SIG_UNBLOCK, &set, NULL), 0);
	check_int(pip_sigmask(SIG_BLOCK, NULL, &old), 0);
	check_int(sigismember(&old, SIGUSR1), 0);
	root_fin();
}

static void in_task(void)
{
	root_init(2);
	task_exits(task_func(PROG("sig"), "sig_errors", NULL), 0);
	root_fin();
}

/* Round and round: root, task 0, task 1, root. */
static void relay_by(const char *function)
{
	enum {
		ROUNDS = 500
	};
	struct relay r[2] = {
		{ .to = 1, .rounds = ROUNDS, .taken = SIGUSR1, .sent = SIGUSR2 },
		{ .to = PIP_PIPID_ROOT, .rounds = ROUNDS, .taken = SIGUSR2, .sent = SIGUSR1 },
	};

	root_init(2);
	block(SIGUSR1);
	for (int i = 0; i < 2; i++)
		check_int(task_func(PROG("sig"), function, &r[i]), i);
	check(retry(r[0].ready && r[1].ready));
	for (int i = 0; i < ROUNDS; i++) {
		check_int(pip_kill(0, SIGUSR1), 0);
		check_int(pip_signal_wait(SIGUSR1), 0);
	}
	task_exits(0, 0);
	task_exits(1, 0);
	root_fin();
}

static void relay(void)
{
	relay_by("sig_relay");
}

static void relay_sigwait(void)
{
	relay_by("sig_relay_sigwait");
}

static atomic_int root_handled;

static void root_handler(int signum)
{
	(void)signum;
	root_handled++;
}

/* Other signals' handlers do not end the wait. */
static void signal_wait_is_not_interrupted(void)
{
	struct sigaction sa = { .sa_handler = root_handler };
	pid_t sender, me = getpid();

	root_init(1);
	block(SIGUSR1);
	check_int(sigaction(SIGUSR2, &sa, NULL), 0);
	sender = fork();
	if (sender == 0) {
		for (int i = 0; i < 10; i++) {
			sleep_ms(20);
			kill(me, SIGUSR2);
		}
		sleep_ms(20);
		kill(me, SIGUSR1);
		_exit(0);
	}
	check_int(pip_signal_wait(SIGUSR1), 0);
	check_int(root_handled, 10);
	check_int(waitpid(sender, NULL, 0), sender);
	root_fin();
}

/* ---- What a signal does to a task ---- */

static const int exceptions[] = {
	SIGHUP,  SIGINT,    SIGQUIT,   SIGILL,  SIGTRAP, SIGBUS,  SIGFPE,
	SIGUSR1, SIGSEGV,   SIGUSR2,   SIGPIPE, SIGALRM, SIGTERM, SIGXCPU,
	SIGXFSZ, SIGVTALRM, SIGSTKFLT, SIGIO,   SIGPWR,
};

static void self_signaled(void)
{
	root_init(1);
	for (int i = 0; i < LENGTH(exceptions); i++)
		task_signaled(task_func(PROG("sig"), "sig_self", (void *)(intptr_t)exceptions[i]),
			      exceptions[i]);
	task_signaled(task_func(PROG("sig"), "sig_self", (void *)SIGKILL), SIGKILL);
	task_signaled(task_func(PROG("sig"), "sig_self", (void *)SIGABRT), SIGABRT);
	/* Those that nobody handles keep what the kernel does. */
	task_signaled(task_func(PROG("sig"), "sig_self", (void *)(intptr_t)SIGRTMIN), SIGRTMIN);
	task_exits(task_func(PROG("sig"), "sig_self", (void *)SIGURG), 0);
	task_exits(task_func(PROG("sig"), "sig_self", NULL), 0);
	root_fin();
}

/* pip_wait() says signaled; what the kernel has is an exit code equal to the signal's number. */
static void exit_code(void)
{
	const int some[] = { SIGTERM, SIGINT, SIGSEGV, SIGUSR1 };

	root_init(1);
	for (int i = 0; i < LENGTH(some); i++) {
		siginfo_t info = { 0 };

		task_func(PROG("sig"), "sig_self", (void *)(intptr_t)some[i]);
		check_int(waitid(P_PID, (id_t)task_pid(0), &info, WEXITED | WNOWAIT), 0);
		check_int(info.si_code, CLD_EXITED);
		check_int(info.si_status, some[i]);
		task_signaled(0, some[i]);
	}
	root_fin();
}

/* stdio is flushed and the exit handlers run. */
static void orderly(void)
{
	const int some[] = { SIGTERM, SIGHUP, SIGUSR2 };

	root_init(1);
	for (int i = 0; i < LENGTH(some); i++) {
		struct capture c;
		char *text;

		capture_begin(&c, STDOUT_FILENO);
		task_signaled(task_func(PROG("sig"), "sig_orderly", (void *)(intptr_t)some[i]),
			      some[i]);
		text = capture_end(&c);
		check_str(text, "buffered\nin the buffer\natexit\n");
		free(text);
	}
	root_fin();
}

static void message_body(void *arg)
{
	root_init(2);
	check_int(task_main(arg, "return", "5", NULL), 0);
	task_exits(0, 5);
	check_int(task_main(arg, "raise", "15", NULL), 1);
	task_signaled(1, SIGTERM);
	task_signaled(task_main(arg, "segv", NULL), SIGSEGV);
	root_fin();
}

static void message_from(const char *path)
{
	struct outcome o;

	scenario_run(&o, message_body, (void *)path);
	scenario_exited(&o, 0);
	scenario_said(&o,
		      "^PiP-ERR\\[[0-9]+\\(T1\\):T1\\] Exception signal: Terminated \\(15\\) !!$");
	scenario_said(&o, "^PiP-ERR\\[[0-9]+\\(T0\\):T0\\] Exception signal: Segmentation fault "
			  "\\(11\\) !!$");
	scenario_free(&o);
}

static void message(void **state)
{
	(void)state;
	message_from(PROG("plain-pip"));
}

/* A program without libpip dies of its signals as in any process, and says so if that is a
 * mistake of its own. */
static void plain_program(void)
{
	struct capture c;
	char *said;

	root_init(1);
	capture_begin(&c, STDERR_FILENO);
	task_signaled(task_main(PROG("plain"), "raise", "15", NULL), SIGTERM);
	said = capture_end(&c);
	check_str(said, "");
	free(said);
	capture_begin(&c, STDERR_FILENO);
	task_signaled(task_main(PROG("plain"), "raise", "11", NULL), SIGSEGV);
	said = capture_end(&c);
	check_match(said,
		    "^PiP-ERR\\[[0-9]+\\(T0\\):T0\\] task 0 \\(PID [0-9]+, .*/plain\\): SIGSEGV ");
	free(said);
	root_fin();
}

/* What the root ignores or handles is not a PiP program's affair. */
static void roots_dispositions(void)
{
	const char *path = PROG("plain-pip");
	struct sigaction sa = { .sa_handler = root_handler };

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	root_init(1);
	signal(SIGTERM, SIG_IGN);
	check_int(sigaction(SIGUSR1, &sa, NULL), 0);
	task_signaled(task_main(path, "raise", "10", NULL), SIGUSR1);
	check_int(root_handled, 0);
	task_signaled(task_main(path, "raise", "2", NULL), SIGINT);
	task_signaled(task_main(path, "raise", "1", NULL), SIGHUP);
	task_signaled(task_main(path, "raise", "15", NULL), SIGTERM);
	check_int(root_handled, 0);
	/* And the root has kept its own. */
	raise(SIGTERM);
	raise(SIGUSR1);
	check_int(root_handled, 1);
	root_fin();
}

/* Any other program goes on ignoring what is ignored, and only that, as after execve(). */
static void roots_dispositions_and_plain_program(void)
{
	struct sigaction sa = { .sa_handler = root_handler };

	signal(SIGINT, SIG_IGN);
	root_init(1);
	signal(SIGTERM, SIG_IGN);
	check_int(sigaction(SIGUSR1, &sa, NULL), 0);
	task_signaled(task_main(PROG("plain"), "raise", "10", NULL), SIGUSR1);
	task_exits(task_main(PROG("plain"), "raise", "2", NULL), 113);
	task_exits(task_main(PROG("plain"), "raise", "15", NULL), 113);
	check_int(root_handled, 0);
	root_fin();
}

static void tasks_handlers(void)
{
	struct caught c = { 0 };

	root_init(1);
	task_func(PROG("sig"), "sig_handler", &c);
	check(retry(c.here));
	for (int i = 1; i <= 20; i++) {
		check_int(pip_kill(0, i % 2 ? SIGUSR1 : SIGTERM), 0);
		check(retry(c.count == i));
		check_int(c.pid, task_getpid(0));
	}
	c.leave = 1;
	task_exits(0, 0);
	root_fin();
}

static void tasks_masks(void)
{
	struct caught c = { 0 };

	root_init(1);
	task_func(PROG("sig"), "sig_ignore", &c);
	check(retry(c.here));
	check_int(pip_kill(0, SIGTERM), 0);
	check_int(pip_kill(0, SIGUSR2), 0);
	sleep_ms(50);
	check_int(pip_trywait(0, NULL), ECHILD);
	c.leave = 1;
	task_exits(0, 0);
	root_fin();
}

/* A task that a signal ends is the only one that ends. */
static void siblings_go_on(void)
{
	const char *const ends[] = { "segv", "abort", "overflow", "fpe", "ill", "segv-thread" };
	struct gate gate = { 0 };

	root_init(4);
	task_func(PROG("api"), "api_wait_gate", &gate);
	task_func(PROG("api"), "api_wait_gate", &gate);
	for (int i = 0; i < LENGTH(ends); i++) {
		int pipid = task_main(PROG("plain"), ends[i], NULL);

		check(WIFSIGNALED(task_collect(pipid)));
	}
	gate.open = 1;
	task_exits(0, 0);
	task_exits(1, 0);
	root_fin();
}

/* SIGCHLD is blocked in the root only; of its other signals a task blocks none by itself. */
static void tasks_start_mask(void)
{
	char *argv[] = { PROG("plain"), "status", "SigBlk", "SigIgn", NULL }, *text;
	char *exec[] = { PROG("plain"), "exec", argv[0], argv[1], argv[2], argv[3], NULL };

	root_init(1);
	text = task_output(argv, NULL);
	check_str(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	free(text);
	text = task_output(exec, NULL);
	check_str(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	free(text);
	root_fin();
}

static void no_sigchld_in_root(void)
{
	struct sigaction sa = { .sa_handler = root_handler };

	root_init(4);
	check_int(sigaction(SIGCHLD, &sa, NULL), 0);
	for (int i = 0; i < 4; i++)
		task_main(PROG("plain"), "return", "5", NULL);
	for (int i = 0; i < 4; i++)
		task_exits(i, 5);
	check_int(root_handled, 0);
	root_fin();
}

/* ---- What a signal does to the root ---- */

static void at_exit(void)
{
	check_int(write(STDOUT_FILENO, "atexit\n", 7), 7);
}

struct hit {
	int signum, tasks;
};

static void root_hit_body(void *arg)
{
	const struct hit *hit = arg;

	root_init(4);
	for (int i = 0; i < hit->tasks; i++)
		task_main(PROG("plain"), "pause", NULL);
	atexit(at_exit);
	printf("in the buffer\n");
	raise(hit->signum);
	check_failed(__FILE__, __LINE__, "still alive");
}

/* An orderly exit, with the signal's number as exit code; live tasks are killed as by exit(). */
static void root_hit(void **state)
{
	static const struct hit hits[] = {
		{ SIGTERM, 0 }, { SIGTERM, 3 }, { SIGINT, 2 }, { SIGSEGV, 2 }, { SIGHUP, 0 },
	};

	(void)state;
	for (int i = 0; i < LENGTH(hits); i++) {
		struct outcome o;
		char *said;

		scenario_run(&o, root_hit_body, (void *)&hits[i]);
		scenario_exited(&o, hits[i].signum);
		scenario_left_nothing(&o);
		assert_true(asprintf(&said,
				     "^PiP-ERR\\[[0-9]+\\(R\\):R\\] Exception signal: %s "
				     "\\(%d\\) !!$",
				     strsignal(hits[i].signum), hits[i].signum) > 0);
		scenario_said(&o, said);
		free(said);
		if (strcmp(o.out, "in the buffer\natexit\n") != 0)
			scenario_fail(&o, "not an orderly exit");
		scenario_free(&o);
	}
}

/* Handlers from before pip_init() give way. */
static void handlers_before_init_body(void *arg)
{
	const int signums[] = { SIGTERM, SIGUSR1, SIGABRT };
	struct sigaction sa = { .sa_handler = root_handler }, now;

	(void)arg;
	for (int i = 0; i < LENGTH(signums); i++)
		check_int(sigaction(signums[i], &sa, NULL), 0);
	root_init(1);
	for (int i = 0; i < LENGTH(signums); i++) {
		check_int(sigaction(signums[i], NULL, &now), 0);
		check(now.sa_handler != root_handler && now.sa_handler != SIG_DFL);
		check(now.sa_flags & SA_RESTART);
	}
	raise(SIGTERM);
	check_failed(__FILE__, __LINE__, "still alive");
}

static void handlers_before_init(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, handlers_before_init_body, NULL);
	scenario_exited(&o, SIGTERM);
	scenario_said(&o, "^PiP-ERR\\[[0-9]+\\(R\\):R\\] Exception signal: Terminated");
	scenario_free(&o);
}

/* SIGABRT takes the tasks along, and the root dies of it. */
static void root_abort_body(void *arg)
{
	const struct hit *hit = arg;

	root_init(4);
	for (int i = 0; i < hit->tasks; i++)
		task_main(PROG("plain"), "pause", NULL);
	switch (hit->signum) {
	case 0:
		pip_abort();
	case 1:
		abort();
	default:
		raise(SIGABRT);
	}
	check_failed(__FILE__, __LINE__, "still alive");
}

static void root_abort(void **state)
{
	static const struct hit hits[] = {
		{ 0, 0 }, { 0, 4 }, { 1, 0 }, { 1, 4 }, { 2, 0 }, { 2, 4 },
	};

	(void)state;
	for (int i = 0; i < LENGTH(hits); i++) {
		struct outcome o;

		scenario_run(&o, root_abort_body, (void *)&hits[i]);
		scenario_signaled(&o, SIGABRT);
		scenario_left_nothing(&o);
		scenario_free(&o);
	}
}

static void abort_uninitialized_body(void *arg)
{
	if (arg) {
		root_init(1);
		root_fin();
	}
	pip_abort();
}

static void abort_uninitialized(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, abort_uninitialized_body, NULL);
	scenario_signaled(&o, SIGABRT);
	scenario_free(&o);
	scenario_run(&o, abort_uninitialized_body, (void *)1);
	scenario_signaled(&o, SIGABRT);
	scenario_free(&o);
}

/* pip_abort() in a task ends everything; what ended before was reported as it was. */
static void abort_from_task_body(void *arg)
{
	int callers = (int)(intptr_t)arg;
	struct caught c = { 0 };

	root_init(8);
	task_exits(task_main(PROG("plain"), "return", "0", NULL), 0);
	for (int i = 0; i < 4; i++)
		task_main(PROG("plain"), "pause", NULL);
	for (int i = 0; i < callers; i++)
		task_func(PROG("sig"), "sig_abort_when", &c);
	check(retry(c.here == callers));
	c.leave = 1;
	for (;;)
		pip_wait_any(NULL, NULL);
}

static void abort_from_task(void **state)
{
	(void)state;
	for (intptr_t callers = 1; callers <= 4; callers += 3) {
		struct outcome o;

		scenario_run(&o, abort_from_task_body, (void *)callers);
		scenario_signaled(&o, SIGABRT);
		scenario_left_nothing(&o);
		scenario_free(&o);
	}
}

/* A task's own abort() is its own end, whatever handler the root has. */
static void abort_in_task(void)
{
	struct gate gate = { 0 };

	root_init(3);
	task_func(PROG("api"), "api_wait_gate", &gate);
	task_signaled(task_main(PROG("plain"), "abort", NULL), SIGABRT);
	task_signaled(task_main(PROG("plain"), "raise", "6", NULL), SIGABRT);
	gate.open = 1;
	task_exits(0, 0);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(not_initialized),
	CASE(kill_errors),
	CASE(sigmask_errors),
	CASE(in_task),
	CASE(relay),
	CASE(relay_sigwait),
	CASE(signal_wait_is_not_interrupted),
	CASE(self_signaled),
	CASE_PROCESS(exit_code),
	CASE(orderly),
	cmocka_unit_test(message),
	CASE(plain_program),
	CASE_PROCESS(roots_dispositions),
	CASE_PROCESS(roots_dispositions_and_plain_program),
	CASE(tasks_handlers),
	CASE(tasks_masks),
	CASE(siblings_go_on),
	CASE(tasks_start_mask),
	CASE(no_sigchld_in_root),
	cmocka_unit_test(root_hit),
	cmocka_unit_test(handlers_before_init),
	cmocka_unit_test(root_abort),
	cmocka_unit_test(abort_uninitialized),
	cmocka_unit_test(abort_from_task),
	CASE(abort_in_task),
};

TEST_MAIN(tests)
