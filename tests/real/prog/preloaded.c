/* preloaded.c - a library of the caller's own in LD_PRELOAD: speaks up in $PRELOADED_FOR. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uid_t getuid(void)
{
	return 4711;
}

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("PRELOADED_FOR");

	if (name && strcmp(name, program_invocation_short_name) == 0)
		fprintf(stderr, "LD_PRELOAD is '%s'\n", getenv("LD_PRELOAD"));
}
