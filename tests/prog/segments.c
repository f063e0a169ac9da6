/* segments.c - tasks that use XPMEM; segments.h has their arguments. */
#include <errno.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "prog.h"
#include "segments.h"

#define MODE(bits) ((void *)(uintptr_t)(bits))
#define EXPECT_ERRNO(expr, err)                                                                    \
	do {                                                                                       \
		errno = 0;                                                                         \
		EXPECT_INT((intptr_t)(expr), -1);                                                  \
		EXPECT_INT(errno, err);                                                            \
	} while (0)

static xpmem_segid_t make(int mode)
{
	return xpmem_make(0, XPMEM_MAXADDR_SIZE, XPMEM_PERMIT_MODE, MODE(mode));
}

static xpmem_apid_t get(xpmem_segid_t segid, int flags)
{
	return xpmem_get(segid, flags, XPMEM_PERMIT_MODE, NULL);
}

static void *attach(xpmem_apid_t apid, volatile void *at, size_t len)
{
	return xpmem_attach((struct xpmem_addr){ apid, (off_t)(uintptr_t)at }, len, NULL);
}

/* Attaches, is told that the segment is gone, and sees what becomes of what it has. */
START(segments_remove_while_attached)
{
	struct peer *p = arg;
	xpmem_apid_t apid = get(p->theirs, XPMEM_RDWR);
	_Atomic long *there = attach(apid, p->item, sizeof(long));

	EXPECT(apid > 0);
	EXPECT(there == p->item);
	EXPECT_INT(*there, 42);
	*there = 43;
	/* Only its owner may. */
	EXPECT_ERRNO(xpmem_remove(p->theirs), EACCES);
	p->step = 1;
	WAIT_FOR(p->go == 1);
	EXPECT_INT(*there, 44);
	*there = 45;
	EXPECT_ERRNO(attach(apid, p->item, sizeof(long)), ENOENT);
	EXPECT_ERRNO(get(p->theirs, XPMEM_RDWR), ENOENT);
	EXPECT_ERRNO(xpmem_remove(p->theirs), ENOENT);
	EXPECT_INT(xpmem_detach(there), 0);
	EXPECT_INT(xpmem_release(apid), 0);
	EXPECT_ERRNO(xpmem_release(apid), ENOENT);
	EXPECT_INT(*there, 45);
	return 0;
}

START(segments_semantics)
{
	struct peer *p = arg;
	static char own[3 * 4096];
	char *page = (char *)(((uintptr_t)own + 4095) & ~4095UL), local = 0;
	xpmem_apid_t first = get(p->theirs, XPMEM_RDWR), second = get(p->theirs, XPMEM_RDONLY),
		     of_page;
	xpmem_segid_t segid;
	void *there;

	EXPECT(first > 0);
	EXPECT(second > 0);
	EXPECT(first != second);
	EXPECT(first != p->theirs);
	there = attach(first, p->item, sizeof(long));
	EXPECT(there == p->item);
	EXPECT(attach(first, p->item, sizeof(long)) == there);
	EXPECT(attach(second, p->item, sizeof(long)) == there);
	EXPECT_INT(xpmem_detach(there), 0);
	EXPECT_INT(xpmem_detach(there), 0);
	EXPECT_INT(xpmem_detach(there), 0);
	EXPECT_INT(xpmem_detach(there), 0); /* nothing there any more, which is no error */
	EXPECT_INT(xpmem_release(first), 0);
	EXPECT_ERRNO(attach(first, p->item, sizeof(long)), ENOENT);
	EXPECT(attach(second, p->item, sizeof(long)) == there);
	EXPECT_INT(xpmem_release(second), 0);
	EXPECT_INT(xpmem_detach(there), 0); /* released with it */

	/* One page of one's own: offsets are from its start. */
	segid = xpmem_make(page, 4096, XPMEM_PERMIT_MODE, MODE(0600));
	EXPECT(segid > 0);
	of_page = get(segid, XPMEM_RDWR);
	EXPECT(of_page > 0);
	EXPECT(xpmem_attach((struct xpmem_addr){ of_page, 8 }, 100, NULL) == page + 8);
	EXPECT(xpmem_attach((struct xpmem_addr){ of_page, 8 }, 4088, page) == page + 8);
	EXPECT_ERRNO(xpmem_attach((struct xpmem_addr){ of_page, 8 }, 4089, NULL), EINVAL);
	EXPECT_ERRNO(xpmem_attach((struct xpmem_addr){ of_page, 4096 }, 1, NULL), EINVAL);
	EXPECT_ERRNO(xpmem_attach((struct xpmem_addr){ of_page, -1 }, 1, NULL), EINVAL);
	EXPECT_ERRNO(xpmem_attach((struct xpmem_addr){ of_page, 0 }, 0, NULL), EINVAL);
	EXPECT_ERRNO(xpmem_attach((struct xpmem_addr){ of_page, 0 }, 1, page + 4096), EINVAL);
	EXPECT_ERRNO(xpmem_attach((struct xpmem_addr){ of_page, 0 }, 1, page + 1), EINVAL);
	EXPECT_INT(xpmem_detach(page + 8), 0);
	EXPECT_INT(xpmem_detach(page), 0);
	EXPECT_ERRNO(xpmem_detach(page), EINVAL);
	EXPECT(xpmem_attach((struct xpmem_addr){ of_page, 0 }, 1, NULL) == page);
	EXPECT_INT(xpmem_release(of_page), 0);
	EXPECT_ERRNO(xpmem_detach(page), EINVAL);
	EXPECT_ERRNO(xpmem_detach(&local), EINVAL);
	EXPECT_INT(xpmem_remove(segid), 0);
	EXPECT_ERRNO(xpmem_remove(segid), ENOENT);
	return 0;
}

