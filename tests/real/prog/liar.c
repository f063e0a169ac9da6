/*
 * liar.c - a forked child that gives up its rights, is taken over, and denies that: it wipes out
 * what it has told the process that stands for it, then executes "id -u"; or, with "groups", all of
 * its groups but the first, and "id -G".
 *
 * liar EXPECTED [groups]: how many memory objects it and that process share; 0 natively, 1 under a
 * launcher.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embryo/standin.h"

#define SOME_ID 65534

/* What it shares, that is, as /proc/self/maps shows it; the first of them in *s. */
static int find_shared(struct standin **s)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], rights[8];
	unsigned long start, end;
	int n = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "/dev/zero") ||
		    sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 ||
		    end - start < sizeof(struct standin))
			continue;
		if (n++ == 0 && s)
			*s = (struct standin *)start;
	}
	if (maps)
		fclose(maps);
	return n;
}

/* Behind the back of whoever watches libc's calls: a child that nobody has prepared for. */
static int shared_by_child(void)
{
	int status;
	long pid = sys_call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);

	if (pid == 0)
		_exit(find_shared(NULL));
	return waitpid((pid_t)pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									   : -1;
}

static bool give_up(bool groups)
{
	gid_t group[64];

	if (groups)
		return getgroups(64, group) > 1 && setgroups(1, group) == 0;
	return setgroups(0, NULL) == 0 && setgid(SOME_ID) == 0 && setuid(SOME_ID) == 0;
}

int main(int argc, char **argv)
{
	bool groups = argc > 2;
	int expected = argc > 1 ? atoi(argv[1]) : 0, status = -1;
	struct standin *s = NULL;
	pid_t pid = fork();

	if (pid == 0) {
		if (find_shared(&s) != expected || shared_by_child() != 0)
			_exit(3);
		if (!give_up(groups))
			_exit(4);
		if (s)
			s->changes_rights = s->left_world = 0;
		execl("/usr/bin/id", "id", groups ? "-G" : "-u", NULL);
		_exit(5);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 6;
}
