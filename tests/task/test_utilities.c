/* test_utilities.c - the odd helpers of pip.h, pip_util.h and pip_machdep.h. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>

#include <pip/pip_clone.h>
#include <pip/pip_gdbif_enums.h>
#include <pip/pip_machdep.h>
#include <pip/pip_util.h>

#include "root.h"
#include "../prog/api.h"

/* ---- Memory and libraries ---- */

static void allocator(void)
{
	void *block = pip_malloc(100);

	check(block && pip_malloc_usable_size(block) >= 100);
	memset(block, 1, 100);
	block = pip_realloc(block, 10000);
	check(block && pip_malloc_usable_size(block) >= 10000);
	for (int i = 0; i < 100; i++)
		check_int(((char *)block)[i], 1);
	free(block);
	block = pip_calloc(100, 10);
	for (int i = 0; i < 1000; i++)
		check_int(((char *)block)[i], 0);
	pip_free(block);
	pip_free(NULL);
	check_int(pip_malloc_usable_size(NULL), 0);
	check_int(pip_posix_memalign(&block, 1024, 10), 0);
	check_int((uintptr_t)block % 1024, 0);
	pip_free(block);
	/* To AddressSanitizer this is the caller's error, not an argument to refuse. */
	if (!HARNESS_ASAN)
		check_int(pip_posix_memalign(&block, 5, 10), EINVAL);
	block = malloc(10);
	pip_free(block);
}

