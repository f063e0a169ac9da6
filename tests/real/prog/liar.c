/*
 * liar.c - a forked child that gives up its rights, is taken over, and denies that: it wipes out
 * what it has told the process that stands for it, then executes a program.
 *
 * 	liar EXPECTED all	gives up its user and groups; "id -u"
 * 	liar EXPECTED groups	all of its groups but the first; "id -G"
 * 	liar EXPECTED world	user and groups, and has a host name of its own; "uname -n"
 * 	liar EXPECTED memory	groups; asks for "echo" with words that are not its own
 *
 * EXPECTED: how many memory objects it and that process share; 0 natively, 1 under a
 * launcher.
 */
#include <grp.h>
#include <sched.h>
#include <signal.h>
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

static bool give_up_groups(void)
{
	gid_t group[64];

	return getgroups(64, group) > 1 && setgroups(1, group) == 0;
}

static bool give_up_all(void)
{
	return setgroups(0, NULL) == 0 && setgid(SOME_ID) == 0 && setuid(SOME_ID) == 0;
}

/* Asks for /bin/echo with an argument that lies in the other one's memory. */
static void ask_for_others_memory(struct standin *s)
{
	char *argv[] = { s->strings, (char *)s - 4096, NULL };

	strcpy(s->strings, "/bin/echo");
	s->path = s->strings;
	s->argv = memcpy(s->strings + 64, argv, sizeof(argv));
	s->envv = s->argv + 2;
	s->length = 64 + sizeof(argv);
	s->arg[0] = (int64_t)sys_gettid();
	s->result = 0;
	atomic_store(&s->request, STANDIN_EXEC);
	sys_call(SYS_kill, s->embryo, SIGCHLD, 0, 0, 0, 0);
	while (atomic_load(&s->request) == STANDIN_EXEC)
		sys_futex_wait_shared(&s->request, STANDIN_EXEC, NULL);
}

static void lie(const char *how, int expected)
{
	struct standin *s = NULL;

	if (find_shared(&s) != expected || shared_by_child() != 0)
		_exit(3);
	if (strcmp(how, "world") == 0 &&
	    (unshare(CLONE_NEWUTS) != 0 || sethostname("elsewhere", 9) != 0))
		_exit(7);
	if (!(strcmp(how, "all") == 0 || strcmp(how, "world") == 0 ? give_up_all()
								   : give_up_groups()))
		_exit(4);
	if (s)
		s->changes_rights = s->left_world = 0;
	if (strcmp(how, "memory") == 0) {
		if (s)
			ask_for_others_memory(s);
		puts("still here"); /* that one has not become what was asked for */
		fflush(stdout);
		_exit(0);
	}
	if (strcmp(how, "all") == 0)
		execl("/usr/bin/id", "id", "-u", NULL);
	else if (strcmp(how, "groups") == 0)
		execl("/usr/bin/id", "id", "-G", NULL);
	else
		execl("/bin/uname", "uname", "-n", NULL);
	_exit(5);
}

int main(int argc, char **argv)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		lie(argc > 2 ? argv[2] : "all", argc > 1 ? atoi(argv[1]) : 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 6;
}
