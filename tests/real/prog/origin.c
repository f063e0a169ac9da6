/* origin.c - finds its library by $ORIGIN, in its RUNPATH and in dlopen(). */
#include <dlfcn.h>
#include <stdio.h>

const char *origin_where(void);

int main(void)
{
	void *lib = dlopen("$ORIGIN/lib/libplug.so", RTLD_NOW);

	printf("linked: %s\n", origin_where());
	printf("loaded: %s\n", lib ? "yes" : dlerror());
	if (lib)
		dlclose(lib);
	return 0;
}
