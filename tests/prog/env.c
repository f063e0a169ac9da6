/*
 * env.c - a program that looks at its environment from a constructor and from main, and changes it.
 * It knows nothing of PiP.
 */
#include <pthread.h>
#include <string.h>

#include "prog.h"

extern char **environ;

static const char *at_constructor = "(none)";
static char *preload_at_constructor;

static __attribute__((constructor)) void constructor(void)
{
	const char *value = getenv("SEEN");

	at_constructor = value ? strdup(value) : "(unset)";
	value = getenv("LD_PRELOAD");
	preload_at_constructor = value ? strdup(value) : NULL;
}

/* env constructor: prints what the constructor saw of SEEN and LD_PRELOAD */
static int cmd_constructor(void)
{
	printf("%s\n%s\n", at_constructor,
	       preload_at_constructor ? preload_at_constructor : "(unset)");
	return 0;
}

/* env churn N: sets and removes N variables; others do so at the same time */
static int cmd_churn(int n)
{
	char name[32], value[32];
	const char *found;

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "CHURN_%d", i);
		snprintf(value, sizeof(value), "%d-%d", getpid(), i);
		EXPECT_INT(setenv(name, value, 1), 0);
	}
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "CHURN_%d", i);
		snprintf(value, sizeof(value), "%d-%d", getpid(), i);
		found = getenv(name);
		EXPECT(found && strcmp(found, value) == 0);
		if (i % 2)
			EXPECT_INT(unsetenv(name), 0);
	}
	EXPECT_INT(putenv("PUT=put"), 0);
	EXPECT_INT(setenv("SHARED", "changed", 1), 0);
	EXPECT_INT(unsetenv("REMOVED"), 0);
	EXPECT_INT(clearenv(), 0);
	EXPECT(!getenv("SHARED"));
	return 0;
}

/* env pointer: main's third argument is environ */
int main(int argc, char **argv, char **envp)
{
	EXPECT(argc > 1);
	EXPECT(envp == environ);
	if (strcmp(argv[1], "constructor") == 0)
		return cmd_constructor();
	if (strcmp(argv[1], "churn") == 0)
		return cmd_churn(atoi(argv[2]));
	if (strcmp(argv[1], "pointer") == 0)
		return 0;
	return EXPECT_FAILED;
}
