/*
 * standin.c - an embryo and its stand-in.  Entry functions: standin_begin(), standin_syscall(),
 * standin_serve().
 */
#include "embryo/standin.h"

#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/stat.h"
#include "base/str.h"
#include "embryo/exec.h"
#include "embryo/fork.h"
#include "embryo/peer.h"
#include "embryo/procfs.h"

#define ALL_SIGNALS (~(kernel_sigset_t)0)
#define BIT(sig) (1UL << ((sig)-1))
#define SCHED_ATTR_SIZE 56 /* SCHED_ATTR_SIZE_VER1 */

static void set_action(int sig, void *handler)
{
	struct kernel_sigaction sa = { .handler = handler };

	sys_sigaction(sig, &sa, NULL);
}

/* ---- What a process has for itself --------------------------------------------------------- */

static kernel_sigset_t ignored_signals(void)
{
	kernel_sigset_t ignored = 0;

	for (int sig = 1; sig <= 64; sig++) {
		struct kernel_sigaction sa;

		if (sys_sigaction(sig, NULL, &sa) == 0 && sa.handler == (void *)SIG_IGN)
			ignored |= BIT(sig);
	}
	return ignored;
}

static void read_attributes(struct standin_attributes *a)
{
	for (int i = 0; i < 3; i++)
		sys_call(SYS_getitimer, i, &a->timer[i], 0, 0, 0, 0);
	for (int i = 0; i < STANDIN_LIMITS; i++)
		sys_call(SYS_prlimit64, 0, i, NULL, a->limit[i], 0, 0);
	sys_call(SYS_sched_getattr, 0, a->scheduling, SCHED_ATTR_SIZE, 0, 0, 0);
	sys_call(SYS_sched_getaffinity, 0, sizeof(a->cpus), a->cpus, 0, 0, 0);
	a->ioprio = (int32_t)sys_call(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0, 0, 0, 0, 0);
	sys_call(SYS_get_mempolicy, &a->policy, a->nodes, sizeof(a->nodes) * 8, NULL, 0, 0);
	a->no_new_privs = (int32_t)sys_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0);
	sys_call(SYS_prctl, PR_GET_CHILD_SUBREAPER, &a->subreaper, 0, 0, 0, 0);
	a->timer_slack = (int32_t)sys_call(SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0, 0);
	a->personality = (int32_t)sys_call(SYS_personality, 0xffffffff, 0, 0, 0, 0, 0);
}

/* ---- The stand-in's side ------------------------------------------------------------------- */

/* Who kills the embryo means this process.  The kernel forgets that when rights change. */
static void follow_embryo(const struct standin *s)
{
	sys_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	if (sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0) != s->embryo)
		sys_call(SYS_kill, sys_getpid(), SIGKILL, 0, 0, 0, 0);
}

void standin_begin(struct window_head *head, struct standin *s)
{
	s->pid = head->standin_pid = sys_getpid();
	head->standin = s;
	/* No child of its has a part in this. */
	sys_madvise((uintptr_t)s, sizeof(*s), MADV_DONTFORK);
	follow_embryo(s);
	read_attributes(&s->born);
	/* It was forked from a process that has no rseq area; libc thinks that it has one. */
	if (s->rseq_len)
		sys_call(SYS_rseq, arch_thread_pointer() + (uintptr_t)s->rseq_offset, s->rseq_len,
			 0, s->rseq_sig, 0, 0);
}

/*
 * Has the embryo look.  One that has given up its rights must not send it a signal; then a sibling
 * of its does, by its end.
 */
static long call_embryo(struct standin *s)
{
	long rc = sys_call(SYS_kill, s->embryo, SIGCHLD, 0, 0, 0, 0);

	if (rc != -EPERM)
		return rc;
	rc = fork_raw(CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, (uintptr_t)&s->messenger);
	if (rc == 0) /* in there *s is not mapped */
		sys_exit_group(0);
	return rc;
}

