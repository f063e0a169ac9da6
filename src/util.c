/*
 * util.c - the odd helpers of <pip/pip.h> and <pip/pip_util.h>: allocator and loader calls
 * under names of their own, messages, maps and descriptors.  Each task has its own libc, so the
 * calls need no lock.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <pip/pip.h>
#include <pip/pip_util.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "interp.h"
#include "lib.h"
#include "log.h"
#include "root.h"
#include "self.h"
#include "taskside/symbol.h"

/* ---- Memory -------------------------------------------------------------------------------- */

PIP_API void *pip_malloc(size_t size)
{
	return malloc(size);
}

PIP_API void *pip_calloc(size_t nmemb, size_t size)
{
	return calloc(nmemb, size);
}

PIP_API void *pip_realloc(void *ptr, size_t size)
{
	return realloc(ptr, size);
}

PIP_API int pip_posix_memalign(void **memptr, size_t alignment, size_t size)
{
	return posix_memalign(memptr, alignment, size);
}

PIP_API void pip_free(void *ptr)
{
	free(ptr);
}

PIP_API size_t pip_malloc_usable_size(void *ptr)
{
	return malloc_usable_size(ptr);
}

/* ---- Dynamic loading ----------------------------------------------------------------------- */

PIP_API void *pip_dlopen(const char *filename, int flag)
{
	return dlopen(filename, flag);
}

PIP_API void *pip_dlmopen(long lmid, const char *filename, int flag)
{
	return dlmopen(lmid, filename, flag);
}

PIP_API void *pip_dlsym(void *handle, const char *symbol)
{
	return dlsym(handle, symbol);
}

PIP_API void *pip_dlvsym(void *handle, const char *symbol, const char *version)
{
	return dlvsym(handle, symbol, version);
}

PIP_API int pip_dladdr(void *addr, void *info)
{
	return dladdr(addr, info);
}

PIP_API int pip_dlinfo(void *handle, int request, void *info)
{
	return dlinfo(handle, request, info);
}

PIP_API int pip_dlclose(void *handle)
{
	return dlclose(handle);
}

PIP_API char *pip_dlerror(void)
{
	return dlerror();
}

PIP_API int pip_get_addr(int pipid, const char *symbol, void **addrp)
{
	struct task *t;
	void *addr;
	int rc = lib_live_target(pipid, &t);

	if (rc)
		return rc;
	if (!symbol)
		return EINVAL;
	addr = t == self_task() ? dlsym(RTLD_DEFAULT, symbol) : NULL;
	if (!addr)
		addr = symbol_find_global(t->path, t->image_base, symbol);
	if (!addr)
		return ENOENT;
	if (addrp)
		*addrp = addr;
	return 0;
}

PIP_API int pip_get_dlmopen_info(int pipid, void **handlep, long *lmidp)
{
	struct task *t;
	int rc = lib_live_target(pipid, &t);

	if (rc)
		return rc;
	if (handlep)
		*handlep = NULL; /* a private loader's program was not opened by dlopen() */
	if (lmidp)
		*lmidp = LM_ID_BASE;
	return 0;
}

/* ---- Messages and facts -------------------------------------------------------------------- */

PIP_API pid_t pip_gettid(void)
{
	return sys_gettid();
}

#define MESSAGE(function, to)                                                                      \
	PIP_API void function(const char *format, ...)                                             \
	{                                                                                          \
		char text[LOG_MAX];                                                                \
		va_list ap;                                                                        \
		va_start(ap, format);                                                              \
		vsnprintf(text, sizeof(text), format, ap);                                         \
		va_end(ap);                                                                        \
		to("%s", text);                                                                    \
	}

MESSAGE(pip_info_mesg, log_info)
MESSAGE(pip_warn_mesg, log_warn)
MESSAGE(pip_err_mesg, log_err)

PIP_API void pip_info_fmesg(FILE *fp, const char *format, ...)
{
	char buf[LOG_MAX];
	va_list ap;

	if (self_task() && self_task()->quiet)
		return;
	va_start(ap, format);
	log_format(buf, "PiP-INFO", format, ap);
	va_end(ap);
	fputs(buf, fp);
	fflush(fp);
}

PIP_API size_t pip_idstr(char *buf, size_t len)
{
	return log_id(buf, len);
}

PIP_API const char *pip_errname(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "unknown error";
}

PIP_API int pip_is_debug_build(void)
{
#ifdef __OPTIMIZE__
	return 0;
#else
	return 1;
#endif
}

PIP_API char *pip_prefix_dir(void)
{
	char *dir = strdup(interp_facts()->libpip), *slash;

	/* <prefix>/lib/libpip.so.0 or, with multiarch, <prefix>/lib/<triplet>/libpip.so.0 */
	for (int up = 0; dir && up < 2 && (slash = strrchr(dir, '/')) != NULL; up++)
		*slash = '\0';
	if (dir && (slash = strrchr(dir, '/')) != NULL && strcmp(slash, "/lib") == 0)
		*slash = '\0';
	return dir;
}

PIP_API void pip_debug_info(void)
{
	const char *maps = getenv(PIP_ENV_SHOW_MAPS);

	if (maps && strcasecmp(maps, "on") == 0) {
		fprintf(stderr, "*** Show MAPS\n");
		pip_fprint_maps(stderr);
	}
}

PIP_API void pip_fprint_maps(FILE *fp)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];

	while (maps && fgets(line, sizeof(line), maps))
		fputs(line, fp);
	if (maps)
		fclose(maps);
}

PIP_API void pip_print_maps(void)
{
	pip_fprint_maps(stdout);
}

PIP_API void pip_print_fd(FILE *fp, int fd)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n >= 0)
		fprintf(fp, "%d -> %.*s\n", fd, (int)n, path);
}

PIP_API void pip_print_fds(FILE *fp)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir))
			pip_print_fd(fp, atoi(e->d_name));
	if (dir)
		closedir(dir);
}

PIP_API void pip_check_addr(char *tag, void *addr)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	unsigned long from, to;
	bool found = false;

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && (unsigned long)addr >= from &&
		    (unsigned long)addr < to) {
			fprintf(stderr, "%s:%p: %s", tag ? tag : "", addr, line);
			found = true;
		}
	}
	if (!found)
		fprintf(stderr, "%s:%p: not mapped\n", tag ? tag : "", addr);
	if (maps)
		fclose(maps);
}
