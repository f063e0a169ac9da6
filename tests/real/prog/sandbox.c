/*
 * sandbox.c - runs a program as container runtimes do that keep processes from looking into each
 * other: the calls for it fail with EPERM, as they do under Yama for whoever is no descendant.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REFUSE(nr)                                                                                 \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                           \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

int main(int argc, char **argv)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(SYS_process_vm_readv),
		REFUSE(SYS_process_vm_writev),
		REFUSE(SYS_ptrace),
		REFUSE(SYS_pidfd_getfd),
		REFUSE(SYS_kcmp),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	char c = 0;
	struct iovec byte = { &c, 1 };
	struct sock_fprog filter = { sizeof(rules) / sizeof(rules[0]), rules };

	if (argc < 2) {
		fprintf(stderr, "usage: sandbox PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
		perror("seccomp");
		return 2;
	}
	if (process_vm_readv(getpid(), &byte, 1, &byte, 1, 0) != -1 || errno != EPERM) {
		fprintf(stderr, "the sandbox is none\n");
		return 2;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
