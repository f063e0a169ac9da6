/* twice.c - with twice_more.c, a program with two static functions of one name. */
#include "prog.h"

int twice_more(void);

static __attribute__((noinline, used)) int twice_static(void *arg)
{
	return arg ? 1 : 2;
}

int main(void)
{
	return twice_static(NULL) + twice_more();
}
