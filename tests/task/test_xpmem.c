/*
 * test_xpmem.c - the XPMEM interface: who may do what with which id, and what is left of it when
 * its owner is gone; and programs that know nothing but that interface.
 */
#include <errno.h>

#include "root.h"
#include "../prog/segments.h"

#define MODE(bits) ((void *)(uintptr_t)(bits))
#define check_errno(expr, err)                                                                     \
	do {                                                                                       \
		errno = 0;                                                                         \
		check_int((intptr_t)(expr), -1);                                                   \
		check_int(errno, err);                                                             \
	} while (0)

static _Atomic long item = 42;

static xpmem_segid_t make(int mode)
{
	xpmem_segid_t segid = xpmem_make(0, XPMEM_MAXADDR_SIZE, XPMEM_PERMIT_MODE, MODE(mode));

	check(segid > 0);
	return segid;
}

static xpmem_apid_t get(xpmem_segid_t segid, int flags)
{
	return xpmem_get(segid, flags, XPMEM_PERMIT_MODE, NULL);
}

static void *attach(xpmem_apid_t apid, volatile void *at)
{
	return xpmem_attach((struct xpmem_addr){ apid, (off_t)(uintptr_t)at }, 8, NULL);
}

static void all_fail(xpmem_segid_t segid, xpmem_apid_t apid)
{
	check_errno(xpmem_version(), ENOENT);
	check_errno(xpmem_init(), ENOENT);
	check_errno(xpmem_make(0, XPMEM_MAXADDR_SIZE, XPMEM_PERMIT_MODE, MODE(0666)), ENOENT);
	check_errno(xpmem_remove(segid), ENOENT);
	check_errno(get(segid, XPMEM_RDWR), ENOENT);
	check_errno(xpmem_release(apid), ENOENT);
	check_errno(attach(apid, &item), ENOENT);
	check_errno(xpmem_detach((void *)&item), ENOENT);
}

/* ---- Who is there -------------------------------------------------------------------------- */

static void outside(void)
{
	xpmem_segid_t segid;
	xpmem_apid_t apid;

	all_fail(1, 1);
	root_init(1);
	check_int(xpmem_version(), XPMEM_CURRENT_VERSION);
	check_int(xpmem_init(), 0);
	segid = make(0600);
	apid = get(segid, XPMEM_RDWR);
	check(apid > 0);
	check_ptr(attach(apid, &item), &item);
	root_fin();
	all_fail(segid, apid);

	/* Another space: the ids of before are nobody's. */
	root_init(1);
	make(0600);
	check_errno(get(segid, XPMEM_RDWR), ENOENT);
	check_errno(attach(apid, &item), ENOENT);
	check_int(xpmem_release(apid), 0);
	root_fin();
}

/* Two spaces at a time, each with as many segments as the other. */
static void other_space(void)
{
	xpmem_segid_t segid[100];
	int status = -1;
	pid_t pid;

	root_init(1);
	for (int i = 0; i < LENGTH(segid); i++)
		segid[i] = make(0666);
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		all_fail(segid[0], 1);
		root_init(1);
		for (int i = 0; i < LENGTH(segid); i++)
			make(0666);
		for (int i = 0; i < LENGTH(segid); i++) {
			check_errno(get(segid[i], XPMEM_RDWR), ENOENT);
			check_errno(xpmem_remove(segid[i]), ENOENT);
		}
		root_fin();
		_exit(0);
	}
	check_int(waitpid(pid, &status, 0), pid);
	check_int(status, 0);
	for (int i = 0; i < LENGTH(segid); i++)
		check(get(segid[i], XPMEM_RDWR) > 0);
	root_fin();
}

static void forked_child(void)
{
	struct peer peer = { .item = &item };

	root_init(1);
	peer.theirs = make(0600);
	task_exits(task_func(PROG("segments"), "segments_fork", &peer), 0);
	root_fin();
}

/* ---- Arguments ----------------------------------------------------------------------------- */