long standin_ask(struct standin *s, enum standin_request request, long a, long b, long c)
{
	kernel_sigset_t mask = lock_acquire(&s->asks);
	long rc;

	s->arg[0] = a;
	s->arg[1] = b;
	s->arg[2] = c;
	atomic_store(&s->request, request);
	rc = call_embryo(s);
	if (rc < 0) {
		atomic_store(&s->request, STANDIN_NOTHING);
		s->result = rc;
	}
	while (atomic_load(&s->request) == request)
		sys_futex_wait_shared(&s->request, request, NULL);
	rc = s->result;
	lock_release(&s->asks, mask);
	return rc;
}

/* Its own PID, as it knows it, means this process. */
static bool is_me(const struct standin *s, long pid)
{
	return pid == 0 || pid == s->embryo;
}

static long set_group(struct standin *s, long group)
{
	long rc = standin_ask(s, STANDIN_SETPGID, group, 0, 0);

	if (rc == 0 && !s->own_session)
		sys_call(SYS_setpgid, 0, group ? group : s->embryo, 0, 0, 0, 0);
	return rc;
}

static long set_session(struct standin *s)
{
	long rc = standin_ask(s, STANDIN_SETSID, 0, 0, 0);

	if (rc > 0) {
		/* One of its own: no other can be joined, and the old one's terminal must not reach
		 * it. */
		sys_call(SYS_setsid, 0, 0, 0, 0, 0, 0);
		s->own_session = 1;
	}
	return rc;
}

/* The embryo is told first: whoever takes this process over afterwards must not be believed. */
static void leave_world(struct standin *s)
{
	if (s->left_world)
		return;
	s->left_world = 1;
	standin_ask(s, STANDIN_LEAVES, 0, 0, 0);
}

static int on_prctl(struct standin *s, struct arch_trap *tr)
{
	switch (tr->arg[0]) {
	case PR_SET_PDEATHSIG:
		if (tr->arg[1] < 0 || tr->arg[1] > 64)
			return 0;
		s->death_signal = (int32_t)tr->arg[1];
		s->sets_death_signal = 1;
		tr->nr = standin_ask(s, STANDIN_DEATH, tr->arg[1], 0, 0);
		return 1;
	case PR_GET_PDEATHSIG:
		tr->nr = sys_call(SYS_prctl, PR_GET_PDEATHSIG, tr->arg[1], 0, 0, 0, 0);
		if (tr->nr == 0)
			*(int *)tr->arg[1] = s->death_signal;
		return 1;
	case PR_SET_TSC: /* what the embryo cannot take over */
	case PR_MCE_KILL:
	case PR_SET_SPECULATION_CTRL:
#ifdef PR_SET_MDWE
	case PR_SET_MDWE:
#endif
		leave_world(s);
		return 0;
	default:
		return 0;
	}
}

/* Of the terminal, but about the caller's session. */
static bool is_for_session(long request)
{
	switch (request) {
	case TIOCSCTTY:
	case TIOCNOTTY:
	case TIOCSPGRP:
	case TIOCGPGRP:
	case TIOCGSID:
		return true;
	default:
		return false;
	}
}

static int on_ioctl(struct standin *s, struct arch_trap *tr)
{
	bool by_value = tr->arg[1] == TIOCSCTTY || tr->arg[1] == TIOCNOTTY;

	if (!s->own_session || !is_for_session(tr->arg[1]))
		return 0;
	if (tr->arg[1] == TIOCSPGRP)
		s->number = *(int *)tr->arg[2];
	tr->nr = standin_ask(s, STANDIN_IOCTL, tr->arg[0], tr->arg[1],
			     by_value ? tr->arg[2] : (long)&s->number);
	if (tr->nr == 0 && (tr->arg[1] == TIOCGPGRP || tr->arg[1] == TIOCGSID))
		*(int *)tr->arg[2] = s->number;
	return 1;
}

