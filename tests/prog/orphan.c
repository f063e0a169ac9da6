/* orphan.c - a task that outlives its root and asks for it.  It writes its findings to stdout. */
#include <errno.h>

#include <pip/pip.h>

#include "orphan.h"
#include "prog.h"

START(orphan_main)
{
	struct orphan *o = arg;
	pid_t root = getppid();
	pip_id_t id;
	int pipid;

	o->here = 1;
	WAIT_FOR(getppid() != root);
	/* The kernel still knows the PID until the root's parent has taken note. */
	WAIT_FOR(pip_kill(PIP_PIPID_ROOT, 0) != 0);
	EXPECT_INT(pip_kill(PIP_PIPID_ROOT, 0), EACCES);
	EXPECT_INT(pip_get_system_id(PIP_PIPID_ROOT, &id), EACCES);
	EXPECT_INT(pip_named_import(PIP_PIPID_ROOT, NULL, "name"), EACCES);
	EXPECT_INT(pip_named_tryimport(PIP_PIPID_ROOT, NULL, "name"), EACCES);
	EXPECT_INT(pip_import(PIP_PIPID_ROOT, NULL), EACCES);
	/* It is a task still. */
	EXPECT_INT(pip_isa_task(), 1);
	EXPECT_INT(pip_get_pipid(&pipid), 0);
	EXPECT_INT(pipid, 0);
	EXPECT(write(STDOUT_FILENO, "orphan done\n", 12) == 12);
	return 0;
}

int main(void)
{
	return EXPECT_FAILED;
}
