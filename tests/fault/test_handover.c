/*
 * test_handover.c - a launcher, its embryo and its stand-in, each killed at every step of the
 * hand-over, or refused what it asks the kernel for: memory, a descriptor, a process.
 *
 * A step is a system call: the launcher runs under ptrace, and is started again and again, with
 * one of the three killed as it enters its first call after the fork, its second, and so on.
 * The launcher must find what it would find natively: a child that was killed or has ended
 * well, and another one if it starts another one.  A child whose launcher was killed must go on
 * to its end.  Nobody may be left waiting.
 *
 * In the suite only every eighth step is tried; with FAULT_ROUNDS all are, so many times.
 * HANDOVER_STEP is the one step to try.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "prog/handover.h"

#define PROCESSES 32
#define STEPS 800 /* more than there are */
#define PATIENCE 20

enum role {
	OTHER,
	LAUNCHER,
	EMBRYO,
	STANDIN
};

static const char *const role_name[] = { "others", "launcher", "embryo", "stand-in" };

struct process {
	pid_t pid;
	enum role role;
	bool known, held, ended;  /* by its parent's event; stopped before that */
	int calls, status, error; /* of the call it is just in, 0 = none of ours */
};

struct trial {
	enum role victim;
	int step;
	bool refuse; /* the call, and not kill */
	bool watching, hit;
	struct process process[PROCESSES];
	int n;
};

static struct process *find(struct trial *t, pid_t pid)
{
	for (int i = 0; i < t->n; i++)
		if (t->process[i].pid == pid && !t->process[i].ended)
			return &t->process[i];
	if (t->n == PROCESSES)
		fail_msg("too many processes");
	t->process[t->n] = (struct process){ .pid = pid };
	return &t->process[t->n++];
}

static struct process *find_role(struct trial *t, enum role role)
{
	for (int i = 0; i < t->n; i++)
		if (t->process[i].role == role)
			return &t->process[i];
	return NULL;
}

static void go_on(const struct process *p, int signum)
{
	/* It may have been killed meanwhile. */
	if (ptrace(PTRACE_SYSCALL, p->pid, NULL, (void *)(intptr_t)signum) && errno != ESRCH)
		fail_msg("PTRACE_SYSCALL: %s", strerror(errno));
}

static void saw_child(struct trial *t, const struct process *parent)
{
	unsigned long pid = 0;
	struct process *child;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid))
		return;
	child = find(t, (pid_t)pid);
	child->known = true;
	if (t->watching && parent->role == LAUNCHER && !find_role(t, EMBRYO))
		child->role = EMBRYO;
	else if (t->watching && parent->role == EMBRYO && !find_role(t, STANDIN))
		child->role = STANDIN;
	if (child->held)
		go_on(child, 0);
}

/* What the kernel says to such a call when there is none left; 0 = it asks for nothing. */
static int refusal(const struct __ptrace_syscall_info *info)
{
	uint64_t command = info->entry.args[1];

	switch (info->entry.nr) {
	case SYS_mmap:
	case SYS_madvise:
	case SYS_mprotect:
		return ENOMEM;
	case SYS_clone:
	case SYS_clone3:
		return EAGAIN;
	case SYS_openat:
	case SYS_memfd_create:
		return EMFILE;
	case SYS_fcntl:
		return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? EMFILE : 0;
	default:
		return 0;
	}
}

/* The number of the call that the process is about to make, or the result of the last one. */
static void set_call(pid_t pid, bool entry, long value)
{
#if defined(__x86_64__)
	size_t at = entry ? offsetof(struct user_regs_struct, orig_rax)
			  : offsetof(struct user_regs_struct, rax);

	assert_return_code(ptrace(PTRACE_POKEUSER, pid, (void *)at, (void *)value), errno);
#elif defined(__aarch64__)
	struct user_regs_struct regs;
	int nr = (int)value;
	struct iovec all = { &regs, sizeof(regs) }, number = { &nr, sizeof(nr) };

	if (entry) {
		assert_return_code(
			ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &number), errno);
		return;
	}
	assert_return_code(ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &all), errno);
	regs.regs[0] = (uint64_t)value;
	assert_return_code(ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &all), errno);
