/* origin_lib.c - the library beside origin.c's program: says which copy of it this is. */
#include <dlfcn.h>

const char *origin_where(void);

const char *origin_where(void)
{
	Dl_info info;

	return dladdr((void *)origin_where, &info) ? info.dli_fname : "?";
}