/* Calls with a PID among their arguments: the number of that, or -1. */
static int pid_argument(long nr)
{
	switch (nr) {
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_sched_setaffinity:
	case SYS_sched_getaffinity:
	case SYS_sched_setscheduler:
	case SYS_sched_getscheduler:
	case SYS_sched_setparam:
	case SYS_sched_getparam:
	case SYS_sched_setattr:
	case SYS_sched_getattr:
	case SYS_prlimit64:
		return 0;
	case SYS_setpriority:
	case SYS_getpriority:
	case SYS_ioprio_set:
	case SYS_ioprio_get:
		return 1;
	default:
		return -1;
	}
}

struct standin *standin_of(const struct window_head *head)
{
	return head->standin && head->standin_pid == sys_getpid() ? head->standin : NULL;
}

/* The embryo's parent, as the stand-in knows it: another one if its first has ended. */
static long parent_now(const struct standin *s)
{
	pid_t pid = stat_parent(s->embryo);

	return pid && pid != s->parent_process ? pid : s->parent;
}

/* Of capget(2) and capset(2): libcap-ng names the thread that it is, as it knows it. */
static long call_with_caps(const struct standin *s, const struct arch_trap *tr)
{
	struct __user_cap_header_struct *header = (struct __user_cap_header_struct *)tr->arg[0],
					own;
	long rc;

	if (!sys_readable(header) || header->pid != s->embryo)
		return sys_trapped(tr);
	own = (struct __user_cap_header_struct){ header->version, 0 };
	rc = sys_call(tr->nr, &own, tr->arg[1], 0, 0, 0, 0);
	header->version = own.version;
	return rc;
}

/* These no other process can see, so the embryo sets them, too; it takes none back. */
static void share_securebits(struct standin *s, long bits)
{
	long now = sys_call(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0, 0);

	if (now & ~bits || standin_ask(s, STANDIN_SECUREBITS, bits, 0, 0) != 0)
		leave_world(s);
}

static int change_rights(struct standin *s, struct arch_trap *tr)
{
	int death_signal = 0;

	if (!s->changes_rights) {
		s->changes_rights = 1;
		standin_read(s, 0);
		standin_ask(s, STANDIN_RIGHTS, 0, 0, 0);
	}
	if (tr->nr == SYS_prctl && tr->arg[0] == PR_SET_SECUREBITS)
		share_securebits(s, tr->arg[1]);
	tr->nr = tr->nr == SYS_capset ? call_with_caps(s, tr) : sys_trapped(tr);
	sys_call(SYS_prctl, PR_GET_PDEATHSIG, &death_signal, 0, 0, 0, 0);
	if (!death_signal)
		s->death_signal = 0;
	follow_embryo(s);
	return 1;
}

/* Is it one of the files that put a process into a control group? */
static bool joins_group(const struct arch_trap *tr)
{
	static const char *const names[] = { "cgroup.procs", "cgroup.threads", "tasks" };

	if (tr->nr != SYS_openat || (tr->arg[2] & O_ACCMODE) == O_RDONLY)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal(str_base((const char *)tr->arg[1]), names[i]))
			return true;
	return false;
}

/*
 * One for itself, from the PID that it knows as its own: glibc's setuid() of a process with threads
 * looks who has told the others.  Only to itself may a process say who has sent a signal, and how.
 */
static int signal_itself(const struct standin *s, struct arch_trap *tr)
{
	siginfo_t info = { .si_code = tr->nr == SYS_kill ? SI_USER : SI_TKILL };
	bool to_thread = tr->nr == SYS_tgkill;
	long tid = tr->arg[to_thread], sig = tr->arg[1 + to_thread];

	if (tr->arg[0] != s->embryo)
		return 0;
	if (tid == s->embryo)
		tid = s->pid;
	info.si_signo = (int)sig;
	info.si_pid = s->embryo;
	info.si_uid = (uid_t)sys_call(SYS_getuid, 0, 0, 0, 0, 0, 0);
	if (tr->nr == SYS_kill)
		tr->nr = sys_call(SYS_rt_sigqueueinfo, s->pid, sig, &info, 0, 0, 0);
	else
		tr->nr = sys_call(SYS_rt_tgsigqueueinfo, s->pid, tid, sig, &info, 0, 0);
	return 1;
}