static void bad_arguments(void)
{
	static const xpmem_segid_t no_ids[] = { 0, -1, INTPTR_MIN };
	static char page[4096] __attribute__((aligned(4096)));
	xpmem_segid_t segid;
	xpmem_apid_t apid;

	root_init(1);
	check_errno(xpmem_make(0, 0, XPMEM_PERMIT_MODE, MODE(0600)), EINVAL);
	check_errno(xpmem_make(page + 1, 4096, XPMEM_PERMIT_MODE, MODE(0600)), EINVAL);
	check_errno(xpmem_make(page, 100, XPMEM_PERMIT_MODE, MODE(0600)), EINVAL);
	check_errno(xpmem_make(page, 1UL << 62, XPMEM_PERMIT_MODE, MODE(0600)), EINVAL);
	check_errno(xpmem_make(MODE(1UL << 62), 4096, XPMEM_PERMIT_MODE, MODE(0600)), EINVAL);
	check_errno(xpmem_make(page, 4096, 0, MODE(0600)), EINVAL);
	check_errno(xpmem_make(page, 4096, 77, MODE(0600)), EINVAL);
	check_errno(xpmem_make(page, 4096, XPMEM_PERMIT_MODE, MODE(01000)), EINVAL);
	for (int i = 0; i < LENGTH(no_ids); i++) {
		check_errno(xpmem_remove(no_ids[i]), EINVAL);
		check_errno(get(no_ids[i], XPMEM_RDWR), EINVAL);
		check_errno(xpmem_release(no_ids[i]), EINVAL);
		check_errno(attach(no_ids[i], &item), EINVAL);
	}
	segid = xpmem_make(page, 4096, XPMEM_PERMIT_MODE, MODE(0600));
	check(segid > 0);
	check_errno(xpmem_get(segid, 3, XPMEM_PERMIT_MODE, NULL), EINVAL);
	check_errno(xpmem_get(segid, 4, XPMEM_PERMIT_MODE, NULL), EINVAL);
	check_errno(xpmem_get(segid, XPMEM_RDWR, 0, NULL), EINVAL);
	check_errno(xpmem_get(segid, XPMEM_RDWR, XPMEM_PERMIT_MODE, MODE(0600)), EINVAL);
	apid = get(segid, XPMEM_RDWR);
	check(apid > 0);
	/* Near misses. */
	for (int bit = 0; bit < 63; bit++) {
		check_errno(get(segid ^ 1L << bit, XPMEM_RDWR), ENOENT);
		check_errno(xpmem_remove(segid ^ 1L << bit), ENOENT);
		check_errno(xpmem_release(apid ^ 1L << bit), ENOENT);
		check_errno(attach(apid ^ 1L << bit, 0), ENOENT);
	}
	check_ptr(attach(apid, 0), page);
	check_int(xpmem_release(apid), 0);
	check_int(xpmem_remove(segid), 0);
	root_fin();
}

static void semantics(void)
{
	struct peer peer = { .item = &item };

	root_init(1);
	peer.theirs = make(0600);
	task_exits(task_func(PROG("segments"), "segments_semantics", &peer), 0);
	root_fin();
}

static void permits(void)
{
	xpmem_segid_t segid[3];

	root_init(1);
	segid[0] = make(0600);
	segid[1] = make(0644);
	segid[2] = make(0666);
	task_exits(task_func(PROG("segments"), "segments_permits", segid), 0);
	root_fin();
}

static void no_system_call(void)
{
	struct peer peer = { .item = &item };

	root_init(1);
	peer.theirs = make(0600);
	task_exits(task_func(PROG("segments"), "segments_no_system_call", &peer), 0);
	root_fin();
}

/* ---- Ends ---------------------------------------------------------------------------------- */

static void remove_while_attached(void)
{
	struct peer peer = { .item = &item };
	int pipid;

	root_init(1);
	peer.theirs = make(0600);
	pipid = task_func(PROG("segments"), "segments_remove_while_attached", &peer);
	check(retry(peer.step == 1));
	check_int(item, 43);
	item = 44;
	check_int(xpmem_remove(peer.theirs), 0);
	peer.go = 1;
	task_exits(pipid, 0);
	check_int(item, 45);
	root_fin();
}

