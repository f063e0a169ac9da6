/* preloaded.c - a library for LD_PRELOAD: it changes what getppid() says, and has a constructor. */
#include <stdlib.h>
#include <unistd.h>

#define NOBODYS_PID 123456789

static __attribute__((constructor)) void constructor(void)
{
	const char *fd = getenv("PRELOADED_FD");

	if (fd && write(atoi(fd), "preloaded\n", 10) != 10)
		_exit(98);
}

pid_t getppid(void)
{
	return NOBODYS_PID;
}