#endif
}

static void saw_entry(struct trial *t, struct process *p, const struct __ptrace_syscall_info *info)
{
	uint64_t nr = info->entry.nr;

	if (p->role == LAUNCHER && nr == SYS_close) {
		if ((int)info->entry.args[0] == HANDOVER_BEGIN)
			t->watching = true;
		else if ((int)info->entry.args[0] == HANDOVER_END)
			t->watching = false;
	}
	/* What the program's dynamic linker asks for is its own affair: it may die natively. */
	if (t->refuse && p->role == EMBRYO && nr == SYS_prctl && info->entry.args[0] == PR_SET_NAME)
		t->watching = false;
	/* There are too many of one kind, for one signal each. */
	if (!t->watching || p->role != t->victim || t->hit ||
	    (t->refuse ? !refusal(info) : nr == SYS_rt_sigaction) || ++p->calls < t->step)
		return;
	t->hit = true;
	if (t->refuse) {
		p->error = refusal(info);
		set_call(p->pid, true, -1);
	} else {
		kill(p->pid, SIGKILL);
	}
}

/* True if the process is killed here. */
static bool saw_call(struct trial *t, struct process *p)
{
	struct __ptrace_syscall_info info;
	bool before = t->hit;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, (void *)sizeof(info), &info) < 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		saw_entry(t, p, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->error) {
		set_call(p->pid, false, -p->error);
		p->error = 0;
	}
	return t->hit && !before && !t->refuse;
}

static void saw_stop(struct trial *t, struct process *p, int status)
{
	int signum = WSTOPSIG(status), event = status >> 16;

	if (signum == (SIGTRAP | 0x80)) {
		if (!saw_call(t, p))
			go_on(p, 0);
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		   event == PTRACE_EVENT_CLONE) {
		saw_child(t, p);
		go_on(p, 0);
	} else if (event) {
		go_on(p, 0);
	} else if (signum == SIGSTOP && !p->held && p->role != LAUNCHER) {
		p->held = true; /* a new one; its role comes with its parent's event */
		if (p->known)
			go_on(p, 0);
	} else {
		go_on(p, signum);
	}
}

static void too_long(int signum)
{
	(void)signum;
}

