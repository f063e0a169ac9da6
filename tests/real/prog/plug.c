/* plug.c - what dlloop.c loads and unloads: thread-local storage, constructor, destructor. */
#include <stdlib.h>

int plug_run(int n);

static _Thread_local int counter = PLUG;
static char *block;

__attribute__((constructor)) static void begin(void)
{
	block = malloc(100 * PLUG);
	block[0] = PLUG;
}

__attribute__((destructor)) static void end(void)
{
	free(block);
}

int plug_run(int n)
{
	counter += n;
	return counter * 1000 + block[0];
}
