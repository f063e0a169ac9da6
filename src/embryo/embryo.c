/*
 * embryo.c - the first code of a new process.  Entry function: embryo_main().
 */
#include "embryo/embryo.h"

#include <elf.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/dir.h"
#include "base/str.h"
#include "embryo/fatal.h"
#include "embryo/kept.h"
#include "embryo/peer.h"
#include "embryo/stop.h"
#include "embryo/thread.h"

BARE void embryo_clear_handlers(void)
{
	for (int sig = 1; sig <= 64; sig++) {
		struct kernel_sigaction sa;

		if (sys_sigaction(sig, NULL, &sa))
			continue;
		if (sa.handler == (void *)SIG_DFL || sa.handler == (void *)SIG_IGN)
			continue;
		sa = (struct kernel_sigaction){ .handler = (void *)SIG_DFL };
		sys_sigaction(sig, &sa, NULL);
	}
}

static BARE bool is_close_on_exec(int fd)
{
	long flags = sys_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);

	return flags >= 0 && (flags & FD_CLOEXEC);
}

/*
 * Are there surely no descriptors from this one on?  select(2) says EBADF of one that is not open,
 * but ignores those that are behind the end of the process's table.  Its size is a power of two, 64
 * at least.
 */
static BARE bool none_from(int fd)
{
	uint64_t set[5] = { 0 };
	struct timespec now = { 0, 0 };

	set[fd / 64] = 1UL << fd % 64;
	return sys_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) == -EBADF &&
	       sys_call(SYS_pselect6, fd + 1, set, NULL, NULL, &now, NULL) == 0;
}

/* The descriptors of a small table, in a few calls and one for each: poll(2) tells which are open.
 * -EAGAIN if there may be others. */
static BARE int list_few(int *fds, int max)
{
	int end = none_from(64) ? 64 : none_from(256) ? 256 : 0;
	struct timespec now = { 0, 0 };
	struct pollfd open[64];
	int count = 0;

	for (int first = 0; first < end; first += 64) {
		for (int i = 0; i < 64; i++)
			open[i] = (struct pollfd){ .fd = first + i };
		if (sys_call(SYS_ppoll, open, 64, &now, NULL, 0, 0) < 0)
			return -EAGAIN;
		for (int i = 0; i < 64; i++) {
			if (open[i].revents & POLLNVAL || !is_close_on_exec(first + i))
				continue;
			if (count < max)
				fds[count] = first + i;
			count++;
		}
	}
	return end ? count : -EAGAIN;
}

struct list {
	int *fds, max, count;
};

static BARE void add(void *ctx, int fd)
{
	struct list *l = ctx;

	if (!is_close_on_exec(fd))
		return;
	if (l->count < l->max)
		l->fds[l->count] = fd;
	l->count++;
}

BARE int embryo_list_close_on_exec(int *fds, int max)
{
	struct list l = { fds, max, 0 };
	int rc = list_few(fds, max);

	if (rc >= 0)
		return rc;
	rc = dir_numbers(DIR_FDS, add, &l);
	return rc ? rc : l.count;
}

BARE void embryo_close_on_exec(int but)
{
	int fds[EMBRYO_FDS], n, closed;
	uint64_t limit;

	do {
		n = embryo_list_close_on_exec(fds, EMBRYO_FDS);
		closed = 0;
		for (int i = 0; i < n && i < EMBRYO_FDS; i++)
			closed += fds[i] != but && sys_close(fds[i]) == 0;
	} while (n > EMBRYO_FDS && closed);
	if (n >= 0)
		return;
	/* No /proc, or no descriptor left to open it with. */
	limit = sys_limit(RLIMIT_NOFILE);
	for (uint64_t fd = 0; fd < limit && fd < 1 << 20; fd++)
		if ((int)fd != but && is_close_on_exec((int)fd))
			sys_close((int)fd);
}

/*
 * Where nothing can have changed since the spawning program looked, its list serves: a new
 * process's /proc/self is slow.
 */
static BARE void close_on_exec(struct task *t)
{
	if (t->launched) { /* done, but for this one */
		if (t->code_fd[1] >= 0 && is_close_on_exec(t->code_fd[1]))
			sys_close(t->code_fd[1]);
		return;
	}
	if (t->nclose < 0 || t->hooks.before) {
		embryo_close_on_exec(-1);
		return;
	}
	for (int i = 0; i < t->nclose; i++)
		if (is_close_on_exec(t->close[i]))
			sys_close(t->close[i]);
}

BARE void embryo_restore_environment(struct task *t)
{
	if (t->preload_slot)
		*t->preload_slot = t->preload_original; /* NULL if ours was the last entry */
	t->preload_slot = NULL;
}

