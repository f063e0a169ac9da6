/*
 * sealed.c - ends with status 7 where no other call than exit_group(2) is allowed: any other one
 * would kill it.
 *
 * sealed prctl, sealed seccomp: the call that says so.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = { sizeof(rules) / sizeof(rules[0]), rules };

	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 2;
	puts("sealed");
	fflush(stdout);
	if (strcmp(argv[1], "prctl") == 0
		    ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)
		    : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
		return 2;
	_exit(7);
}
