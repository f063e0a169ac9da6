/*
 * ending.c - a program that is its own root and its own task, and ends as its arguments say:
 *
 *	ending ROOT-HOW ROOT-FIN TASK-HOW TASK-FIN	HOW is return, exit, pip_exit or _exit
 *
 * It collects its task, looks at the task's code, and ends with a code of its own.
 *
 *	ending leave HOW	ends so, as a root that leaves a task behind
 */
#include <string.h>
#include <sys/wait.h>

#include <pip/pip.h>

#include "prog.h"

#define ROOT_CODE 21
#define TASK_CODE 42

static int end(const char *how, int code)
{
	if (strcmp(how, "exit") == 0)
		exit(code);
	if (strcmp(how, "pip_exit") == 0)
		pip_exit(code);
	if (strcmp(how, "_exit") == 0)
		_exit(code);
	return code;
}

int main(int argc, char **argv)
{
	int pipid, status, task = PIP_PIPID_ANY;

	EXPECT(argc >= 3);
	/* Which of the two it is only this call tells. */
	EXPECT_INT(pip_init(&pipid, NULL, NULL, 0), 0);
	if (pipid != PIP_PIPID_ROOT) {
		if (strcmp(argv[1], "leave") == 0)
			for (;;)
				pause();
		if (atoi(argv[4]))
			EXPECT_INT(pip_fin(), 0);
		return end(argv[3], TASK_CODE);
	}

	EXPECT_INT(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &task, NULL, NULL, NULL), 0);
	if (strcmp(argv[1], "leave") == 0)
		return end(argv[2], ROOT_CODE);
	EXPECT_INT(pip_wait(task, &status), 0);
	EXPECT(WIFEXITED(status));
	EXPECT_INT(WEXITSTATUS(status), TASK_CODE);
	if (atoi(argv[2]))
		EXPECT_INT(pip_fin(), 0);
	return end(argv[1], ROOT_CODE);
}