static void start(struct trial *t, const char *how)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	struct process *p;
	int status;
	pid_t pid = fork();

	assert_return_code(pid, errno);
	if (pid == 0) {
		setenv("LD_PRELOAD", PRELOAD, 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execl(HANDOVER, HANDOVER, how, "/bin/true", t->refuse ? "refused" : NULL, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_return_code(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options), errno);
	p = find(t, pid);
	p->known = p->held = true;
	p->role = LAUNCHER;
	go_on(p, 0);
}

static void end_all(struct trial *t)
{
	for (int i = 0; i < t->n; i++)
		if (!t->process[i].ended)
			kill(t->process[i].pid, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

static const char *what(const struct trial *t)
{
	return t->refuse ? "refused something" : "killed";
}

/* Until nobody is left. */
static void watch(struct trial *t, const char *how)
{
	int status;
	pid_t pid;

	alarm(PATIENCE);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct process *p = find(t, pid);

		if (WIFSTOPPED(status)) {
			saw_stop(t, p, status);
		} else {
			p->ended = true;
			p->status = status;
		}
	}
	alarm(0);
	if (errno == EINTR) {
		end_all(t);
		fail_msg("%s: somebody waits for ever, with the %s %s at step %d", how,
			 role_name[t->victim], what(t), t->step);
	}
}

/* False if the victim does not make that many calls. */
static bool trial(const char *how, enum role victim, bool refuse, int step)
{
	struct trial t = { .victim = victim, .step = step, .refuse = refuse };
	const struct process *launcher, *embryo;

	start(&t, how);
	watch(&t, how);
	launcher = find_role(&t, LAUNCHER);
	embryo = find_role(&t, EMBRYO);
	if (victim == LAUNCHER && t.hit && !refuse) {
		assert_int_equal(launcher->status, SIGKILL);
		if (embryo && embryo->status)
			fail_msg("%s: the child's status is %#x, with the launcher killed at step "
				 "%d",
				 how, (unsigned)embryo->status, step);
	} else if (launcher->status) {
		fail_msg("%s: the launcher's status is %#x, with the %s %s at step %d", how,
			 (unsigned)launcher->status, role_name[victim], what(&t), step);
	}
	return t.hit;
}

static void at_each_step(const char *how, enum role victim, bool refuse, int least)
{
	const char *more = getenv("FAULT_ROUNDS"), *only = getenv("HANDOVER_STEP");
	int rounds = more ? atoi(more) : 1, stride = more || refuse ? 1 : 8, step = 1;

	if (only) {
		trial(how, victim, refuse, atoi(only));
		return;
	}
	for (int i = 0; i < rounds; i++) {
		step = stride > 1 ? 1 + (int)(getpid() % stride) : 1;
		while (step < STEPS && trial(how, victim, refuse, step))
			step += stride;
		/* Else nothing was looked at. */
		assert_in_range(step - 1, least, STEPS - 1);
	}
	print_message("# %s: about %d steps of the %s\n", how, step - 1, role_name[victim]);
}

#define AT_EACH_STEP(how, victim, done, refuse, least)                                             \
	static void how##_##victim##_##done(void **state)                                          \
	{                                                                                          \
		(void)state;                                                                       \
		at_each_step(#how, victim, refuse, least);                                         \
	}

AT_EACH_STEP(fork, EMBRYO, killed, false, 60)
AT_EACH_STEP(fork, STANDIN, killed, false, 10)
AT_EACH_STEP(fork, LAUNCHER, killed, false, 10)
AT_EACH_STEP(vfork, EMBRYO, killed, false, 50)
AT_EACH_STEP(vfork, LAUNCHER, killed, false, 5)
AT_EACH_STEP(spawn, EMBRYO, killed, false, 50)
AT_EACH_STEP(spawn, LAUNCHER, killed, false, 5)
AT_EACH_STEP(exec, EMBRYO, killed, false, 60)
AT_EACH_STEP(first, EMBRYO, killed, false, 60)
AT_EACH_STEP(first, LAUNCHER, killed, false, 60)

/* A stand-in asks for nothing. */
AT_EACH_STEP(fork, EMBRYO, refused, true, 5)
AT_EACH_STEP(fork, LAUNCHER, refused, true, 1)
AT_EACH_STEP(vfork, EMBRYO, refused, true, 5)
AT_EACH_STEP(vfork, LAUNCHER, refused, true, 1)
AT_EACH_STEP(spawn, EMBRYO, refused, true, 5)
AT_EACH_STEP(spawn, LAUNCHER, refused, true, 1)
AT_EACH_STEP(exec, EMBRYO, refused, true, 5)
AT_EACH_STEP(first, EMBRYO, refused, true, 10)
AT_EACH_STEP(first, LAUNCHER, refused, true, 20)

int main(int argc, char **argv)
{
	const struct sigaction alarmed = { .sa_handler = too_long };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_EMBRYO_killed),     cmocka_unit_test(fork_STANDIN_killed),
		cmocka_unit_test(fork_LAUNCHER_killed),   cmocka_unit_test(vfork_EMBRYO_killed),
		cmocka_unit_test(vfork_LAUNCHER_killed),  cmocka_unit_test(spawn_EMBRYO_killed),
		cmocka_unit_test(spawn_LAUNCHER_killed),  cmocka_unit_test(exec_EMBRYO_killed),
		cmocka_unit_test(first_LAUNCHER_killed),  cmocka_unit_test(fork_EMBRYO_refused),
		cmocka_unit_test(fork_LAUNCHER_refused),  cmocka_unit_test(vfork_EMBRYO_refused),
		cmocka_unit_test(vfork_LAUNCHER_refused), cmocka_unit_test(spawn_EMBRYO_refused),
		cmocka_unit_test(spawn_LAUNCHER_refused), cmocka_unit_test(exec_EMBRYO_refused),
		cmocka_unit_test(first_LAUNCHER_refused), cmocka_unit_test(first_EMBRYO_killed),
		cmocka_unit_test(first_EMBRYO_refused),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	/* Whose parent is killed comes to us. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGALRM, &alarmed, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