/* For users without rights: what a mode does not grant cannot be had. */
START(segments_permits)
{
	static const struct {
		int mode, flags, err;
	} cases[] = {
		{ 0600, XPMEM_RDWR, 0 },      { 0600, XPMEM_RDONLY, 0 },
		{ 0400, XPMEM_RDONLY, 0 },    { 0400, XPMEM_RDWR, EACCES },
		{ 0200, XPMEM_RDWR, EACCES }, { 0200, XPMEM_RDONLY, EACCES },
		{ 0066, XPMEM_RDWR, EACCES }, { 0000, XPMEM_RDONLY, EACCES },
		{ 0666, XPMEM_RDWR, 0 },      { 0444, XPMEM_RDWR, EACCES },
		{ 0444, XPMEM_RDONLY, 0 },    { 0777, XPMEM_RDWR, 0 },
	};
	const xpmem_segid_t *roots = arg; /* of user 0, if there are any: modes 0600, 0644, 0666 */

	if (geteuid() == 0) {
		EXPECT_INT(setgroups(0, NULL), 0);
		EXPECT_INT(setresgid(65534, 65534, 65534), 0);
		EXPECT_INT(setresuid(65534, 65534, 65534), 0);
		EXPECT_ERRNO(get(roots[0], XPMEM_RDONLY), EACCES);
		EXPECT_ERRNO(get(roots[1], XPMEM_RDWR), EACCES);
		EXPECT(get(roots[1], XPMEM_RDONLY) > 0);
	}
	EXPECT(get(roots[2], XPMEM_RDWR) > 0);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		xpmem_segid_t segid = make(cases[i].mode);

		EXPECT(segid > 0);
		if (cases[i].err)
			EXPECT_ERRNO(get(segid, cases[i].flags), cases[i].err);
		else
			EXPECT(get(segid, cases[i].flags) > 0);
	}
	return 0;
}

/* Makes a segment, tells, and stays until it is let go or killed. */
START(segments_owner)
{
	struct peer *p = arg;

	p->apid = get(p->theirs, XPMEM_RDWR);
	EXPECT(p->apid > 0);
	EXPECT(attach(p->apid, p->item, sizeof(long)) == p->item);
	p->mine = make(0666);
	EXPECT(p->mine > 0);
	p->step = 1;
	WAIT_FOR(p->go == 1);
	if (p->leave_by_exit)
		exit(0);
	_exit(0);
}

static void *storm(void *arg)
{
	struct peer *p = arg;
	xpmem_segid_t segid[3];

	do {
		for (int i = 0; i < 3; i++) {
			xpmem_apid_t apid;

			segid[i] = make(0666);
			apid = get(segid[i], XPMEM_RDWR);
			if (segid[i] <= 0 || apid <= 0 ||
			    attach(apid, p->item, sizeof(long)) != p->item ||
			    xpmem_detach(p->item) != 0 || xpmem_release(apid) != 0)
				p->bad++;
			p->mine = segid[i];
		}
		for (int i = 0; i < 3; i++)
			if (xpmem_remove(segid[i]) || get(segid[i], XPMEM_RDONLY) != -1)
				p->bad++;
		p->made += 3;
	} while (p->go == 0);
	return NULL;
}

/* Four threads make and remove, until they are told to stop or killed. */
START(segments_storm)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		EXPECT_INT(pthread_create(&thread[i], NULL, storm, arg), 0);
	for (int i = 0; i < 4; i++)
		EXPECT_INT(pthread_join(thread[i], NULL), 0);
	return 0;
}