static void dynamic_linker(void)
{
	double (*cosine)(double);
	struct link_map *map = NULL;
	void *handle;
	Dl_info info;

	pip_dlerror();
	check(!pip_dlopen("libthere-is-no-such.so.7", RTLD_NOW));
	check(strstr(pip_dlerror(), "libthere-is-no-such.so.7") != NULL);
	check_ptr(pip_dlerror(), NULL);

	handle = pip_dlopen("libm.so.6", RTLD_NOW);
	check(handle != NULL);
	cosine = (double (*)(double))(uintptr_t)pip_dlsym(handle, "cos");
	check(cosine && cosine(0.0) == 1.0);
	check_ptr(pip_dlsym(handle, "there_is_no_such_function"), NULL);
	check(pip_dlerror() != NULL);
#ifdef __x86_64__
	check_ptr(pip_dlvsym(handle, "cos", "GLIBC_2.2.5"), cosine);
#else
	check_ptr(pip_dlvsym(handle, "cos", "GLIBC_2.17"), cosine);
#endif
	check_ptr(pip_dlvsym(handle, "cos", "GLIBC_0"), NULL);
	check(pip_dladdr((void *)(uintptr_t)cosine, &info) != 0);
	check(strstr(info.dli_fname, "libm") != NULL);
	check_int(pip_dladdr((void *)8, &info), 0);
	check_int(pip_dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
	check(map && strstr(map->l_name, "libm") != NULL);
	check(pip_dlinfo(handle, -1, &map) != 0);
	check_int(pip_dlclose(handle), 0);

	/* The program itself, and a namespace of its own. */
	handle = pip_dlopen(NULL, RTLD_NOW);
	check(handle && pip_dlsym(handle, "malloc"));
	check_int(pip_dlclose(handle), 0);
	handle = pip_dlmopen(LM_ID_NEWLM, PROG("libother.so"), RTLD_NOW);
	check(handle && pip_dlsym(handle, "other_number"));
	check_int(pip_dlclose(handle), 0);
}

static void dynamic_linker_of_root(void)
{
	root_init(1);
	dynamic_linker();
	root_fin();
	dynamic_linker();
}

/* ---- Who and what ---- */

static void error_names(void)
{
	check_str(pip_errname(EINVAL), "EINVAL");
	check_str(pip_errname(EPERM), "EPERM");
	check_str(pip_errname(ELIBEXEC), "ELIBEXEC");
	check_str(pip_errname(ECANCELED), "ECANCELED");
	check(pip_errname(0) != NULL);
	check(pip_errname(100000) != NULL);
	check(pip_errname(-5) != NULL);
}

static void build(void)
{
	char *dir;

	check(pip_is_debug_build() == 0 || pip_is_debug_build() == 1);
	dir = pip_prefix_dir();
	check(dir && dir[0] == '/');
	free(dir);
}

static int variable_of_root = 7;

/* A symbol of another task's program. */
static void addresses(void)
{
	struct view view = { 0 };
	void *address = &view;
	int *function;
	long lmid = 1234;
	void *handle = &view;

	check_int(pip_get_addr(0, "main", &address), EPERM);
	check_int(pip_get_dlmopen_info(0, &handle, &lmid), EPERM);
	root_init(2);
	check_int(pip_get_addr(PIP_PIPID_ANY, "main", &address), EINVAL);
	check_int(pip_get_addr(-123, "main", &address), ERANGE);
	check_int(pip_get_addr(2, "main", &address), ERANGE);
	check_int(pip_get_addr(0, "main", &address), ESRCH);
	check_int(pip_get_dlmopen_info(0, &handle, &lmid), ESRCH);
	check_int(pip_get_dlmopen_info(PIP_PIPID_NULL, &handle, &lmid), EINVAL);
	check_int(pip_get_dlmopen_info(-1, &handle, &lmid), ERANGE);
	check_ptr(address, &view);
	check_ptr(handle, &view);
	check_int(lmid, 1234);

	task_func(PROG("api"), "api_variable", &view);
	check(retry(view.done));
	check_int(pip_get_addr(0, "there_is_no_such_symbol", &address), ENOENT);
	check_ptr(address, &view);
	check_int(pip_get_addr(0, "api_variable", &address), 0);
	check(address != &view);
	/* Near the task's own variable, and not the root's. */
	check((uintptr_t)address - (uintptr_t)view.variable + (1 << 20) < 2 << 20);
	function = address;
	check(*(volatile unsigned char *)function != 0);
	check_int(pip_get_dlmopen_info(0, &handle, &lmid), 0);
	check_int(pip_get_dlmopen_info(0, NULL, NULL), 0);
	view.done = 2;
	task_exits(0, 42);
	check_int(pip_get_addr(0, "api_variable", &address), ESRCH);
	root_fin();
	check_int(variable_of_root, 7);
}

/* ---- Diagnosis ---- */

static char *said(int fd, void (*body)(void))
{
	struct capture c;

	capture_begin(&c, fd);
	body();
	return capture_end(&c);
}

static void debug_nothing(void)
{
	char *text;

	root_init(1);
	text = said(STDERR_FILENO, pip_debug_info);
	check_str(text, "");
	free(text);
	root_fin();
}

static void debug_maps(void)
{
	char *text;

	setenv("PIP_SHOW_MAPS", "ON", 1);
	root_init(1);
	text = said(STDERR_FILENO, pip_debug_info);
	check_match(text, "^\\*\\*\\* Show MAPS");
	check_match(text, "r-xp.*libpip\\.so");
	free(text);
	setenv("PIP_SHOW_MAPS", "yes", 1);
	root_fin();
	/* "on" and nothing else. */
	root_init(1);
	text = said(STDERR_FILENO, pip_debug_info);
	check_str(text, "");
	free(text);
	root_fin();
}

static void print_maps_to_stdout(void)
{
	pip_fprint_maps(stdout);
}

static void maps(void)
{
	char *text;

	for (int i = 0; i < 2; i++) {
		text = said(STDOUT_FILENO, i ? pip_print_maps : print_maps_to_stdout);
		check_match(text, "^[0-9a-f]+-[0-9a-f]+ r-xp .*libpip\\.so");
		check_match(text, "^[0-9a-f]+-[0-9a-f]+ .*\\[stack\\]$");
		free(text);
	}
}

static void print_own_fds(void)
{
	pip_print_fds(stdout);
}

static void print_null_fd(void)
{
	int fd = open("/dev/null", O_RDONLY);

	pip_print_fd(stdout, fd);
	close(fd);
	pip_print_fd(stdout, fd);
}

static void print_address(void)
{
	pip_check_addr("the tag", &variable_of_root);
	pip_check_addr("nowhere", (void *)8);
}

static void descriptors_and_addresses(void)
{
	int fd = open("/dev/null", O_RDONLY);
	char *text, *err;
	struct capture c;

	text = said(STDOUT_FILENO, print_own_fds);
	check(strstr(text, "/dev/null") != NULL);
	free(text);
	text = said(STDOUT_FILENO, print_null_fd);
	check(strstr(text, "/dev/null") != NULL);
	free(text);
	/* Which of the two it goes to nobody says. */
	capture_begin(&c, STDERR_FILENO);
	text = said(STDOUT_FILENO, print_address);
	err = capture_end(&c);
	check(strstr(text, "the tag") != NULL || strstr(err, "the tag") != NULL);
	free(text);
	free(err);
	close(fd);
}

/* ---- Headers ---- */

static void machdep(void)
{
	pip_spinlock_t lock;
	pip_atomic_t word = 5;

	check_int(pip_spin_init(&lock), 0);
	pip_spin_lock(&lock);
	check_int(pip_spin_trylock(&lock), 0);
	pip_spin_unlock(&lock);
	check(pip_spin_trylock(&lock) != 0);
	pip_spin_unlock(&lock);
	check_int(pip_spin_destroy(&lock), 0);
	lock = 7;
	check_int(pip_comp_and_swap(&lock, 6, 8), 0);
	check_int(lock, 7);
	check(pip_comp_and_swap(&lock, 7, 8) != 0);
	check_int(lock, 8);
	check_int(pip_comp2_and_swap(&word, 4, 6), 0);
	check(pip_comp2_and_swap(&word, 5, -1) != 0);
	check_int(word, -1);
	check_int(pip_atomic_fetch_and_add(&word, 11), -1);
	check_int(word, 10);
	check_int(pip_atomic_sub_and_fetch(&word, 30), -20);
	pip_pause();
	pip_write_barrier();
	pip_memory_barrier();
}

static void clone_flags(void)
{
	const int cleared = CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PARENT | CLONE_THREAD |
			    CLONE_IO | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;
	const int set = CLONE_SETTLS | CLONE_VM | CLONE_PTRACE | CLONE_SYSVSEM;

	check_int(pip_clone_flags(0), set | SIGCHLD);
	check_int(pip_clone_flags(cleared | SIGUSR1), set | SIGCHLD);
	check_int(pip_clone_flags(CLONE_CHILD_CLEARTID), set | SIGCHLD | CLONE_CHILD_CLEARTID);
}

static void constants(void)
{
	check_int(PIPIDLEN, 64);
	check_int(PIP_GDBIF_PIPID_ROOT, -1);
	check_int(PIP_GDBIF_STATUS_TERMINATED, 4);
	check_str(PIP_GDBIF_ROOT_VARNAME, "pip_gdbif_root");
}

static const struct CMUnitTest tests[] = {
	CASE(allocator),
	CASE(dynamic_linker),
	CASE(dynamic_linker_of_root),
	CASE(error_names),
	CASE(build),
	CASE(addresses),
	CASE(debug_nothing),
	CASE(debug_maps),
	CASE(maps),
	CASE(descriptors_and_addresses),
	CASE(machdep),
	CASE(clone_flags),
	CASE(constants),
};

TEST_MAIN(tests)
