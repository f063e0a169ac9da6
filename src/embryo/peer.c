/*
 * peer.c - system calls on other programs of the space, which are only a copy away.
 * Entry functions: peer_syscall(), peer_open().
 *
 * process_vm_readv(2) and process_vm_writev(2) become copies, with the results that the kernel
 * would give.  That needs no right, so what MPI libraries ask to find out whether they have one
 * (CMA, as they call it) is answered accordingly: kcmp(KCMP_VM), Yama's setting, PR_SET_PTRACER.
 *
 * Whether a program still is in this address space is told by the word that set_tid_address(2)
 * named: the kernel clears it when the main thread leaves the address space, by its end or by
 * execve.  That is just when such calls begin to fail with ESRCH, or to mean other memory.  All
 * other targets are the kernel's; but a forked child's PID is that of its embryo, which has other
 * memory, so for that the kernel is given its stand-in's.
 */
#include "embryo/peer.h"

#include <linux/kcmp.h>
#include <linux/memfd.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "base/str.h"
#include "embryo/guard.h"
#include "embryo/standin.h"

#define SCOPE "/proc/sys/kernel/yama/ptrace_scope"

#define LIST_MAX 1024          /* UIO_MAXIOV */
#define TOTAL_MAX 0x7ffff000UL /* MAX_RW_COUNT: what one call moves at most */
#define ADDRESS_BITS 56        /* more than any program has; with fewer, a copy fails */
#define LOOKS 100              /* at a stand-in that has ended, until its embryo knows */

static bool is_task(const struct task *t, int32_t pid)
{
	return atomic_load(&t->pid) == pid && atomic_load(&t->state) == TASK_LIVE;
}

/* The record of a live root or task. */
static const struct task *find_task(const struct task *me, int32_t pid)
{
	struct space *sp = me->space;
	uint32_t n = atomic_load(&sp->nslots), slot;

	if (pid <= 0)
		return NULL;
	if (is_task(me, pid))
		return me;
	slot = atomic_load(&sp->hints[pid % SPACE_HINTS]);
	if (slot < n && is_task(&sp->task[slot], pid))
		return &sp->task[slot];
	if (is_task(&sp->task[me->root_slot], pid))
		return &sp->task[me->root_slot];
	for (slot = 0; slot < n; slot++) {
		if (atomic_load_explicit(&sp->pids[slot], memory_order_relaxed) != pid ||
		    !is_task(&sp->task[slot], pid))
			continue;
		atomic_store(&sp->hints[pid % SPACE_HINTS], (uint16_t)slot);
		return &sp->task[slot];
	}
	return NULL;
}

void peer_note_tid_word(struct task *t, const int32_t *word)
{
	int32_t pid = sys_getpid();

	if (sys_gettid() != pid)
		return;
	t->tid_word = word;
	atomic_store(&t->space->pids[t->slot], pid);
}

void peer_note_standin(struct task *t, int32_t pid)
{
	atomic_store(&t->space->pids[t->slot], sys_getpid());
	atomic_store(&t->standin_pid, pid);
}

/* The process that this record's PID means, or 0. */
static int32_t process_of(const struct task *t, int32_t pid)
{
	if (atomic_load(&t->pid) != pid)
		return 0;
	if (t->root_slot == t->slot) /* it may be a stand-in itself */
		return task_process(t);
	/* The kernel clears the stage when the embryo has gone. */
	return t->launched == LAUNCH_EMBRYO && atomic_load(&t->stage) != STAGE_GONE
		       ? atomic_load(&t->standin_pid)
		       : 0;
}

int32_t peer_process(const struct task *t, int32_t pid)
{
	const struct space *sp = t->space;
	uint32_t n = atomic_load(&sp->nslots), slot;
	int32_t process = process_of(&sp->task[t->root_slot], pid);

	for (slot = 0; slot < n && !process; slot++)
		if (atomic_load_explicit(&sp->pids[slot], memory_order_relaxed) == pid)
			process = process_of(&sp->task[slot], pid);
	return process ? process : pid;
}

/* The same, of any process that has to do with a space.  A stand-in does not see the one that it
 * comes from, but its embryo does. */
static int32_t process_behind(const struct window_head *head, int32_t pid)
{
	struct standin *s = standin_of(head);
	int32_t process = pid > 0 && head->task ? peer_process(head->task, pid) : pid;

	if (pid <= 0 || process != pid || !s)
		return process;
	if (pid == s->embryo)
		return s->pid;
	process = (int32_t)standin_ask(s, STANDIN_PEER, pid, 0, 0);
	return process > 0 ? process : pid;
}

/* Does it run in this address space?  Its memory may be given back at any moment, and the word
 * with it. */
