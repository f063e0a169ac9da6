/*
 * peer.c - tasks that copy each other's memory by process_vm_readv() and process_vm_writev(), and
 * look at their own signals meanwhile; see topics[].  They know nothing of PiP.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "peer.h"
#include "prog.h"
#include "raw.h"

#define PAGE 4096
#define SA_RESTORER 0x04000000 /* libc adds it */
#define SIZE ((size_t)PEER_PAGES * PAGE)

static struct peer *peer;

static char pattern(size_t i)
{
	return (char)(i * 7 + i / PAGE);
}

/* The call that libraries make. */
static ssize_t by_libc(long nr, pid_t pid, const struct iovec *l, unsigned long nl,
		       const struct iovec *r, unsigned long nr_remote, unsigned long flags)
{
	ssize_t n = nr == SYS_process_vm_readv ? process_vm_readv(pid, l, nl, r, nr_remote, flags)
					       : process_vm_writev(pid, l, nl, r, nr_remote, flags);

	return n < 0 ? -errno : n;
}

static ssize_t get(pid_t pid, void *to, const void *from, size_t n)
{
	struct iovec l = { to, n }, r = { (void *)from, n };

	return by_libc(SYS_process_vm_readv, pid, &l, 1, &r, 1, 0);
}

static ssize_t put(pid_t pid, const void *from, void *to, size_t n)
{
	struct iovec l = { (void *)from, n }, r = { to, n };

	return by_libc(SYS_process_vm_writev, pid, &l, 1, &r, 1, 0);
}

static char *page(int i)
{
	return peer->memory + (size_t)i * PAGE;
}

static void *map(size_t len, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	return p;
}

/* A copy that works and some that cannot. */
static void expect_guarded(void)
{
	char buf[64];

	EXPECT_INT(get(peer->owner, buf, page(1), sizeof(buf)), sizeof(buf));
	EXPECT(buf[3] == pattern(PAGE + 3));
	EXPECT_INT(get(peer->owner, buf, page(PEER_HOLE), sizeof(buf)), -EFAULT);
	EXPECT_INT(get(peer->owner, buf, page(PEER_HOLE) - 10, sizeof(buf)), 10);
	EXPECT_INT(get(peer->owner, page(PEER_HOLE), page(1), 10), -EFAULT);
	EXPECT_INT(put(peer->owner, buf, page(PEER_READ_ONLY), 10), -EFAULT);
	EXPECT_INT(get(peer->owner, buf, page(PEER_BEYOND), 10), -EFAULT);
}

/* ---- The one that is copied from and to ---- */