int standin_syscall(struct window_head *head, struct arch_trap *tr)
{
	struct standin *s = standin_of(head);
	int which;

	if (!s)
		return 0;
	if (standin_changes_rights(tr))
		return change_rights(s, tr);
	if (tr->nr == SYS_unshare && tr->arg[0] == CLONE_FILES) {
		tr->nr = 0; /* the two of them have the only table */
		return 1;
	}
	s->changes_memory |= standin_changes_memory(tr);
	if (standin_leaves_world(tr) || joins_group(tr))
		leave_world(s);
	s->opens_procfs |= procfs_is_open(tr);
	switch (tr->nr) {
	case SYS_getpid:
		tr->nr = s->embryo;
		return 1;
	case SYS_gettid:
		tr->nr = sys_gettid();
		if (tr->nr == s->pid)
			tr->nr = s->embryo;
		return 1;
	case SYS_getppid:
		tr->nr = parent_now(s);
		return 1;
#ifdef SYS_getpgrp
	case SYS_getpgrp:
		tr->nr = sys_call(SYS_getpgid, s->embryo, 0, 0, 0, 0, 0);
		return 1;
#endif
	case SYS_getpgid:
	case SYS_getsid:
		if (tr->arg[0] == 0)
			tr->arg[0] = s->embryo;
		return 0;
	case SYS_kill:
	case SYS_tgkill:
	case SYS_tkill:
		return signal_itself(s, tr);
	case SYS_setpgid:
		if (!is_me(s, tr->arg[0]))
			return 0;
		tr->nr = set_group(s, tr->arg[1]);
		return 1;
	case SYS_setsid:
		tr->nr = set_session(s);
		return 1;
	case SYS_capget:
		tr->nr = call_with_caps(s, tr);
		return 1;
	case SYS_ioctl:
		return on_ioctl(s, tr);
	case SYS_prctl:
		return on_prctl(s, tr);
	case SYS_close_range: /* as above */
		tr->arg[2] &= ~(long)CLOSE_RANGE_UNSHARE;
		return 0;
	case SYS_keyctl:
		if (tr->arg[0] == KEYCTL_JOIN_SESSION_KEYRING)
			leave_world(s);
		return 0;
	case SYS_setns: /* some are not for who shares a working directory */
		sys_call(SYS_unshare, CLONE_FS, 0, 0, 0, 0, 0);
		return 0;
	case SYS_execve:
	case SYS_execveat:
		return exec_in_standin(s, tr);
	default:
		break;
	}
	which = pid_argument(tr->nr);
	if (which >= 0 && tr->arg[which] == s->embryo)
		tr->arg[which] = s->pid;
	if (tr->nr == SYS_rt_tgsigqueueinfo && tr->arg[1] == s->embryo)
		tr->arg[1] = s->pid;
	return 0;
}

bool standin_changes_rights(const struct arch_trap *tr)
{
	switch (tr->nr) {
	case SYS_setuid:
	case SYS_setgid:
	case SYS_setreuid:
	case SYS_setregid:
	case SYS_setresuid:
	case SYS_setresgid:
	case SYS_setgroups:
	case SYS_setfsuid:
	case SYS_setfsgid:
	case SYS_capset:
		return true;
	case SYS_prctl:
		return tr->arg[0] == PR_CAPBSET_DROP || tr->arg[0] == PR_CAP_AMBIENT ||
		       tr->arg[0] == PR_SET_SECUREBITS;
	default:
		return false;
	}
}

bool standin_sets_filter(const struct arch_trap *tr)
{
	/* Without a filter, or with one and the strict mode, it is a question: libseccomp asks. */
	if (tr->nr == SYS_prctl)
		return tr->arg[0] == PR_SET_SECCOMP &&
		       (tr->arg[1] == SECCOMP_MODE_STRICT || tr->arg[2]);
	if (tr->nr != SYS_seccomp)
		return false;
	return tr->arg[0] == SECCOMP_SET_MODE_STRICT
		       ? !tr->arg[1] && !tr->arg[2]
		       : tr->arg[0] == SECCOMP_SET_MODE_FILTER && tr->arg[2];
}

