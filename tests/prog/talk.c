/* talk.c - tasks that write messages and tell who they are. */
#include <string.h>

#include <pip/pip.h>

#include "prog.h"

/* arg: where to say which thread it is that talks. */
START(talk_all)
{
	*(pid_t *)arg = pip_gettid();
	pip_info_mesg("task says %d %s", 42, "text");
	pip_warn_mesg("task warns");
	pip_err_mesg("task errs");
	pip_info_fmesg(stdout, "task says to stdout");
	return 0;
}

START(talk_id)
{
	char id[64], want[64];
	size_t left;

	snprintf(want, sizeof(want), "%d(T%d):T%d", pip_gettid(), (int)(intptr_t)arg,
		 (int)(intptr_t)arg);
	memset(id, 'x', sizeof(id));
	left = pip_idstr(id, sizeof(id));
	EXPECT(strcmp(id, want) == 0);
	EXPECT_INT(left, sizeof(id) - strlen(want));
	return 0;
}

/* Many messages; others write theirs at the same time. */
START(talk_much)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++)
		pip_info_mesg("message %d of many, which is long enough to be torn if it could be",
			      i);
	return 0;
}

START(talk_fork)
{
	(void)arg;
	if (fork() == 0) {
		pip_info_mesg("child says");
		_exit(0);
	}
	usleep(100000);
	return 0;
}

int main(void)
{
	return EXPECT_FAILED;
}