static void topic_owner(void)
{
	char name[] = "/tmp/peer.XXXXXX";
	char *m = map(SIZE, PROT_READ | PROT_WRITE);
	int fd = mkstemp(name);

	EXPECT(fd >= 0);
	unlink(name);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* for the kernel, if it has Yama */
	EXPECT(mmap(m + (size_t)PEER_BEYOND * PAGE, SIZE - (size_t)PEER_BEYOND * PAGE,
		    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	close(fd);
	for (size_t i = 0; i < (size_t)PEER_BEYOND * PAGE; i++)
		m[i] = pattern(i);
	EXPECT_INT(munmap(m + (size_t)PEER_HOLE * PAGE, PAGE), 0);
	EXPECT_INT(mprotect(m + (size_t)PEER_READ_ONLY * PAGE, PAGE, PROT_READ), 0);
	peer->memory = m;
	peer->owner = getpid();
	peer->ready = 1;
	WAIT_FOR(peer->leave);
}

static void topic_owner_execs(void)
{
	topic_owner();
	execl("/bin/sleep", "sleep", "60", NULL);
	_exit(EXPECT_FAILED);
}

/* Its other thread lives on, but it cannot be copied from any more. */
static void *lives_on(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void topic_owner_half(void)
{
	pthread_t t;

	topic_owner();
	EXPECT_INT(pthread_create(&t, NULL, lives_on, NULL), 0);
	pthread_exit(NULL);
}

/* ---- Copies ---- */

static void topic_copies(void)
{
	char *buf = map(SIZE, PROT_READ | PROT_WRITE), text[64] = "";
	size_t good = (size_t)PEER_HOLE * PAGE;

	EXPECT_INT(get(peer->owner, buf, peer->memory, good), good);
	for (size_t i = 0; i < good; i++)
		EXPECT(buf[i] == pattern(i));
	memset(buf, 5, good);
	EXPECT_INT(put(peer->owner, buf + 7, peer->memory + 3, 3 * PAGE), 3 * PAGE);
	EXPECT_INT(memcmp(buf, peer->memory + 3, 3 * PAGE), 0);
	EXPECT(peer->memory[3 * PAGE + 3] == pattern(3 * PAGE + 3));
	for (size_t i = 0; i < 4 * PAGE; i++)
		buf[i] = pattern(i);
	EXPECT_INT(put(peer->owner, buf, peer->memory, 4 * PAGE), 4 * PAGE);

	EXPECT_INT(get(peer->root, text, peer->text, sizeof(peer->text)), sizeof(peer->text));
	EXPECT_INT(strcmp(text, "of the root"), 0);
	strcpy(text, "of a task");
	EXPECT_INT(put(peer->root, text, peer->text, sizeof(peer->text)), sizeof(peer->text));

	EXPECT_INT(put(getpid(), "itself", buf, 7), 7);
	EXPECT_INT(get(getpid(), text, buf, 7), 7);
	EXPECT_INT(strcmp(text, "itself"), 0);
	expect_guarded();

	/* The same by syscall(2). */
	struct iovec l = { text, 8 }, r = { page(2), 8 };

	EXPECT_INT(syscall(SYS_process_vm_readv, peer->owner, &l, 1, &r, 1, 0), 8);
	EXPECT(text[5] == pattern(2 * PAGE + 5));
	if (peer->filtered)
		EXPECT_INT(raw_copy(SYS_process_vm_readv, peer->owner, &l, 1, &r, 1, 0), -EPERM);
}

/* ---- The same results as the kernel's ---- */

static unsigned seed = 1;

static unsigned number(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

/* Runs a call both ways, on equal memory, and compares results and memory. */
static void both_ways(long nr, const struct iovec *l, unsigned long nl, const struct iovec *r,
		      unsigned long nremote, unsigned long flags, char *local)
{
	static char before[SIZE], mine[SIZE], remote[SIZE];
	size_t good = (size_t)PEER_HOLE * PAGE;
	ssize_t ours, kernels;

	memcpy(before, peer->memory, good);
	for (int i = 0; i < 8 * PAGE; i++)
		local[i] = (char)number(256);
	memcpy(mine, local, (size_t)8 * PAGE);
	kernels = raw_copy(nr, peer->owner, l, nl, r, nremote, flags);
	memcpy(remote, peer->memory, good);
	memcpy(peer->memory, before, good);
	for (int i = 0; i < 8 * PAGE; i++) {
		char c = local[i];

		local[i] = mine[i];
		mine[i] = c;
	}
	ours = by_libc(nr, peer->owner, l, nl, r, nremote, flags);
	EXPECT_INT(ours, kernels);
	EXPECT_INT(memcmp(peer->memory, remote, good), 0);
	EXPECT_INT(memcmp(local, mine, (size_t)8 * PAGE), 0);
}

static void topic_parity(void)
{
	/* Eight pages, then one that is not there. */
	char *local = map((size_t)9 * PAGE, PROT_READ | PROT_WRITE);
	static struct iovec many[1025];
	long calls[] = { SYS_process_vm_readv, SYS_process_vm_writev };
	struct iovec ok = { local, 100 }, ok2 = { page(3), 100 }, zero = { local, 0 };
	struct iovec bad = { (void *)-1L, 100 }, wild = { (void *)0x4141414141414141, 8 };
	struct iovec high = { (void *)-4096L, 0 }, negative = { local, (size_t)-5 };
	struct iovec huge = { local, (size_t)1 << 62 };
	struct iovec mixed[] = { ok, zero, negative }, tail[] = { ok, bad };
	struct iovec full[] = { ok, huge, huge, huge };
	struct iovec *nowhere = (struct iovec *)page(PEER_HOLE);
	struct iovec *edge = (struct iovec *)(local + 8 * PAGE) - 1;

	EXPECT_INT(munmap(local + 8 * PAGE, PAGE), 0);
	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){ local + i, 1 };
	for (int c = 0; c < 2; c++) {
		long nr = calls[c];
		const struct iovec *const one[] = { &ok,   &ok2,      &zero, &bad,    &wild,
						    &high, &negative, &huge, nowhere, NULL };

		for (size_t a = 0; a < sizeof(one) / sizeof(one[0]); a++)
			for (size_t b = 0; b < sizeof(one) / sizeof(one[0]); b++)
				for (unsigned long n = 0; n < 4; n++)
					both_ways(nr, one[a], n & 1, one[b], n >> 1, 0, local);
		both_ways(nr, &ok, 1, &ok2, 1, 1, local);
		both_ways(nr, &ok, 1, &ok2, 1, 1UL << 40, local);
		both_ways(nr, many, 1024, many, 1024, 0, local);
		both_ways(nr, many, 1025, &ok2, 1, 0, local);
		both_ways(nr, &ok, 1, many, 1025, 0, local);
		both_ways(nr, &zero, 1, many, 1025, 0, local);
		both_ways(nr, many, 1UL << 62, &ok2, 1, 0, local);
		both_ways(nr, mixed, 2, &ok2, 1, 0, local);
		both_ways(nr, mixed, 3, &ok2, 1, 0, local);
		both_ways(nr, &ok, 1, mixed, 3, 0, local);
		both_ways(nr, tail, 2, &ok2, 1, 0, local);
		both_ways(nr, many, 500, tail, 2, 0, local);
		both_ways(nr, full, 4, &ok2, 1, 0, local);
		both_ways(nr, &ok, 1, full, 4, 0, local);
		memcpy(edge, &ok, sizeof(ok));
		both_ways(nr, edge, 2, &ok2, 1, 0, local);
		both_ways(nr, &ok, 1, edge, 2, 0, local);
	}
	/* Whatever comes, at the edges of what is there. */
	for (int round = 0; round < 1000; round++) {
		struct iovec l[4], r[4];
		unsigned nl = 1 + number(4), nremote = 1 + number(4);

		for (unsigned i = 0; i < nl; i++)
			l[i] = (struct iovec){ local + (i * 2 * PAGE) + number(PAGE),
					       number(i == nl - 1 ? 3 * PAGE : PAGE) };
		for (unsigned i = 0; i < nremote; i++)
			r[i] = (struct iovec){ page((int)(PEER_HOLE - 8 + i * 2)) + number(PAGE),
					       number(i == nremote - 1 ? 4 * PAGE : PAGE) };
		both_ways(calls[round % 2], l, nl, r, nremote, 0, local);
	}
	/* A target that does not exist, or is no task of this space. */
	EXPECT_INT(get(-5, local, page(1), 10), -ESRCH);
	EXPECT_INT(get(0, local, page(1), 10), -ESRCH);
	EXPECT_INT(get(1 << 29, local, page(1), 10), -ESRCH);
}

/* A child has other memory at the same addresses, and is asked by the kernel. */
static void topic_stranger(void)
{
	static int value = 1;
	int status, go[2], seen = 0;
	pid_t pid;
	char byte;

	expect_guarded();
	EXPECT_INT(pipe(go), 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		value = 2;
		EXPECT_INT(write(go[1], "x", 1), 1);
		pause();
		_exit(0);
	}
	EXPECT_INT(read(go[0], &byte, 1), 1);
	EXPECT_INT(get(pid, &seen, &value, sizeof(seen)), peer->filtered ? -EPERM : 4);
	EXPECT_INT(seen, peer->filtered ? 0 : 2);
	kill(pid, SIGKILL);
	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT_INT(get(pid, &seen, &value, sizeof(seen)), peer->filtered ? -EPERM : -ESRCH);
}

/* ---- Forked children: each has other memory at the same addresses, whoever looks ---- */

static int own = 1;

static void reads(pid_t pid, int want)
{
	int seen = 0;

	EXPECT_INT(get(pid, &seen, &own, sizeof(seen)), sizeof(seen));
	EXPECT_INT(seen, want);
}

static void become(int number)
{
	own = number;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	reads(getpid(), number);
}

static void ends_well(pid_t pid)
{
	int status = -1;

	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT_INT(status, 0);
}

static pid_t family[3]; /* parent, elder, younger */

/* In the younger, in several threads. */
static void *reads_all(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		reads(family[0], 1);
		reads(family[1], 7);
		reads(family[2], 3);
	}
	return NULL;
}

static void grandchild(int ready, int go)
{
	char byte;

	become(4);
	reads(getppid(), 3);
	EXPECT_INT(write(ready, "x", 1), 1);
	EXPECT_INT(read(go, &byte, 1), 1);
	_exit(0);
}

static void younger(void)
{
	const int seven = 7;
	pthread_t thread[4];
	int ready[2], go[2];
	char byte;
	pid_t pid;

	family[2] = getpid();
	become(3);
	reads(family[0], 1);
	reads(family[1], 2);
	EXPECT_INT(put(family[1], &seven, &own, sizeof(own)), sizeof(own));
	EXPECT_INT(own, 3);
	EXPECT_INT(syscall(SYS_kcmp, family[2], family[2], KCMP_VM, 0, 0), 0);
	EXPECT(syscall(SYS_kcmp, family[2], family[1], KCMP_VM, 0, 0) > 0);
	EXPECT(syscall(SYS_kcmp, family[2], family[0], KCMP_VM, 0, 0) > 0);
	for (int i = 0; i < 4; i++)
		EXPECT_INT(pthread_create(&thread[i], NULL, reads_all, NULL), 0);
	for (int i = 0; i < 4; i++)
		EXPECT_INT(pthread_join(thread[i], NULL), 0);
	EXPECT_INT(pipe(ready), 0);
	EXPECT_INT(pipe(go), 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		grandchild(ready[1], go[0]);
	EXPECT_INT(read(ready[0], &byte, 1), 1);
	reads(pid, 4);
	reads(getpid(), 3);
	reads(family[0], 1);
	reads(family[1], 7);
	EXPECT_INT(write(go[1], "x", 1), 1);
	ends_well(pid);
	_exit(0);
}

static void topic_family(void)
{
	int ready[2], go[2], seen;
	char byte;
	pid_t pid;

	EXPECT_INT(pipe(ready), 0);
	EXPECT_INT(pipe(go), 0);
	family[0] = getpid();
	become(1);
	family[1] = fork();
	EXPECT(family[1] >= 0);
	if (family[1] == 0) {
		become(2);
		reads(family[0], 1);
		EXPECT_INT(write(ready[1], "x", 1), 1);
		EXPECT_INT(read(go[0], &byte, 1), 1);
		EXPECT_INT(own, 7);
		_exit(0);
	}
	EXPECT_INT(read(ready[0], &byte, 1), 1);
	reads(family[1], 2);
	EXPECT(syscall(SYS_kcmp, family[0], family[1], KCMP_VM, 0, 0) > 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		younger();
	ends_well(pid);
	reads(family[1], 7);
	EXPECT_INT(own, 1);
	EXPECT_INT(write(go[1], "x", 1), 1);
	ends_well(family[1]);
	EXPECT_INT(get(family[1], &seen, &own, sizeof(seen)), -ESRCH);
}

/* Until it executes a program, and from then on that; at no moment there is nobody. */
static void topic_family_execs(void)
{
	int ready[2], status, seen;
	ssize_t n;
	char byte;
	pid_t pid;

	EXPECT_INT(pipe(ready), 0);
	for (int i = 0; i < 20; i++) {
		pid = fork();
		EXPECT(pid >= 0);
		if (pid == 0) {
			become(2);
			EXPECT_INT(write(ready[1], "x", 1), 1);
			execl("/bin/sleep", "sleep", "60", NULL);
			_exit(EXPECT_FAILED);
		}
		EXPECT_INT(read(ready[0], &byte, 1), 1);
		do {
			seen = 0;
			n = get(pid, &seen, &own, sizeof(seen));
			EXPECT(n == -EFAULT || n == (ssize_t)sizeof(seen));
		} while (seen == 2);
		kill(pid, SIGKILL);
		EXPECT_INT(waitpid(pid, &status, 0), pid);
		EXPECT_INT(get(pid, &seen, &own, sizeof(seen)), -ESRCH);
	}
}

/* When the owner's memory is left behind, by its end or by execve. */
static void topic_leaves(void)
{
	char buf[16];
	ssize_t n;

	EXPECT_INT(get(peer->owner, buf, page(1), 16), 16);
	EXPECT_INT(syscall(SYS_kcmp, getpid(), peer->owner, KCMP_VM, 0, 0), 0);
	peer->leave = 1;
	WAIT_FOR((n = get(peer->owner, buf, page(1), 16)) != 16);
	if (peer->filtered) {
		EXPECT_INT(n, -EPERM);
		EXPECT_INT(syscall(SYS_kcmp, getpid(), peer->owner, KCMP_VM, 0, 0), -1);
	} else {
		EXPECT(n == -ESRCH || n == -EFAULT);
	}
}

/* Copies from whoever is there while owners come and go, and their memory with them. */
static void topic_chaser(void)
{
	char *buf = map(SIZE, PROT_READ | PROT_WRITE);
	size_t good = (size_t)PEER_HOLE * PAGE;

	while (!peer->stop) {
		ssize_t n = peer->owner ? get(peer->owner, buf, peer->memory, good) : 0;

		if (n == (ssize_t)good)
			peer->chased++;
		else
			EXPECT(n >= 0 || n == -EFAULT || n == -ESRCH || n == -EPERM);
	}
}

/* ---- Signals ---- */

static volatile int handled, handled_code;
static void *volatile handled_at;
static char *altstack;
static sigjmp_buf back;

#define ALTSTACK (64 * 1024)

static void note(int sig, siginfo_t *info, void *context)
{
	char here;
	sigset_t now;

	(void)context;
	handled++;
	handled_at = info->si_addr;
	handled_code = info->si_code;
	EXPECT(sig == SIGSEGV || sig == SIGBUS);
	EXPECT(&here >= altstack && &here < altstack + ALTSTACK);
	EXPECT_INT(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	EXPECT(sigismember(&now, sig) && sigismember(&now, SIGUSR2));
	EXPECT(!sigismember(&now, SIGUSR1));
	/* In here both are blocked, or may be. */
	if (peer->ready)
		expect_guarded();
	siglongjmp(back, 1);
}

static void set_note(int sig)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_size = ALTSTACK };

	if (!altstack)
		altstack = map(ALTSTACK, PROT_READ | PROT_WRITE);
	ss.ss_sp = altstack;
	EXPECT_INT(sigaltstack(&ss, NULL), 0);
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	EXPECT_INT(sigaction(sig, &sa, NULL), 0);
}

static void expect_action(int sig, void *handler, int flags)
{
	struct sigaction sa;

	EXPECT_INT(sigaction(sig, NULL, &sa), 0);
	EXPECT_INT((intptr_t)sa.sa_handler, (intptr_t)handler);
	EXPECT_INT(sa.sa_flags & ~SA_RESTORER, flags);
}

/* Touches what is not there; the handler must hear of just that. */
static void fault(char *at, int code)
{
	int before = handled;

	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)at;
	EXPECT_INT(handled, before + 1);
	EXPECT(handled_at == at);
	EXPECT_INT(handled_code, code);
}

static void faults(void)
{
	fault(page(PEER_HOLE) + 5, SEGV_MAPERR);
	fault(page(PEER_BEYOND) + 5, BUS_ADRERR);
}

static void topic_handler_before(void)
{
	set_note(SIGSEGV);
	set_note(SIGBUS);
	expect_guarded();
	expect_action(SIGSEGV, note, SA_SIGINFO | SA_ONSTACK);
	expect_action(SIGBUS, note, SA_SIGINFO | SA_ONSTACK);
	for (int i = 0; i < 3; i++) {
		faults();
		expect_guarded();
	}
}

static void topic_handler_after(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	struct sigaction old;

	expect_guarded();
	expect_action(SIGSEGV, SIG_DFL, 0);
	expect_action(SIGBUS, SIG_DFL, 0);
	EXPECT(signal(SIGSEGV, SIG_IGN) == SIG_DFL);
	EXPECT(signal(SIGSEGV, SIG_DFL) == SIG_IGN);
	set_note(SIGSEGV);
	set_note(SIGBUS);
	expect_action(SIGSEGV, note, SA_SIGINFO | SA_ONSTACK);
	expect_guarded();
	faults();
	EXPECT_INT(sigaction(SIGSEGV, &sa, &old), 0);
	EXPECT(old.sa_sigaction == note && sigismember(&old.sa_mask, SIGUSR2));
	EXPECT_INT(sigaction(SIGSEGV, &old, &sa), 0);
	EXPECT(sa.sa_handler == SIG_DFL);
	faults();
	/* Only the kernel can tell what cannot be read, or written. */
	errno = 0;
	EXPECT_INT(syscall(SYS_rt_sigaction, SIGSEGV, page(PEER_HOLE), NULL, 8), -1);
	EXPECT_INT(errno, EFAULT);
	EXPECT_INT(syscall(SYS_rt_sigaction, SIGBUS, NULL, page(PEER_HOLE), 8), -1);
	EXPECT_INT(errno, EFAULT);
	EXPECT_INT(syscall(SYS_rt_sigaction, SIGBUS, NULL, NULL, 4), -1);
	EXPECT_INT(errno, EINVAL);
	faults();
	expect_guarded();
}

static void once(int sig)
{
	(void)sig;
	handled++;
	expect_action(SIGSEGV, SIG_DFL, (int)SA_RESETHAND);
	expect_guarded();
}

/* Ends by SIGSEGV: the second time there is no handler. */
static void topic_handler_once(void)
{
	struct sigaction sa = { .sa_handler = once, .sa_flags = (int)SA_RESETHAND };

	EXPECT_INT(sigaction(SIGSEGV, &sa, NULL), 0);
	expect_guarded();
	expect_action(SIGSEGV, once, (int)SA_RESETHAND);
	*(volatile char *)page(PEER_HOLE);
	_exit(EXPECT_FAILED);
}

static void topic_default_fault(void)
{
	expect_guarded();
	*(volatile char *)page(PEER_HOLE);
	_exit(EXPECT_FAILED);
}

static void topic_default_bus(void)
{
	expect_guarded();
	*(volatile char *)page(PEER_BEYOND);
	_exit(EXPECT_FAILED);
}

static void topic_default_sent(void)
{
	expect_guarded();
	kill(getpid(), SIGSEGV);
	_exit(EXPECT_FAILED);
}

static void topic_blocked(void)
{
	sigset_t both, pending;
	struct timespec now = { 0, 0 };

	expect_guarded();
	sigemptyset(&both);
	sigaddset(&both, SIGSEGV);
	sigaddset(&both, SIGBUS);
	EXPECT_INT(sigprocmask(SIG_BLOCK, &both, NULL), 0);
	raise(SIGSEGV);
	expect_guarded();
	topic_copies();
	EXPECT_INT(sigpending(&pending), 0);
	EXPECT(sigismember(&pending, SIGSEGV) && !sigismember(&pending, SIGBUS));
	EXPECT_INT(sigtimedwait(&both, NULL, &now), SIGSEGV);
	EXPECT_INT(sigprocmask(SIG_UNBLOCK, &both, NULL), 0);
	expect_guarded();
}

static void topic_ignored(void)
{
	signal(SIGBUS, SIG_IGN);
	expect_guarded();
	signal(SIGSEGV, SIG_IGN);
	expect_action(SIGBUS, SIG_IGN, SA_RESTART);
	expect_guarded();
	raise(SIGSEGV);
	raise(SIGBUS);
	topic_copies();
	/* What execve hands on. */
	EXPECT_INT(system("sed -n '/^SigIgn:/p' /proc/self/status | grep -q '[4-7c-f][4-7c-f].$'"),
		   0);
	set_note(SIGSEGV);
	set_note(SIGBUS);
	EXPECT_INT(system("sed -n '/^SigIgn:/p' /proc/self/status | grep -q '[0-38-b][0-38-b].$'"),
		   0);
	expect_guarded();
	faults();
}

static void collect(pid_t pid, int want)
{
	int status = 0;

	EXPECT(pid > 0);
	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT_INT(status, want);
}

static void topic_forks(void)
{
	pid_t pid;

	set_note(SIGSEGV);
	expect_guarded();
	pid = fork();
	if (pid == 0) {
		/* An ordinary process, with its parent's settings. */
		peer->ready = 1;
		expect_action(SIGSEGV, note, SA_SIGINFO | SA_ONSTACK);
		expect_action(SIGBUS, SIG_DFL, 0);
		set_note(SIGBUS);
		peer = &(struct peer){ 0 }; /* its handler makes no copies */
		altstack[0] = 0;
		fault((char *)PAGE, SEGV_MAPERR);
		EXPECT((void *)signal(SIGSEGV, SIG_DFL) == (void *)note);
		expect_action(SIGSEGV, SIG_DFL, SA_RESTART);
		_exit(0);
	}
	collect(pid, 0);
	pid = fork();
	if (pid == 0) {
		raise(SIGBUS);
		_exit(EXPECT_FAILED);
	}
	collect(pid, SIGBUS);
	/* One that shares our memory, as a shell makes it. */
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is tested */
	pid = vfork();
	if (pid == 0) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Vfork): shells do it all the same */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_IGN);
		_exit(0);
	}
	collect(pid, 0);
	expect_action(SIGSEGV, note, SA_SIGINFO | SA_ONSTACK);
	expect_action(SIGBUS, SIG_DFL, 0);
	expect_guarded();
	set_note(SIGBUS);
	faults();
}

