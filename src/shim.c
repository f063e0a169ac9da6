/*
 * shim.c - makes a program a launcher.  Entry functions: shim_start(), and for libpip-preload.so
 * pip_shim_loaded(), pip_shim_begin().
 */
#include "shim.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <pip/pip.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "begin.h"
#include "embryo/birth.h"
#include "embryo/trap.h"
#include "interp.h"
#include "join.h"
#include "lib.h"
#include "log.h"
#include "mode.h"
#include "self.h"

#define SITES 255
#define STEP (256UL << 10)
#define NEAR (100UL << 20) /* within the reach of a branch on every CPU (aarch64: 128 MiB) */

static bool preloaded, is_in_window;
static struct window_head *head; /* of this program, once it is a launcher or a task */

/* ---- The C library's code ------------------------------------------------------------------ */

struct text {
	uintptr_t start, end;
};

static int find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t inside = (uintptr_t)gnu_get_libc_version;
	struct text *text = arg;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && ph->p_flags & PF_X && inside >= start &&
		    inside < start + ph->p_memsz) {
			text->start = page_down(start);
			text->end = page_up(start + ph->p_memsz);
			return 1;
		}
	}
	return 0;
}

static uintptr_t map_at(uintptr_t at, size_t len)
{
	uintptr_t got = sys_mmap(at, len, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return sys_failed(got) ? 0 : got;
}

/* Room for stubs near the code: libraries lie close together, so it is sought at both sides. */
static uintptr_t map_stubs(const struct text *text, size_t len)
{
	uintptr_t got = 0;

	for (size_t away = 0; away < NEAR && !got; away += STEP) {
		got = map_at(text->end + away, len);
		if (!got)
			got = map_at(text->start - len - away, len);
	}
	return got;
}

/* The program's own libc is its own memory: no other program is changed, and no file. */
static int patch_libc(const struct window_head *to)
{
	struct text text = { 0, 0 };
	struct arch_site site[SITES];
	const uint16_t *nr;
	size_t nnr = trap_process_calls(&nr), n, len;
	uintptr_t stubs;

	if (!dl_iterate_phdr(find_text, &text))
		return -ENOTSUP;
	n = arch_find_sites((void *)text.start, text.end - text.start, 0, nr, nnr, site, SITES);
	if (n == 0 || n > SITES)
		return -ENOTSUP;
	len = page_up((n + 1) * ARCH_STUB_SIZE);
	stubs = map_stubs(&text, len);
	if (!stubs)
		return -ENOMEM;
	arch_write_stub_head((void *)stubs, 0, to, (void *)(uintptr_t)arch_trap_entry);
	for (size_t i = 0; i < n; i++)
		if (!arch_write_stub((void *)(stubs + (i + 1) * ARCH_STUB_SIZE), (void *)stubs,
				     &site[i], (void *)(text.start + site[i].offset)))
			return -ENOTSUP;
	if (mprotect((void *)stubs, len, PROT_READ | PROT_EXEC) ||
	    mprotect((void *)text.start, text.end - text.start,
		     PROT_READ | PROT_WRITE | PROT_EXEC)) {
		int rc = -errno;

		munmap((void *)stubs, len);
		return rc;
	}
	for (size_t i = 0; i < n; i++)
		arch_write_jump((void *)(text.start + site[i].offset), &site[i],
				(void *)(stubs + (i + 1) * ARCH_STUB_SIZE));
	mprotect((void *)text.start, text.end - text.start, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)text.start, (char *)text.end);
	return 0;
}

/* What the stubs of a program in no window find as its head: empty in forked children, too. */
static struct window_head *make_head(void)
{
	struct window_head *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED || madvise(page, PAGE, MADV_WIPEONFORK) ? NULL : page;
}

static void note_rseq(struct task *root)
{
	const unsigned *size = NULL;
	const ptrdiff_t *offset = NULL;

	size = dlsym(RTLD_DEFAULT, "__rseq_size");
	offset = dlsym(RTLD_DEFAULT, "__rseq_offset");
	if (!size || !offset || !*size)
		return;
	root->rseq_offset = *offset;
	root->rseq_len = 32; /* what glibc registers: the structure's first size */
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

	if (!head) {
		head = make_head();
		if (!head)
			return -ENOMEM;
		rc = patch_libc(head);
		if (rc) {
			munmap(head, PAGE);
			head = NULL;
			return rc;
		}
	}
	interp_facts();
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

static void begin(void)
{
	const char *verbose = getenv("PIP_VERBOSE");
	struct task *root;
	int rc;

	if (self_task() || shim_launcher() || !mode_intercepts())
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
