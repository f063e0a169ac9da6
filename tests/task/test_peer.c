/*
 * test_peer.c - tasks copy each other's memory by the calls that are made for separate processes,
 * with the kernel's results, and their own signals stay their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "root.h"
#include "../prog/peer.h"
#include "../prog/raw.h"

static struct peer peer;

static int start(const char *topic)
{
	char address[32];

	snprintf(address, sizeof(address), "%lx", (unsigned long)&peer);
	return task_main(PROG("peer"), topic, address, NULL);
}

/* The kernel refuses from now on what sandboxes refuse, in tasks too. */
static void refuse(void)
{
	static const unsigned calls[] = { SYS_process_vm_readv, SYS_process_vm_writev,
					  SYS_pidfd_getfd, SYS_ptrace, SYS_kcmp };
	struct sock_filter filter[2 * LENGTH(calls) + 7];
	struct sock_fprog program = { .filter = filter };
	int n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (int i = 0; i < LENGTH(calls); i++) {
		filter[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		filter[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, args[0]));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_PTRACER, 0, 1);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	check_int(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	check_int(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), 0);
	check_int(arch_syscall6(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0, 0), -EPERM);
	peer.filtered = 1;
}

/* A task that offers its memory. */
static int offer(const char *owner)
{
	int pipid;

	peer.root = getpid();
	strcpy(peer.text, "of the root");
	pipid = start(owner);
	check(retry(peer.ready));
	check_int(task_pid(pipid), peer.owner);
	return pipid;
}

static int begin(const char *owner)
{
	root_init(8);
	return offer(owner);
}

static void end(int owner)
{
	peer.leave = 1;
	task_exits(owner, 0);
	root_fin();
}