#define THREADS 4
#define ROUNDS 300

static void *in_thread(void *arg)
{
	char *buf = map((size_t)4 * PAGE, PROT_READ | PROT_WRITE);

	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_INT(get(peer->owner, buf, page(PEER_HOLE - 4), 4 * PAGE), 4 * PAGE);
		EXPECT(buf[i] == pattern((size_t)(PEER_HOLE - 4) * PAGE + (size_t)i));
		EXPECT_INT(get(peer->owner, buf, page(PEER_HOLE - 2) + 9, 4 * PAGE), 2 * PAGE - 9);
		expect_guarded();
		if (arg && i % 10 == 0)
			set_note(i % 20 ? SIGSEGV : SIGBUS);
	}
	return NULL;
}

static void topic_threads(void)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		EXPECT_INT(pthread_create(&thread[i], NULL, in_thread, i ? NULL : peer), 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT_INT(pthread_join(thread[i], NULL), 0);
	set_note(SIGSEGV);
	faults();
}

/* ---- What MPI libraries ask first ---- */

static void topic_probes(void)
{
	char eight[8] = "8 bytes";

	EXPECT_INT(syscall(SYS_kcmp, getpid(), peer->owner, KCMP_VM, 0, 0), 0);
	EXPECT_INT(syscall(SYS_kcmp, peer->owner, getpid(), KCMP_VM, 0, 0), 0);
	EXPECT_INT(syscall(SYS_kcmp, peer->root, peer->owner, KCMP_VM, 0, 0), 0);
	EXPECT_INT(syscall(SYS_kcmp, getpid(), 1 << 29, KCMP_VM, 0, 0), -1);
	EXPECT_INT(errno, peer->filtered ? EPERM : ESRCH);
	EXPECT_INT(put(getpid(), eight, eight, sizeof(eight)), sizeof(eight));
	if (peer->filtered) {
		EXPECT_INT(syscall(SYS_kcmp, getpid(), peer->owner, KCMP_FS, 0, 0), -1);
		EXPECT_INT(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0), 0);
	}
}