/* sp: its stack, as the kernel would give it. */
static BARE void begin(struct task *t, uintptr_t *sp)
{
	struct task_hooks *h = &t->hooks;

	embryo_restore_environment(t);
	atomic_store(&t->stage, STAGE_LOADED);
	sys_futex_wake_shared(&t->stage, INT_MAX);
	if (t->stop_on_start && t->launched)
		stop_here(t, (const char *const *)(sp + 1 + sp[0] + 1));
	else if (t->stop_on_start)
		sys_call(SYS_kill, sys_getpid(), SIGSTOP, 0, 0, 0, 0);
	if (h->before) {
		h->inside = 1;
		h->before_result =
			arch_call_with_thread_pointer(h->thread_pointer, h->before, h->arg);
		h->inside = 0;
	}
	if (!t->thread.on) /* whose descriptors are the root's */
		close_on_exec(t);
	if (t->sees.forks) /* then all others' forks may leave its memory out */
		atomic_store(&t->memory.keep_on_fork, 0);
	t->begun = 1;
	kept_begin(t);
	if (fatal_settings(&t->trouble, (const char *const *)(sp + 1 + sp[0] + 1)) || !t->launched)
		fatal_install(t);
	/* With libpip in the program this is left to taskside/start.c: there is more to be done. */
	if (h->before_result && !t->injected && t->thread.on)
		thread_end(t, (h->before_result & 0xff) << 8);
	if (h->before_result && !t->injected)
		sys_exit_group(h->before_result);
}

BARE uintptr_t embryo_start(uintptr_t *sp)
{
	uintptr_t *p = sp + 1 + sp[0] + 1, *aux;
	struct task *t = NULL;

	while (*p++)
		; /* the environment */
	while (!*p)
		p++; /* its last entry was ours and is taken back */
	for (aux = p; aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_PIP_TASK)
			t = (struct task *)aux[1];
	/* As the program should see them. */
	for (aux = p; aux[0] != AT_NULL; aux += 2) {
		if (aux[0] == AT_ENTRY)
			aux[1] = t->entry;
		else if (aux[0] == AT_HWCAP && t->hwcap)
			aux[1] = t->hwcap;
	}
	begin(t, sp);
	return t->entry;
}

#define ROBUST_LIST_SIZE 24 /* sizeof(struct robust_list_head) */

/* The process takes the place of the thread that waits for this. */
static BARE void take_block(struct task *t, const struct namespace_start *s)
{
	*s->tid = t->tid = sys_gettid();
	/* Or the kernel would clear, at its end, what pip_spawn() waits for. */
	sys_call(SYS_set_tid_address, &t->tid, 0, 0, 0, 0, 0);
	peer_note_tid_word(t, &t->tid);
	arch_set_thread_pointer(s->thread_pointer);
	sys_call(SYS_set_robust_list, s->robust_list, ROBUST_LIST_SIZE, 0, 0, 0, 0);
	if (s->rseq)
		sys_call(SYS_rseq, s->rseq, EMBRYO_RSEQ_SIZE, 0, ARCH_RSEQ_SIG, 0, 0);
}

/* Everything is loaded. */
static BARE _Noreturn void enter_namespace(struct task *t, const struct launch *l)
{
	struct namespace_start *s = l->start;

	if (t->thread.on)
		thread_begin(t, s->handle);
	else
		take_block(t, s);
	begin(t, s->block);
	sys_sigmask(SIG_SETMASK, &l->mask, NULL);
	s->enter(t, s);
	for (;;)
		sys_exit_group(0);
}

BARE _Noreturn void embryo_main(void *launch)
{
	struct launch *l = launch;
	struct task *t = l->task;

	if (t->thread.on)
		t->fatal_stack = fatal_stack_begin(t);
	if (l->clear_handlers)
		embryo_clear_handlers();
	for (int sig = 1; l->ignored && sig <= 64; sig++) {
		struct kernel_sigaction sa = { .handler = (void *)SIG_IGN };

		if (l->ignored >> (sig - 1) & 1)
			sys_sigaction(sig, &sa, NULL);
	}
	if (l->bind && sys_call(SYS_sched_setaffinity, 0, sizeof(l->cpus), l->cpus, 0, 0, 0) < 0)
		t->bind_failed = 1;
	sys_call(SYS_prctl, PR_SET_NAME, l->comm, 0, 0, 0, 0);
	if (l->start)
		enter_namespace(t, l);
	load_finish(&l->load, &l->cpu);
	if (!l->load.interp.elf.nload)
		begin(t, (uintptr_t *)l->sp); /* a static PIE: nothing will be loaded */
	sys_sigmask(SIG_SETMASK, &l->mask, NULL);
	arch_enter(load_entry(&l->load), l->sp);
}
