/*
 * place.c - puts a program, its dynamic linker and its stack into a task's window.
 * Entry functions: place_images(), place_stack().  Freestanding.
 */
#include "place.h"

#include <elf.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <pip/pip.h>

#include "base/path.h"
#include "base/str.h"
#include "copies.h"
#include "embryo/fork.h"
#include "embryo/kept.h"
#include "embryo/trap.h"
#include "embryo/window.h"
#include "loader/code.h"

#define STACK_MOST (1UL << 30) /* of an unlimited one */
#define LAUNCH_ROOM (sizeof(struct launch) + 1024)

struct interp_facts interp_known;

/* ---- Code ---------------------------------------------------------------------------------- */

/*
 * The code to use for the image that starts first, *found NULL to use the file's own.  What
 * belongs to the root's dynamic linker is made once; anything else goes to *once and is the
 * caller's to close.  Without descriptors or memory for it there is no task: its mappings would
 * never be given back.
 */
static int find_code(struct task *t, const struct load *l, struct code *once,
		     const struct code **found)
{
	const struct image *first = load_first(l);
	struct code_traps traps = trap_traps(t->space);
	int rc;

	once->fd = -1;
	if (t->same_interp)
		return copies_open(t, first, found);
	rc = code_make_alone(once, first, &traps);
	*found = rc ? NULL : once;
	t->code_fd[0] = once->fd;
	return copies_is_serious(rc) ? rc : 0;
}

static uintptr_t reserve(void *ctx, size_t len, size_t align)
{
	uintptr_t at = window_reserve_code(ctx, len, align);

	return at ? at : (uintptr_t)-ENOMEM;
}

static int open_window(struct task *t)
{
	uint64_t random;

	if (sys_random(&random, sizeof(random)))
		return -EIO;
	return window_open(t, random, 0);
}

static bool is_own_interp(const struct image *interp)
{
	return interp->elf.nload && interp->st.st_dev == interp_known.dev &&
	       interp->st.st_ino == interp_known.ino;
}

/* Maps whatever is open in l, the first image's code as the runtime wants it. */
static int map_images(struct task *t, struct load *l, struct load_error *err)
{
	struct load_place place = { .reserve = reserve, .code_fd = -1, .ctx = t };
	const struct code *code;
	struct code once;
	int rc;

	err->what = "code";
	rc = find_code(t, l, &once, &code);
	if (rc)
		return rc;
	if (code) {
		place.front = code->front ? code_front(code, load_first(l)->elf.align) : 0;
		place.code_fd = t->code_fd[0];
		place.code_off = (off_t)code->at;
		if (t->same_interp)
			place.at = kept_interp(t, &l->interp, code, &place.is_there);
	}
	rc = load_map(l, &place, err);
	if (!rc && code) {
		if (!place.is_there)
			rc = code_map_stubs(code, place.code_fd,
					    load_first(l)->bias + load_first(l)->elf.span_start);
		if (!rc && place.at && !place.is_there)
			kept_has_interp(t, &l->interp);
		t->sees = code->sees;
		/* The libc comes later; with the root's ld.so, it will be the root's. */
		t->sees.exit &= !t->same_interp || copies_sees().exit;
	}
	/* Else not before its program begins; and not if it brings another C library after all. */
	if (!rc && t->same_interp && t->code_fd[1] >= 0 && copies_sees().forks)
		atomic_store(&t->memory.keep_on_fork, 0);
	else
		fork_keep(t);
	if (once.fd >= 0)
		sys_close(once.fd);
	return rc;
}

/* ---- The environment ----------------------------------------------------------------------- */

size_t place_environment_index(char *const *envv, const char *name)
{
	size_t n = 0, found = STACK_NO_SUBST, len = str_len(name);

	for (; envv[n]; n++)
		if (str_starts(envv[n], name) && envv[n][len] == '=')
			found = n;
	return found == STACK_NO_SUBST ? n : found;
}