bool standin_leaves_world(const struct arch_trap *tr)
{
	switch (tr->nr) {
	case SYS_unshare:
	case SYS_setns:
	case SYS_chroot:
	case SYS_pivot_root:
	case SYS_ptrace:
#ifdef SYS_landlock_restrict_self
	case SYS_landlock_restrict_self:
#endif
		return true;
	default:
		return standin_sets_filter(tr);
	}
}

bool standin_changes_memory(const struct arch_trap *tr)
{
	const char *path = (const char *)tr->arg[1];

	if (tr->nr == SYS_prctl)
		return tr->arg[0] == PR_SET_THP_DISABLE;
	return tr->nr == SYS_openat && (tr->arg[2] & O_ACCMODE) != O_RDONLY &&
	       (tr->arg[0] != AT_FDCWD || str_starts(path, "/proc/"));
}

/* ---- What an exec hands over --------------------------------------------------------------- */

static uint64_t read_file(const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (fd < 0)
		return 0;
	sys_pread(fd, &value, sizeof(value), 0);
	sys_close(fd);
	return value;
}

/* What one process cannot have for itself in a common space, and takes along in an exec. */
static void read_memory_attributes(struct standin_attributes *a)
{
	a->oom_score = read_file("/proc/self/oom_score_adj");
	a->core_filter = read_file("/proc/self/coredump_filter");
	a->no_huge_pages = (int32_t)sys_call(SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0, 0);
}

/* Sets what differs, of what may take rights to set.  -EPERM if one of them cannot be. */
static int set_resources(const struct standin_attributes *a, const struct standin_attributes *now)
{
	for (int i = 0; i < STANDIN_LIMITS; i++)
		if ((a->limit[i][0] != now->limit[i][0] || a->limit[i][1] != now->limit[i][1]) &&
		    sys_call(SYS_prlimit64, 0, i, a->limit[i], NULL, 0, 0))
			return -EPERM;
	if (memcmp(a->scheduling, now->scheduling, sizeof(a->scheduling)) != 0 &&
	    sys_call(SYS_sched_setattr, 0, a->scheduling, 0, 0, 0, 0))
		return -EPERM;
	if (a->ioprio != now->ioprio &&
	    sys_call(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, a->ioprio, 0, 0, 0))
		return -EPERM;
	return 0;
}

/* What the stand-in has set by rights that it is about to give up. */
static void note_rights(struct task *t, struct standin *s)
{
	if (t->standin_rights || set_resources(&s->attributes, &s->born))
		return;
	memcpy(s->born.limit, s->attributes.limit, sizeof(s->born.limit));
	memcpy(s->born.scheduling, s->attributes.scheduling, sizeof(s->born.scheduling));
	s->born.ioprio = s->attributes.ioprio;
}

static bool differ(uint64_t a, uint64_t b)
{
	return a && b && a != b; /* 0: it could not be read */
}

int standin_take_over(struct standin *s)
{
	const struct standin_attributes *a = &s->attributes, *born = &s->born;
	struct standin_attributes now;

	if (s->changes_memory) {
		read_memory_attributes(&now);
		if (differ(a->oom_score, now.oom_score) ||
		    differ(a->core_filter, now.core_filter) ||
		    a->no_huge_pages != now.no_huge_pages)
			return -EPERM;
	}
	if (set_resources(a, born))
		return -EPERM;
	for (int sig = 1; sig <= 64; sig++) /* the launcher's handlers go, as in any exec */
		set_action(sig, a->ignored & BIT(sig) ? (void *)SIG_IGN : (void *)SIG_DFL);
	for (int i = 0; i < 3; i++)
		if (a->timer[i].value[0] || a->timer[i].value[1])
			sys_call(SYS_setitimer, i, &a->timer[i], NULL, 0, 0, 0);
	if (memcmp(a->cpus, born->cpus, sizeof(a->cpus)) != 0)
		sys_call(SYS_sched_setaffinity, 0, sizeof(a->cpus), a->cpus, 0, 0, 0);
	if (a->policy != born->policy || memcmp(a->nodes, born->nodes, sizeof(a->nodes)) != 0)
		sys_call(SYS_set_mempolicy, a->policy, a->nodes, sizeof(a->nodes) * 8, 0, 0, 0);
	if (a->no_new_privs && !born->no_new_privs)
		sys_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	/* Until standin_await_end(): whatever the stand-in has started goes on as ours. */
	sys_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
	if (a->timer_slack != born->timer_slack)
		sys_call(SYS_prctl, PR_SET_TIMERSLACK, a->timer_slack, 0, 0, 0, 0);
	if (a->personality != born->personality)
		sys_call(SYS_personality, a->personality, 0, 0, 0, 0, 0);
	if (s->sets_death_signal)
		sys_call(SYS_prctl, PR_SET_PDEATHSIG, s->death_signal, 0, 0, 0, 0);
	if (s->opens_procfs)
		procfs_take_over(s);
	return 0;
}