static bool is_here(const struct guard *g, const struct task *me, const struct task *t)
{
	int32_t tid = 0;

	return t == me ||
	       (t->tid_word &&
		!guard_copy(g, (uintptr_t)&tid, (uintptr_t)t->tid_word, sizeof(tid)) && tid != 0);
}

/* ---- Copies -------------------------------------------------------------------------------- */

/* One side of the call: what is left of the present element, and of the list. */
struct side {
	const struct iovec *next;
	unsigned long count;
	struct iovec now;
};

static int fetch(const struct guard *g, struct iovec *to, const struct iovec *from)
{
	return guard_copy(g, (uintptr_t)to, (uintptr_t)from, sizeof(*to)) ? -EFAULT : 0;
}

/* Checks a list as the kernel does: all of it, before anything is copied.  The bytes, or
 * -errno. */
static ssize_t check(const struct guard *g, const struct iovec *vec, unsigned long count,
		     bool is_local)
{
	bool outside = false;
	size_t total = 0;

	if (count > LIST_MAX)
		return -EINVAL;
	for (unsigned long i = 0; i < count; i++) {
		struct iovec v;

		if (fetch(g, &v, &vec[i]))
			return -EFAULT;
		if ((ssize_t)v.iov_len < 0)
			return -EINVAL;
		/* What is too long for one call is cut, of a single element before this look. */
		if (count == 1 && v.iov_len > TOTAL_MAX)
			v.iov_len = TOTAL_MAX;
		if ((uintptr_t)v.iov_base >> ADDRESS_BITS ||
		    ((uintptr_t)v.iov_base + v.iov_len) >> ADDRESS_BITS)
			outside = true;
		total += v.iov_len < TOTAL_MAX - total ? v.iov_len : TOTAL_MAX - total;
	}
	return is_local && outside ? -EFAULT : (ssize_t)total;
}

/* Goes on to the next element that is not empty.  False at the end of the list. */
static bool advance(const struct guard *g, struct side *s)
{
	while (s->now.iov_len == 0) {
		if (s->count == 0 || fetch(g, &s->now, s->next))
			return false;
		s->next++;
		s->count--;
	}
	return true;
}

static ssize_t copy(const struct guard *g, struct side *to, struct side *from, size_t total)
{
	size_t done = 0;

	while (done < total && advance(g, to) && advance(g, from)) {
		size_t n = total - done, left;

		n = n < to->now.iov_len ? n : to->now.iov_len;
		n = n < from->now.iov_len ? n : from->now.iov_len;
		left = guard_copy(g, (uintptr_t)to->now.iov_base, (uintptr_t)from->now.iov_base, n);
		done += n - left;
		if (left)
			return done ? (ssize_t)done : -EFAULT;
		to->now.iov_base = (char *)to->now.iov_base + n;
		to->now.iov_len -= n;
		from->now.iov_base = (char *)from->now.iov_base + n;
		from->now.iov_len -= n;
	}
	return (ssize_t)done;
}

static ssize_t transfer(const struct guard *g, const struct arch_trap *tr)
{
	/* The kernel takes this count, not the other, for an unsigned int (import_iovec()). */
	struct side local = { (const struct iovec *)tr->arg[1], (unsigned)tr->arg[2], { 0 } };
	struct side remote = { (const struct iovec *)tr->arg[3], (unsigned long)tr->arg[4], { 0 } };
	ssize_t total, n;

	if (tr->arg[5] != 0)
		return -EINVAL;
	total = check(g, local.next, local.count, true);
	if (total <= 0)
		return total;
	n = check(g, remote.next, remote.count, false);
	if (n <= 0)
		return n;
	total = n < total ? n : total;
	return tr->nr == SYS_process_vm_readv ? copy(g, &local, &remote, (size_t)total)
					      : copy(g, &remote, &local, (size_t)total);
}

/* From or to a stand-in.  0 if the target is none. */
static int copy_by_kernel(const struct window_head *head, struct arch_trap *tr)
{
	struct timespec moment = { 0, 100000 };
	int32_t pid = (int32_t)tr->arg[0], process;
	long rc = 0;

	for (int i = 0; i < LOOKS; i++) {
		process = process_behind(head, pid);
		if (process == pid)
			return 0;
		rc = sys_call(tr->nr, process, tr->arg[1], tr->arg[2], tr->arg[3], tr->arg[4],
			      tr->arg[5]);
		/* It has just ended: either its embryo does so too, or executes for it. */
		if (rc != -ESRCH)
			break;
		sys_call(SYS_nanosleep, &moment, NULL, 0, 0, 0, 0);
	}
	tr->nr = rc;
	return 1;
}