/* What a task made, and what it got, is good in it alone; the former until its end. */
static void owner_ends(int signum, int by_exit)
{
	struct peer peer = { .item = &item, .leave_by_exit = by_exit };
	xpmem_apid_t apid, own;
	struct proof proof;
	int pipid;

	root_init(1);
	proof_begin(&proof);
	peer.theirs = make(0600);
	own = get(peer.theirs, XPMEM_RDWR);
	pipid = task_func(PROG("segments"), "segments_owner", &peer);
	check(retry(peer.step == 1));
	proof_task(&proof, task_pid(pipid));
	check_errno(attach(peer.apid, &item), ENOENT);
	check_errno(xpmem_release(peer.apid), ENOENT);
	check_errno(xpmem_remove(peer.mine), EACCES);
	apid = get(peer.mine, XPMEM_RDWR);
	check(apid > 0);
	check_ptr(attach(apid, &item), &item);
	if (signum)
		task_kill(pipid, signum);
	else
		peer.go = 1;
	task_await_end(pipid);
	if (by_exit)
		check_errno(get(peer.mine, XPMEM_RDWR), ENOENT);
	if (signum)
		task_signaled(pipid, signum);
	else
		task_exits(pipid, 0);
	proof_collected(&proof);
	check_errno(get(peer.mine, XPMEM_RDWR), ENOENT);
	check_errno(attach(apid, &item), ENOENT);
	check_errno(xpmem_remove(peer.mine), ENOENT);
	check_int(xpmem_detach((void *)&item), -1); /* own memory, by now attached to nobody's */
	check_int(xpmem_release(apid), 0);
	/* The root's own ones are untouched. */
	check_ptr(attach(own, &item), &item);
	check_int(xpmem_remove(peer.theirs), 0);
	proof_end(&proof, 1);
	root_fin();
}

static void owner_killed(void)
{
	owner_ends(SIGKILL, 0);
}

static void owner_exits(void)
{
	owner_ends(0, 1);
}

static void owner_leaves(void)
{
	owner_ends(0, 0);
}

/* Task after task in the same slot: what their predecessors made stays dead. */
static void ids_stay_dead(void)
{
	enum {
		ROUNDS = 60
	};
	static xpmem_segid_t dead[ROUNDS];

	root_init(1);
	for (int i = 0; i < ROUNDS; i++) {
		struct peer peer = { .item = &item, .leave_by_exit = i % 3 == 1 };
		int pipid;

		peer.theirs = make(0666);
		pipid = task_func(PROG("segments"), "segments_owner", &peer);
		check(retry(peer.step == 1));
		dead[i] = peer.mine;
		for (int k = 0; k < i; k++) {
			check(dead[k] != dead[i]);
			check_errno(get(dead[k], XPMEM_RDWR), ENOENT);
		}
		check(get(dead[i], XPMEM_RDWR) > 0);
		if (i % 3)
			peer.go = 1;
		else
			task_kill(pipid, SIGKILL);
		task_collect(pipid);
		check_int(xpmem_remove(peer.theirs), 0);
	}
	root_fin();
}

/* ---- Many ---------------------------------------------------------------------------------- */

static void thousands(void)
{
	int pipid[2];

	root_init(2);
	for (int i = 0; i < 2; i++)
		pipid[i] = task_func(PROG("segments"), "segments_thousands", NULL);
	for (int i = 0; i < 2; i++)
		task_exits(pipid[i], 0);
	root_fin();
}

/* Whoever comes after a task that had all of them finds as many. */
static void exhaustion(void)
{
	_Atomic long made[3];
	xpmem_segid_t segid;

	root_init(1);
	segid = make(0600);
	for (int i = 0; i < LENGTH(made); i++)
		task_exits(task_func(PROG("segments"), "segments_all", (void *)&made[i]), 0);
	check(made[0] > 500000);
	check_int(made[1], made[0]);
	check_int(made[2], made[0]);
	check_int(xpmem_remove(segid), 0);
	root_fin();
}

static void threads(void)
{
	struct peer peer[3];
	int pipid[3];

	root_init(3);
	memset(peer, 0, sizeof(peer));
	for (int i = 0; i < 3; i++) {
		peer[i].item = &item;
		pipid[i] = task_func(PROG("segments"), "segments_storm", &peer[i]);
	}
	for (int i = 0; i < 3; i++)
		check(retry(peer[i].made > 3000));
	for (int i = 0; i < 3; i++) {
		peer[i].go = 1;
		task_exits(pipid[i], 0);
		check_int(peer[i].bad, 0);
	}
	root_fin();
}