/* ---- The embryo's side --------------------------------------------------------------------- */

void standin_answer(struct standin *s, long result)
{
	s->result = result;
	atomic_store(&s->request, STANDIN_NOTHING);
	sys_futex_wake_shared(&s->request, 1);
}

void standin_await_end(struct task *t)
{
	struct standin *s = t->standin;
	struct timespec now = { 0, 0 };
	kernel_sigset_t pending, child = BIT(SIGCHLD);

	while (sys_call(SYS_wait4, s->pid, NULL, __WALL, NULL, 0, 0) == -EINTR)
		;
	s->gone = 1;
	peer_note_standin(t, 0);
	sys_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, s->attributes.subreaper, 0, 0, 0, 0);
	/* What this process heard of its own child is nobody's business. */
	while (sys_call(SYS_rt_sigtimedwait, &child, NULL, &now, KERNEL_SIGSET_SIZE, 0, 0) > 0)
		;
	pending = s->attributes.pending;
	for (int sig = 1; sig <= 64; sig++)
		if (pending & BIT(sig))
			sys_call(SYS_kill, sys_getpid(), sig, 0, 0, 0, 0);
}

/* Ends, or stops, by the same signal. */
static void raise_default(int sig)
{
	kernel_sigset_t set = BIT(sig), all = ALL_SIGNALS;

	set_action(sig, (void *)SIG_DFL);
	sys_call(SYS_kill, sys_getpid(), sig, 0, 0, 0, 0);
	sys_sigmask(SIG_UNBLOCK, &set, NULL);
	sys_sigmask(SIG_BLOCK, &all, NULL);
}

static void end_like(const siginfo_t *info)
{
	uint64_t no_core[2] = { 0, 0 };

	if (info->si_code == CLD_EXITED)
		sys_exit_group(info->si_status);
	/* Its core has been written; wait(2)'s flag for it cannot be had without another one. */
	if (info->si_code != CLD_DUMPED)
		sys_call(SYS_prlimit64, 0, RLIMIT_CORE, no_core, NULL, 0, 0);
	raise_default(info->si_status);
	sys_exit_group(128 + info->si_status);
}

void standin_read(struct standin *s, kernel_sigset_t mask)
{
	struct standin_attributes *a = &s->attributes;

	memset(a, 0, sizeof(*a));
	a->mask = mask;
	a->ignored = ignored_signals();
	read_attributes(a);
	if (s->changes_memory)
		read_memory_attributes(a);
}

/* Signals that have reached it until now, the embryo has passed on before it read the request. */
void standin_end(struct standin *s)
{
	sys_call(SYS_rt_sigpending, &s->attributes.pending, KERNEL_SIGSET_SIZE, 0, 0, 0, 0);
	sys_exit_group(0);
}

/* Has something meant it to go on since?  To stop now would take that away. */
static bool is_to_go_on(void)
{
	kernel_sigset_t pending = 0;

	sys_call(SYS_rt_sigpending, &pending, KERNEL_SIGSET_SIZE, 0, 0, 0, 0);
	return pending & BIT(SIGCONT);
}

