/* twice_more.c - the second half of twice.c. */
#include "prog.h"

int twice_more(void);

static __attribute__((noinline, used)) int twice_static(void *arg)
{
	return arg ? 3 : 4;
}

int twice_more(void)
{
	return twice_static(NULL);
}