static int trap_copy(struct window_head *head, struct arch_trap *tr)
{
	const struct task *me = head->task, *t = me ? find_task(me, (int32_t)tr->arg[0]) : NULL;
	struct guard g;
	int handled = 0;

	if (!t || guard_open(&g, head))
		return copy_by_kernel(head, tr);
	if (is_here(&g, me, t)) {
		tr->nr = transfer(&g, tr);
		handled = 1;
	}
	guard_close(&g);
	return handled ? handled : copy_by_kernel(head, tr);
}

/* ---- Questions ----------------------------------------------------------------------------- */

static int trap_kcmp(struct window_head *head, struct arch_trap *tr)
{
	int32_t pid[2] = { (int32_t)tr->arg[0], (int32_t)tr->arg[1] };
	const struct task *me = head->task, *a = me ? find_task(me, pid[0]) : NULL;
	const struct task *b = me ? find_task(me, pid[1]) : NULL;
	struct guard g;
	int handled = 0;

	if (tr->arg[2] != KCMP_VM)
		return 0;
	tr->arg[0] = process_behind(head, pid[0]);
	tr->arg[1] = process_behind(head, pid[1]);
	if (!a || !b || guard_open(&g, head))
		return 0;
	if (is_here(&g, me, a) && is_here(&g, me, b)) {
		tr->nr = 0;
		handled = 1;
	}
	guard_close(&g);
	return handled;
}

/*
 * Yama refuses a PID that it does not find, and a kernel without Yama refuses all, both with
 * EINVAL; programs know that answer.  Only a sandbox's refusal is passed over: a program would
 * conclude that its peers cannot copy from it.
 */
static int trap_prctl(struct arch_trap *tr)
{
	if ((int)tr->arg[0] != PR_SET_PTRACER)
		return 0;
	tr->nr = sys_call(SYS_prctl, tr->arg[0], tr->arg[1], tr->arg[2], tr->arg[3], tr->arg[4], 0);
	if (tr->nr == -EPERM || tr->nr == -EACCES || tr->nr == -ENOSYS)
		tr->nr = 0;
	return 1;
}

/* A file of its own that reads as "0\n". */
static int make_scope(int flags)
{
	int fd = (int)sys_call(SYS_memfd_create, "ptrace_scope",
			       flags & O_CLOEXEC ? MFD_CLOEXEC : 0, 0, 0, 0, 0);

	if (fd < 0)
		return fd;
	if (sys_write(fd, "0\n", 2) != 2 || sys_call(SYS_lseek, fd, 0, SEEK_SET, 0, 0, 0)) {
		sys_close(fd);
		return -EIO;
	}
	return fd;
}

/* Yama restricts who may attach to whom, programs of a space among them; not their copies. */
int peer_open(struct arch_trap *tr)
{
	const char *path = (const char *)tr->arg[1];
	int flags = (int)tr->arg[2], fd;
	char value = 0;

	if ((flags & O_ACCMODE) != O_RDONLY || !str_equal(path, SCOPE))
		return 0;
	tr->nr = sys_call(SYS_openat, tr->arg[0], path, flags, tr->arg[3], 0, 0);
	if (tr->nr == -ENOENT || tr->nr == -ENOTDIR || tr->nr == -EMFILE || tr->nr == -ENFILE)
		return 1;
	if (tr->nr >= 0 && sys_pread((int)tr->nr, &value, 1, 0) == 1 && value == '0')
		return 1;
	fd = make_scope(flags);
	if (fd < 0)
		return 1;
	if (tr->nr >= 0)
		sys_close((int)tr->nr);
	tr->nr = fd;
	return 1;
}

/*
 * SIGSTOP is the one signal that an embryo cannot pass on, since it stops before that; so the
 * stand-in is sent one, too.  In this order: a SIGCONT that follows finds the embryo stopped, and
 * it is the embryo that passes it on.
 */
static int trap_kill(const struct window_head *head, struct arch_trap *tr)
{
	int32_t pid = (int32_t)tr->arg[0], process;

	if (tr->arg[1] != SIGSTOP || pid <= 0)
		return 0;
	process = process_behind(head, pid);
	tr->nr = sys_trapped(tr);
	if (tr->nr == 0 && process != pid)
		sys_call(SYS_kill, process, SIGSTOP, 0, 0, 0, 0);
	return 1;
}

int peer_syscall(struct window_head *head, struct arch_trap *tr)
{
	switch (tr->nr) {
	case SYS_kill:
		return trap_kill(head, tr);
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
		return trap_copy(head, tr);
	case SYS_kcmp:
		return trap_kcmp(head, tr);
	case SYS_prctl:
		return head->task ? trap_prctl(tr) : 0;
	case SYS_set_tid_address:
		if (head->task)
			peer_note_tid_word(head->task, (const int32_t *)tr->arg[0]);
		return 0;
	default:
		return 0;
	}
}