/* Killed at any instant, tasks leave a table that their successors can use. */
static void killed_inside(void)
{
	_Atomic long made = 0;
	xpmem_segid_t segid;

	root_init(2);
	segid = make(0600);
	for (int i = 0; i < 40; i++) {
		struct peer peer = { .item = &item };
		int pipid = task_func(PROG("segments"), "segments_storm", &peer);

		check(retry(peer.made > i));
		usleep((unsigned)i * 37 % 500);
		task_kill(pipid, SIGKILL);
		task_signaled(pipid, SIGKILL);
		check_int(peer.bad, 0);
		check_errno(get(peer.mine, XPMEM_RDWR), ENOENT);
		check(get(segid, XPMEM_RDWR) > 0);
	}
	task_exits(task_func(PROG("segments"), "segments_all", (void *)&made), 0);
	check(made > 500000);
	root_fin();
}

/* ---- Programs of others -------------------------------------------------------------------- */

enum {
	RANKS = 4
};

static void ranks_run(const char *program, char *object)
{
	char number[RANKS + 1][12], *dir = temp_dir();
	struct proof proof;
	int pipid[RANKS];

	root_init(RANKS);
	proof_begin(&proof);
	for (int i = 0; i <= RANKS; i++)
		snprintf(number[i], sizeof(number[i]), "%d", i);
	for (int i = 0; i < RANKS; i++) {
		pipid[i] = object ? task_main(program, object, dir, number[i], number[RANKS], NULL)
				  : task_main(program, dir, number[i], number[RANKS], NULL);
		if (i == 0) /* it waits for the others */
			proof_task(&proof, task_pid(pipid[i]));
	}
	for (int i = 0; i < RANKS; i++) {
		task_exits(pipid[i], 0);
		if (i == 0)
			proof_collected(&proof);
	}
	proof_end(&proof, 1);
	root_fin();
	free(dir);
}

static void plain_program(void)
{
	ranks_run(PROG("ranks"), NULL);
}

/* As with a component that a launcher's library loads when it looks for transports. */
static void plain_object(void)
{
	ranks_run(PROG("late"), PROG("ranks.so"));
}

/* Under a launcher that has never heard of either. */
static void plain_launcher(void)
{
	static const char script[] =
		"for rank in 1 2 3 0; do \"$0\" \"$1\" $rank 4 & all=\"$all $!\"; done\n"
		"for pid in $all; do wait $pid || exit; done";
	char *dir = temp_dir();

	runs_under_shim((char *[]){ "/bin/sh", "-c", (char *)script, PROG("ranks"), dir, NULL });
	free(dir);
}

/* A forked child is no task, though it has a task's auxiliary vector. */
static void plain_object_in_child(void)
{
	root_init(1);
	task_exits(task_main(PROG("late"), "fork", PROG("ranks.so"), "/", "0", "1", NULL), 3);
	root_fin();
}

/* The same program as a process: it is told what the real library says without its device.  But
 * what a root starts that launches from its first fork on is a task. */
static void plain_process(void)
{
	char *dir = temp_dir();
	pid_t pid = fork();
	int status = -1;

	check(pid >= 0);
	if (pid == 0) {
		execl(PROG("ranks"), "ranks", dir, "0", "1", NULL);
		_exit(127);
	}
	check_int(waitpid(pid, &status, 0), pid);
	check(WIFEXITED(status));
	check_int(WEXITSTATUS(status), harness_preloads() ? 0 : 3);
	free(dir);
}

static const struct CMUnitTest tests[] = {
	CASE(outside),
	CASE(other_space),
	CASE(forked_child),
	CASE(bad_arguments),
	CASE_PRIVATE(semantics),
	CASE(permits),
	CASE_PROCESS(no_system_call),
	CASE(remove_while_attached),
	CASE(owner_killed),
	CASE(owner_exits),
	CASE(owner_leaves),
	CASE(ids_stay_dead),
	CASE(thousands),
	CASE(exhaustion),
	CASE(threads),
	CASE(killed_inside),
	CASE(plain_program),
	CASE(plain_object),
	CASE(plain_launcher),
	CASE(plain_object_in_child),
	CASE(plain_process),
};

TEST_MAIN(tests)