static void runs(const char *topic, bool filtered)
{
	static struct sheet sheet;
	int owner;

	if (filtered)
		refuse();
	owner = begin("owner");
	for (int i = 0; i < 2; i++) {
		strcpy(peer.text, "of the root");
		task_exits(start(topic), 0);
		if (i == 0)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	end(owner);
}

#define PLAIN_AND_FILTERED(topic)                                                                  \
	static void topic(void)                                                                    \
	{                                                                                          \
		runs(#topic, false);                                                               \
	}                                                                                          \
	static void topic##_filtered(void)                                                         \
	{                                                                                          \
		runs(#topic, true);                                                                \
	}

PLAIN_AND_FILTERED(copies)
PLAIN_AND_FILTERED(stranger)
PLAIN_AND_FILTERED(handler_before)
PLAIN_AND_FILTERED(handler_after)
PLAIN_AND_FILTERED(blocked)
PLAIN_AND_FILTERED(ignored)
PLAIN_AND_FILTERED(forks)
PLAIN_AND_FILTERED(threads)
PLAIN_AND_FILTERED(probes)

static void parity(void)
{
	runs("parity", false);
}

static void root_is_told(void)
{
	int owner = begin("owner");

	task_exits(start("copies"), 0);
	check_str(peer.text, "of a task");
	end(owner);
}

static void family(void)
{
	runs("family", false);
}

static void family_executes(void)
{
	runs("family_execs", false);
}

/* As above, but the parent has never heard of PiP. */
static void of_launcher(const char *topic)
{
	runs_under_shim((char *[]){ PROG("peer"), (char *)topic, "0", NULL });
}

static void family_of_launcher(void)
{
	of_launcher("family");
	of_launcher("family_execs");
}

static volatile int faults;
static sigjmp_buf back;

static void on_fault(int sig)
{
	check_int(sig, SIGSEGV);
	faults++;
	siglongjmp(back, 1);
}

/* A root whose calls are intercepted can do it as well. */
static void root_copies(void)
{
	char buf[64];
	struct iovec l = { buf, sizeof(buf) }, r;
	struct sigaction sa = { .sa_handler = on_fault }, now;
	int ntasks = 8, owner;

	refuse();
	setenv("PIP_MODE", "process:got", 1);
	check_int(pip_init(NULL, &ntasks, NULL, 0), 0);
	owner = offer("owner");
	check_int(sigaction(SIGSEGV, &sa, NULL), 0);
	for (int i = 0; i < 3; i++) {
		r = (struct iovec){ peer.memory + 4096, sizeof(buf) };
		check_int(process_vm_readv(peer.owner, &l, 1, &r, 1, 0), sizeof(buf));
		check(memcmp(buf, peer.memory + 4096, sizeof(buf)) == 0);
		check_int(process_vm_writev(getpid(), &l, 1, &l, 1, 0), sizeof(buf));
		r.iov_base = peer.memory + PEER_HOLE * 4096 - 10;
		check_int(process_vm_readv(peer.owner, &l, 1, &r, 1, 0), 10);
		check_int(sigaction(SIGSEGV, NULL, &now), 0);
		check(now.sa_handler == on_fault);
		if (sigsetjmp(back, 1) == 0)
			*(volatile char *)(peer.memory + PEER_HOLE * 4096);
		check_int(faults, i + 1);
	}
	/* What it starts begins with the default. */
	task_signaled(start("default_fault"), SIGSEGV);
	end(owner);
}

static void signals_end_tasks(void)
{
	int owner = begin("owner");

	task_signaled(start("handler_once"), SIGSEGV);
	task_signaled(start("default_fault"), SIGSEGV);
	task_signaled(start("default_bus"), SIGBUS);
	task_signaled(start("default_sent"), SIGSEGV);
	end(owner);
}

/* The owner has ended, and its status is still to be collected. */
static void ended(void)
{
	int owner = begin("owner"), caller = start("leaves");

	task_exits(caller, 0);
	task_exits(owner, 0);
	/* A new task in its place, which uses the same record. */
	peer.ready = peer.leave = 0;
	owner = start("owner");
	check(retry(peer.ready));
	task_exits(start("copies"), 0);
	end(owner);
}

static void ended_filtered(void)
{
	refuse();
	ended();
}

/* Memory goes in the middle of a copy. */
static void come_and_go(void)
{
	int chaser, owner;
	long seen;

	peer.root = getpid();
	root_init(8);
	chaser = start("chaser");
	for (int i = 0; i < 50; i++) {
		peer.ready = peer.leave = 0;
		owner = start("owner");
		check(retry(peer.ready));
		seen = peer.chased;
		check(retry(peer.chased > seen + 1));
		if (i % 2)
			kill(peer.owner, SIGKILL);
		peer.leave = 1;
		task_collect(owner);
	}
	peer.stop = 1;
	task_exits(chaser, 0);
	root_fin();
}

static void come_and_go_filtered(void)
{
	refuse();
	come_and_go();
}

static void left(const char *how)
{
	int owner, caller;

	refuse();
	owner = begin(how);
	caller = start("leaves");
	task_exits(caller, 0);
	kill(peer.owner, SIGKILL);
	task_signaled(owner, SIGKILL);
	root_fin();
}

static void executed(void)
{
	left("owner_execs");
}

static void main_thread_ended(void)
{
	left("owner_half");
}

/* ---- Yama ---- */

/* In one write and with no change of mode, as files of /proc want it. */
static bool tell(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

/* Its setting in a mount namespace of the scenario's own; false if there can be none. */
static bool make_scope(const char *value, mode_t mode)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char map[64];

	if (unshare(CLONE_NEWNS)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			return false;
		snprintf(map, sizeof(map), "%d %d 1", uid, uid);
		if (!tell("/proc/self/setgroups", "deny") || !tell("/proc/self/uid_map", map))
			return false;
		snprintf(map, sizeof(map), "%d %d 1", gid, gid);
		if (!tell("/proc/self/gid_map", map))
			return false;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/proc/sys/kernel", "tmpfs", 0, NULL))
		return false;
	check_int(mkdir("/proc/sys/kernel/yama", 0755), 0);
	file_write("/proc/sys/kernel/yama/ptrace_scope", value, strlen(value), mode);
	return true;
}

static void scope_is(const char *value, mode_t mode)
{
	if (!make_scope(value, mode)) {
		fprintf(stderr, "no mount namespace: not checked\n");
		return;
	}
	root_init(1);
	task_exits(start("scope"), 0);
	root_fin();
}

static void scope_of_yama(void)
{
	scope_is("1\n", 0644);
}

static void scope_of_admin(void)
{
	scope_is("2\n", 0644);
}

static void scope_open(void)
{
	scope_is("0\n", 0644);
}

static void scope_not_readable(void)
{
	scope_is("1\n", 0);
}

static void scope_absent(void)
{
	if (access("/proc/sys/kernel/yama/ptrace_scope", F_OK) == 0)
		return;
	root_init(1);
	task_exits(start("no_scope"), 0);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(copies),
	CASE(copies_filtered),
	CASE(parity),
	CASE(root_is_told),
	CASE(root_copies),
	CASE(stranger),
	CASE(stranger_filtered),
	CASE(family),
	CASE(family_executes),
	CASE(family_of_launcher),
	CASE(ended),
	CASE(ended_filtered),
	CASE(come_and_go),
	CASE(come_and_go_filtered),
	CASE(executed),
	CASE(main_thread_ended),
	CASE(handler_before),
	CASE(handler_before_filtered),
	CASE(handler_after),
	CASE(handler_after_filtered),
	CASE(signals_end_tasks),
	CASE(blocked),
	CASE(blocked_filtered),
	CASE(ignored),
	CASE(ignored_filtered),
	CASE(forks),
	CASE(forks_filtered),
	CASE(threads),
	CASE(threads_filtered),
	CASE(probes),
	CASE(probes_filtered),
	CASE(scope_of_yama),
	CASE(scope_of_admin),
	CASE(scope_open),
	CASE(scope_not_readable),
	CASE(scope_absent),
};

TEST_MAIN(tests)
