/*
 * shim.c - makes a program a launcher.  Entry functions: shim_start(), and for libpip-preload.so
 * pip_shim_loaded(), pip_shim_begin().
 */
#include "shim.h"

#include <gnu/libc-version.h>
#include <pip/pip.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "begin.h"
#include "copies.h"
#include "embryo/birth.h"
#include "embryo/embryo.h"
#include "embryo/trap.h"
#include "intercept.h"
#include "interp.h"
#include "join.h"
#include "lib.h"
#include "log.h"
#include "mode.h"
#include "self.h"

static bool preloaded, is_in_window;
static struct window_head *head; /* of this program, once it is a launcher or a task */

static int patch_libc(const struct window_head *to)
{
	struct intercepted libc = { .start = 0 };
	const uint16_t *nr;
	size_t nnr = trap_process_calls(&nr);
	int rc = intercept_find(&libc, (const void *)(uintptr_t)gnu_get_libc_version);

	return rc ? rc : intercept(&libc, to, nr, nnr);
}

/* What the stubs of a program in no window find as its head: empty in forked children, too. */
static struct window_head *make_head(void)
{
	struct window_head *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, PAGE, MADV_WIPEONFORK))
		return NULL;
	page->entry = arch_trap_entry;
	return page;
}

static void note_rseq(struct task *root)
{
	if (!interp_rseq(&root->rseq_offset))
		return;
	root->rseq_len = EMBRYO_RSEQ_SIZE;
	root->rseq_sig = ARCH_RSEQ_SIG;
}

struct task *shim_launcher(void)
{
	struct task *t = head ? head->task : NULL;

	return t && t->root_slot == t->slot ? t : NULL;
}

void shim_in_window(struct window_head *own)
{
	head = own;
	is_in_window = true;
}

int shim_start(struct task *root)
{
	int rc;

	interp_facts();
	if (!head) {
		head = make_head();
		if (!head)
			return -ENOMEM;
		/* It knows where this one's calls are; if it can't be had, no child will be a
		 * task. */
		copies_prepare(root->space);
		rc = patch_libc(head);
		if (rc) {
			munmap(head, PAGE);
			head = NULL;
			return rc;
		}
	}
	note_rseq(root);
	birth_intercept(root->space);
	head->intercepts = 1;
	head->quiet = root->quiet;
	head->task = root;
	return 0;
}

/* ---- libpip-preload.so --------------------------------------------------------------------- */

bool shim_is_preloaded(void)
{
	return preloaded || (is_in_window && head->intercepts);
}

PIP_API void pip_shim_loaded(void)
{
	preloaded = true;
}

/* valgrind runs the program on a processor of its own making, and refuses to clone what shares
 * memory. */
static bool is_under_valgrind(void)
{
	const char *libraries = getenv("LD_PRELOAD");

	return libraries && strstr(libraries, "/vgpreload_");
}

/* gdb takes its breakpoints out of a forked child's memory, and an embryo's is its parent's. */
static bool is_debugged(void)
{
	char line[64], path[32], name[16] = "";
	FILE *f = fopen("/proc/self/status", "re");
	int tracer = 0;

	while (f && !tracer && fgets(line, sizeof(line), f))
		sscanf(line, "TracerPid: %d", &tracer);
	if (f)
		fclose(f);
	if (!tracer)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/comm", tracer);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return strncmp(name, "gdb", 3) == 0 || strncmp(name, "lldb", 4) == 0;
}

static void begin(void)
{
	const char *verbose = getenv("PIP_VERBOSE");
	struct task *root;
	int rc;

	if (self_task() || shim_launcher() || !mode_intercepts() || is_under_valgrind() ||
	    is_debugged())
		return;
	rc = join_as_launcher(&root);
	if (!rc)
		rc = shim_start(root);
	if (rc && verbose && strcmp(verbose, "1") == 0) /* nobody's business otherwise */
		log_err("'%s' cannot be a root, its children are ordinary processes: %s",
			program_invocation_short_name, strerror(-rc));
}

PIP_API void pip_shim_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int saved = errno;

	pthread_once(&once, begin);
	errno = saved;
}