static int compare(const void *a, const void *b)
{
	xpmem_segid_t x = *(const xpmem_segid_t *)a, y = *(const xpmem_segid_t *)b;

	return (x > y) - (x < y);
}

/* Thousands at once; numbers that were used are not used again. */
START(segments_thousands)
{
	enum {
		N = 20000
	};
	static xpmem_segid_t id[2 * N];
	static xpmem_apid_t apid[N];

	(void)arg;
	for (int i = 0; i < N; i++) {
		id[i] = make(0600);
		EXPECT(id[i] > 0);
		apid[i] = get(id[i], XPMEM_RDWR);
		EXPECT(apid[i] > 0);
	}
	for (int i = 0; i < N; i++) {
		EXPECT(attach(apid[i], &id[i], 1) == &id[i]);
		EXPECT_INT(xpmem_release(apid[i]), 0);
	}
	for (int i = 0; i < N; i++)
		EXPECT_INT(xpmem_remove(id[i]), 0);
	for (int i = N; i < 2 * N; i++) {
		id[i] = make(0600);
		EXPECT(id[i] > 0);
	}
	for (int i = 0; i < N; i++) {
		EXPECT_ERRNO(get(id[i], XPMEM_RDWR), ENOENT);
		EXPECT_ERRNO(xpmem_remove(id[i]), ENOENT);
		EXPECT_ERRNO(attach(apid[i], &id[i], 1), ENOENT);
	}
	qsort(id, 2 * N, sizeof(id[0]), compare);
	for (int i = 1; i < 2 * N; i++)
		EXPECT(id[i - 1] != id[i]);
	return 0;
}

/* As many as there can be; and then it ends with all of them. */
START(segments_all)
{
	_Atomic long *made = arg;
	long n = 0;

	while (make(0600) > 0)
		n++;
	EXPECT_INT(errno, ENOMEM);
	*made = n;
	_exit(0);
}

/* Leaves a forked child, which is no part of the space, to find that out. */
START(segments_fork)
{
	struct peer *p = arg;
	xpmem_segid_t theirs = p->theirs;
	xpmem_apid_t apid = get(theirs, XPMEM_RDWR);
	xpmem_segid_t mine = make(0600);
	int status = -1;
	pid_t pid = fork();

	EXPECT(pid >= 0);
	if (pid == 0) {
		EXPECT_ERRNO(xpmem_version(), ENOENT);
		EXPECT_ERRNO(xpmem_init(), ENOENT);
		EXPECT_ERRNO(make(0600), ENOENT);
		EXPECT_ERRNO(get(theirs, XPMEM_RDWR), ENOENT);
		EXPECT_ERRNO(attach(apid, &status, 1), ENOENT);
		EXPECT_ERRNO(xpmem_detach(&status), ENOENT);
		EXPECT_ERRNO(xpmem_release(apid), ENOENT);
		EXPECT_ERRNO(xpmem_remove(mine), ENOENT);
		exit(0); /* with destructors: they must not take the parent's segments away */
	}
	EXPECT_INT(waitpid(pid, &status, 0), pid);
	EXPECT_INT(status, 0);
	EXPECT(get(mine, XPMEM_RDWR) > 0);
	EXPECT_INT(xpmem_remove(mine), 0);
	EXPECT_INT(xpmem_release(apid), 0);
	return 0;
}

/* Under the strictest of seccomp's modes, in which any other system call than those is the end. */
START(segments_no_system_call)
{
	struct peer *p = arg;
	int good = 1;

	EXPECT_INT(xpmem_init(), 0);
	EXPECT_INT(xpmem_release(get(p->theirs, XPMEM_RDWR)), 0);
	EXPECT_INT(xpmem_remove(make(0600)), 0);
	syscall(SYS_gettid); /* libpip-preload.so's syscall() first looks for libc's */
	EXPECT_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), 0);
	for (int i = 0; i < 1000; i++) {
		xpmem_segid_t segid = make(0600);
		xpmem_apid_t apid = get(segid, XPMEM_RDWR), other = get(p->theirs, XPMEM_RDWR);

		good &= attach(other, p->item, sizeof(long)) == p->item;
		good &= xpmem_detach(p->item) == 0;
		good &= xpmem_release(other) == 0 && xpmem_release(apid) == 0;
		good &= xpmem_remove(segid) == 0;
	}
	syscall(SYS_exit, !good);
	return 1;
}

int main(void)
{
	return EXPECT_FAILED;
}