/* Yama is there, with a value that is not 0 or cannot be read. */
static void topic_scope(void)
{
	static const char path[] = "/proc/sys/kernel/yama/ptrace_scope";
	FILE *f = fopen(path, "re");
	int fd, value = -1;
	char text[8];

	EXPECT(f != NULL);
	EXPECT_INT(fcntl(fileno(f), F_GETFD), FD_CLOEXEC);
	EXPECT_INT(fscanf(f, "%d", &value), 1);
	EXPECT_INT(value, 0);
	fclose(f);
	fd = open(path, O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_INT(fcntl(fd, F_GETFD), 0);
	EXPECT_INT(read(fd, text, sizeof(text)), 2);
	EXPECT_INT(memcmp(text, "0\n", 2), 0);
	EXPECT_INT(read(fd, text, sizeof(text)), 0);
	close(fd);
}

static void topic_no_scope(void)
{
	EXPECT_INT(open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY), -1);
	EXPECT_INT(errno, ENOENT);
}

static const struct topic {
	const char *name;
	void (*run)(void);
} topics[] = {
	{ "owner", topic_owner },
	{ "owner_execs", topic_owner_execs },
	{ "owner_half", topic_owner_half },
	{ "copies", topic_copies },
	{ "parity", topic_parity },
	{ "stranger", topic_stranger },
	{ "family", topic_family },
	{ "family_execs", topic_family_execs },
	{ "leaves", topic_leaves },
	{ "chaser", topic_chaser },
	{ "handler_before", topic_handler_before },
	{ "handler_after", topic_handler_after },
	{ "handler_once", topic_handler_once },
	{ "default_fault", topic_default_fault },
	{ "default_bus", topic_default_bus },
	{ "default_sent", topic_default_sent },
	{ "blocked", topic_blocked },
	{ "ignored", topic_ignored },
	{ "forks", topic_forks },
	{ "threads", topic_threads },
	{ "probes", topic_probes },
	{ "scope", topic_scope },
	{ "no_scope", topic_no_scope },
};

int main(int argc, char **argv)
{
	EXPECT_INT(argc, 3);
	peer = (struct peer *)strtoul(argv[2], NULL, 16);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (strcmp(topics[i].name, argv[1]) == 0) {
			topics[i].run();
			return 0;
		}
	}
	return EXPECT_FAILED;
}