const char *place_environment(char *const *envv, const char *name)
{
	size_t len = str_len(name);

	for (; envv && *envv; envv++)
		if (str_starts(*envv, name) && (*envv)[len] == '=')
			return *envv + len + 1;
	return NULL;
}

bool interp_is_tuned(const char *tunables)
{
	for (; tunables && *tunables; tunables++)
		if (str_starts(tunables, "glibc.cpu"))
			return true;
	return false;
}

/* ---- What cannot be a task ----------------------------------------------------------------- */

bool place_path(const struct image *img, const char *given, char real[PATH_MAX])
{
	char link[32] = "/proc/self/fd/";
	struct stat st;
	ssize_t n;

	if (path_resolve(given, real) &&
	    sys_call(SYS_newfstatat, AT_FDCWD, real, &st, 0, 0, 0) == 0 &&
	    st.st_dev == img->st.st_dev && st.st_ino == img->st.st_ino)
		return true;
	str_decimal(link + str_len(link), (unsigned long)img->fd);
	n = sys_readlink(link, real, PATH_MAX - 1);
	real[n > 0 ? n : 0] = '\0';
	return real[0] == '/';
}

bool place_gains_rights(const char *path, const struct stat *st)
{
	return (st->st_mode & S_ISUID &&
		st->st_uid != (uid_t)sys_call(SYS_geteuid, 0, 0, 0, 0, 0, 0)) ||
	       ((st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		st->st_gid != (gid_t)sys_call(SYS_getegid, 0, 0, 0, 0, 0, 0)) ||
	       sys_call(SYS_getxattr, path, "security.capability", NULL, 0, 0, 0) > 0;
}

const char *place_hindrance(const struct image *program, uint32_t *aware)
{
	/* GCC's names, then clang's, cut to what load_needs() looks at. */
	static const char *const libraries[] = {
		"libpip.so",       "libasan.so",      "libhwasan.so",
		"libtsan.so",      "liblsan.so",      "libclang_rt.asa",
		"libclang_rt.hwa", "libclang_rt.tsa", "libclang_rt.lsa",
	};
	unsigned needs = load_needs(program, libraries, sizeof(libraries) / sizeof(libraries[0]));

	*aware = needs & 1;
	return needs & ~1U ? "is built with a sanitizer, which needs fixed addresses" : NULL;
}

/* ---- Memory and stack ---------------------------------------------------------------------- */

int place_images(struct task *t, struct load *l, char *const *envv, struct load_error *err)
{
	int rc = t->window ? 0 : open_window(t);

	t->own_code.fd = t->code_fd[0] = t->code_fd[1] = -1;
	t->same_interp = is_own_interp(&l->interp);
	if (!rc)
		rc = map_images(t, l, err);
	if (rc)
		return rc;
	/* A task that wants to tune or to see these things finds them out itself. */
	if (t->same_interp && interp_known.cpu.size && !place_environment(envv, "LD_SHOW_AUXV") &&
	    !interp_is_tuned(place_environment(envv, "GLIBC_TUNABLES")))
		t->hwcap = interp_known.hwcap;
	t->entry = l->program.bias + l->program.elf.entry;
	t->image_base = l->program.bias;
	return 0;
}

/* The entries that the kernel gave this process, but for those that are about the program. */
static size_t build_auxv(struct stack_aux *aux, const struct load *l, struct task *t)
{
	size_t n = 0;

	for (; n < interp_known.naux; n++)
		aux[n] = interp_known.aux[n];
	/* With the CPU table ld.so gets what that has made of it; embryo_start() puts it right. */
	aux[n++] = (struct stack_aux){ AT_HWCAP,
				       t->hwcap ? interp_known.tuned_hwcap : interp_known.hwcap };
	aux[n++] = (struct stack_aux){
		AT_PHDR, l->program.elf.phdr_vaddr ? l->program.bias + l->program.elf.phdr_vaddr : 0
	};
	aux[n++] = (struct stack_aux){ AT_PHENT, sizeof(Elf64_Phdr) };
	aux[n++] = (struct stack_aux){ AT_PHNUM, l->program.elf.phnum };
	aux[n++] = (struct stack_aux){ AT_BASE, l->interp.elf.nload ? l->interp.bias : 0 };
	aux[n++] = (struct stack_aux){ AT_ENTRY,
				       l->interp.elf.nload ? (uintptr_t)arch_start : t->entry };
	aux[n++] = (struct stack_aux){ AT_SECURE, 0 };
	aux[n++] = (struct stack_aux){ AT_RANDOM, 0 };
	aux[n++] = (struct stack_aux){ AT_EXECFN, 0 };
	aux[n++] = (struct stack_aux){ AT_PLATFORM, 0 };
	aux[n++] = (struct stack_aux){ AT_PIP_TASK, (uintptr_t)t };
	return n;
}

size_t place_stack_size(uint64_t limit)
{
	/* Who has raised the limit wants it; the pages cost nothing until they are used. */
	if (limit < PIP_STACK_SIZE)
		return PIP_STACK_SIZE;
	return page_up(limit < STACK_MOST ? limit : STACK_MOST);
}

int place_stack(struct task *t, const struct load *l, const struct place_program *p,
		struct launch **launchp)
{
	unsigned char random[STACK_RANDOM_LEN];
	struct stack_aux aux[32];
	struct stack_spec spec = {
		.argv = p->argv,
		.envv = p->envv,
		.aux = aux,
		.execfn = p->execfn,
		.platform = interp_known.platform[0] ? interp_known.platform : NULL,
		.random = random,
		.env_subst_index = p->env_value ? p->env_subst : STACK_NO_SUBST,
		.env_subst = p->env_value,
	};
	struct stack_out out;
	size_t size = p->stack_size;
	int prot = PROT_READ | PROT_WRITE | (l->program.elf.stack_exec ? PROT_EXEC : 0);
	struct launch *launch;
	uintptr_t base, at;
	bool is_there;
	ssize_t need;
	int rc;

	if (sys_random(random, sizeof(random)))
		return -EIO;
	spec.naux = build_auxv(aux, l, t);
	need = stack_size_needed(&spec);
	if (need < 0)
		return (int)need;
	/* The strings must not eat up a small stack: execve counts them at a quarter of it at
	 * most. */
	if ((size_t)need > size / 4)
		size += (size_t)need;
	size = page_up(size);
	/*
	 * The range below stays unmapped, and is nobody else's: an overflow ends in a fault.
	 * (It does not grow: the range is no wider than the gap that the kernel keeps below a
	 * stack.  But glibc makes a stack executable, for libraries that want it, by mprotect
	 * with PROT_GROWSDOWN.)
	 */
	base = kept_stack(t, size, prot, &is_there);
	if (!base) {
		base = window_reserve(t, KEPT_STACK_GUARD + size, PAGE);
		if (!base)
			return -ENOMEM;
		base += KEPT_STACK_GUARD;
	}
	if (!is_there) {
		at = sys_mmap(base, size, prot,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK |
				      MAP_GROWSDOWN | MAP_FIXED_NOREPLACE,
			      -1, 0);
		if (sys_failed(at))
			return (int)at;
		kept_has_stack(t, base);
	}
	at = base + size - (((size_t)need + 15) & ~15UL);
	rc = stack_build((void *)at, base + size - at, at, &spec, &out);
	if (rc)
		return rc;
	launch = (struct launch *)((out.sp - LAUNCH_ROOM) & ~63UL);
	launch->sp = out.sp;
	if (p->env_value) {
		t->preload_slot = (const char **)out.envp + p->env_subst;
		t->preload_original = (const char *)out.env_original;
	}
	launch->task = t;
	launch->load = *l;
	launch->cpu = interp_known.cpu;
	if (!t->hwcap)
		launch->cpu.size = 0;
	launch->clear_handlers = launch->bind = false;
	launch->ignored = 0;
	*launchp = launch;
	return 0;
}