/* What the stand-in has become since the last look. */
static void follow(struct standin *s)
{
	siginfo_t info = { .si_pid = 0 };

	while (sys_call(SYS_waitid, P_PID, s->pid, &info, WEXITED | WSTOPPED | WNOHANG | __WALL,
			NULL, 0) == 0 &&
	       info.si_pid) {
		if (info.si_code == CLD_STOPPED) {
			if (is_to_go_on()) /* which is passed on next */
				return;
			raise_default(info.si_status);
			sys_call(SYS_kill, s->pid, SIGCONT, 0, 0, 0, 0); /* so it goes on, too */
		} else {
			s->gone = 1;
			end_like(&info);
		}
		info.si_pid = 0;
	}
}

/*
 * A signal for the stand-in.  One from the terminal goes to the whole group, and the stand-in is in
 * it; what the stand-in has sent, to its group or to tell of a request, it did not send to itself.
 */
static void pass_on(const struct standin *s, int sig, const siginfo_t *info)
{
	if (info->si_code == SI_KERNEL && !s->own_session)
		return;
	if (info->si_code <= 0 && info->si_pid == s->pid)
		return;
	if (sig == SIGCHLD && info->si_code > 0)
		return;
	/* The kernel lets nobody but itself say that it, or kill(2), has sent one. */
	if (info->si_code >= 0 || info->si_code == SI_TKILL ||
	    sys_call(SYS_rt_sigqueueinfo, s->pid, sig, info, 0, 0, 0))
		sys_call(SYS_kill, s->pid, sig, 0, 0, 0, 0);
}

static void serve(struct task *t, struct standin *s)
{
	if (s->messenger) {
		sys_call(SYS_wait4, s->messenger, NULL, __WALL, NULL, 0, 0);
		s->messenger = 0;
	}
	switch (atomic_load(&s->request)) {
	case STANDIN_SETPGID:
		standin_answer(s, sys_call(SYS_setpgid, 0, s->arg[0], 0, 0, 0, 0));
		break;
	case STANDIN_SETSID:
		standin_answer(s, sys_call(SYS_setsid, 0, 0, 0, 0, 0, 0));
		break;
	case STANDIN_IOCTL:
		standin_answer(
			s, is_for_session(s->arg[1])
				   ? sys_call(SYS_ioctl, s->arg[0], s->arg[1], s->arg[2], 0, 0, 0)
				   : -EPERM);
		break;
	case STANDIN_RIGHTS:
		note_rights(t, s);
		t->standin_rights = 1;
		standin_answer(s, 0);
		break;
	case STANDIN_SECUREBITS:
		t->changes_rights = t->space->changed_rights = 1;
		standin_answer(s, sys_call(SYS_prctl, PR_SET_SECUREBITS,
					   s->arg[0] | sys_call(SYS_prctl, PR_GET_SECUREBITS, 0, 0,
								0, 0, 0),
					   0, 0, 0, 0));
		break;
	case STANDIN_LEAVES:
		t->standin_left = 1;
		standin_answer(s, 0);
		break;
	case STANDIN_DEATH:
		standin_answer(s, sys_call(SYS_prctl, PR_SET_PDEATHSIG, s->arg[0], 0, 0, 0, 0));
		break;
	case STANDIN_EXEC:
		standin_answer(s, exec_in_embryo(t, s));
		break;
	case STANDIN_PEER:
		standin_answer(s, peer_process(t, (int32_t)s->arg[0]));
		break;
	default:
		break;
	}
}

_Noreturn void standin_serve(struct task *t)
{
	struct standin *s = t->standin;
	kernel_sigset_t all = ALL_SIGNALS;

	set_action(SIGCHLD, (void *)SIG_DFL); /* ignored, it would take the status away */
	for (;;) {
		siginfo_t info;
		long sig;

		serve(t, s);
		follow(s);
		sig = sys_call(SYS_rt_sigtimedwait, &all, &info, NULL, KERNEL_SIGSET_SIZE, 0, 0);
		if (sig > 0)
			pass_on(s, (int)sig, &info);
	}
}
