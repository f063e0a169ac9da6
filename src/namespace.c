/*
 * namespace.c - the dlmopen loader.  Entry functions: namespace_open(), namespace_close().
 *
 * Each task has a namespace of the root's dynamic linker: this library first, so that what it puts
 * in libc's place is found before libc, then the program.  Its process runs on the thread control
 * block and on the stack of a thread that the root's libc has made after that and that does nothing
 * but wait: so there is room in it for the thread-local variables of all that was loaded.  Where
 * tasks are threads, that thread itself becomes the task.
 *
 * The system calls of the namespace's libc are led to the traps as with the private loader, so what
 * it allocates lies in the task's window.  The dynamic linker's own do not, nor do the libraries.
 *
 * glibc opens no position-independent program (elf/dl-load.c, DF_1_PIE).  A copy in memory, with
 * that flag taken out, is none; and one of this library, without DF_1_NODELETE, can be closed.
 */
#include "namespace.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memfd.h"
#include "base/str.h"
#include "carrier.h"
#include "embryo/trap.h"
#include "embryo/window.h"
#include "intercept.h"
#include "interp.h"
#include "log.h"
#include "taskside/symbol.h"

#define OPENED_MAX 1000 /* times by one task, that will be undone */

struct name_space {
	struct name_space *older;
	bool done, broken;
	/* The task's record while its memory is still needed, or NULL. */
	const struct task *host;
	uint32_t incarnation;
	void *libpip, *program;
	struct intercepted libc;
	struct carrier *carrier;
	uintptr_t *block; /* argc, argv, environment as on a stack, then what they point to */
	struct namespace_start start;
};

/* glibc gets static TLS back only from the end (elf/dl-close.c), so the last opened goes first. */
static pthread_mutex_t stack_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct name_space *newest;

int namespace_wanted(bool *wantedp)
{
	const char *value = getenv("PIP_LOADER");

	*wantedp = value && strcasecmp(value, "dlmopen") == 0;
	if (!value || !*value || *wantedp || strcasecmp(value, "private") == 0 ||
	    strcasecmp(value, "auto") == 0)
		return 0;
	log_err("unknown environment setting PIP_LOADER='%s'; it is private, dlmopen or auto",
		value);
	return -EINVAL;
}

/* ---- Copies of files ----------------------------------------------------------------------- */

static int copy_all(int from, int to)
{
	off_t off = 0;
	char buf[65536];
	ssize_t n;

	while ((n = pread(from, buf, sizeof(buf), off)) > 0) {
		for (ssize_t done = 0, m; done < n; done += m)
			if ((m = write(to, buf + done, (size_t)(n - done))) <= 0)
				return m < 0 ? -errno : -EIO;
		off += n;
	}
	return n < 0 ? -errno : 0;
}

/* Takes flags out of DT_FLAGS_1. */
static int drop_flags(int fd, const struct elf_info *elf, uint64_t drop)
{
	for (uint64_t at = elf->dyn_off; at < elf->dyn_off + elf->dyn_len;
	     at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn d;

		if (pread(fd, &d, sizeof(d), (off_t)at) != sizeof(d))
			return -ENOEXEC;
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag != DT_FLAGS_1)
			continue;
		d.d_un.d_val &= ~drop;
		if (pwrite(fd, &d, sizeof(d), (off_t)at) != sizeof(d))
			return -errno;
	}
	return 0;
}

static int make_copy(const struct image *img, const char *name, uint64_t drop)
{
	int fd = memfd_sized(name, 0, (uint64_t)img->st.st_size), rc;

	if (fd < 0)
		return fd;
	rc = copy_all(img->fd, fd);
	if (!rc)
		rc = drop_flags(fd, &img->elf, drop);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

/* ---- The namespace ------------------------------------------------------------------------- */

/*
 * What the dynamic linker opens copies by.  It takes a name that it has opened in this namespace
 * for the same file again, and a descriptor's number soon is another's: so each has a spelling of
 * its own, which no program will use.
 */
#define LIBPIP_BY "/proc/self/fd/"
#define PROGRAM_BY "/proc/self//fd"

/* dlmopen() of a copy; what went wrong is in the message. */
static int open_copy(const struct image *img, Lmid_t id, uint64_t drop, const char *by,
		     const char *path, void **handle)
{
	int fd = make_copy(img, "pip-program", drop);
	const char *why;
	char link[40];

	if (fd < 0) {
		log_err("'%s': unable to copy it: %s", path, strerror(-fd));
		return fd;
	}
	snprintf(link, sizeof(link), "%s/%d", by, fd);
	*handle = dlmopen(id, link, RTLD_NOW | RTLD_LOCAL);
	why = *handle ? NULL : dlerror();
	close(fd);
	if (*handle)
		return 0;
	/* glibc has no other way to tell that it is full (elf/dl-open.c, elf/dl-load.c). */
	if (why && (strstr(why, "no more namespaces") || strstr(why, "static TLS"))) {
		log_err("%s: Unable to load %s - %s; "
			"GLIBC_TUNABLES=glibc.rtld.nns=16 makes room for more tasks, "
			"PIP_LOADER=private for all",
			path, path, why);
		return -EAGAIN;
	}
	log_err("%s: Unable to load %s - %s", path, path, why ? why : "dlmopen");
	return -ELIBEXEC;
}

static int open_libpip(struct name_space *ns)
{
	const char *path = interp_facts()->libpip, *what;
	struct image img = { .fd = -1 };
	int rc = load_image_open(&img, path, &what);

	if (rc)
		log_err("'%s': %s", path, strerror(-rc));
	else
		rc = open_copy(&img, LM_ID_NEWLM, DF_1_NODELETE, LIBPIP_BY, path, &ns->libpip);
	load_image_close(&img);
	return rc;
}

/* Before the program's constructors run, so that what they allocate is the task's. */
static int intercept_libc(struct name_space *ns, struct task *t)
{
	struct code_traps traps = trap_traps(t->space);
	struct link_map *map;
	int rc = -ENOTSUP;

	if (dlinfo(ns->libpip, RTLD_DI_LINKMAP, &map))
		return -ELIBEXEC;
	while (map && !str_starts(str_base(map->l_name), "libc.so."))
		map = map->l_next;
	if (map)
		rc = intercept_find_at(&ns->libc, map->l_addr);
	if (!rc)
		rc = intercept(&ns->libc, t->window, traps.nr, traps.nnr);
	t->sees = ns->libc.sees;
	if (rc)
		log_err("the C library cannot be intercepted: %s; use PIP_LOADER=private",
			strerror(-rc));
	return rc;
}

/* ---- Copy relocations ---------------------------------------------------------------------- */

/*
 * A program has variables of its libraries in itself (R_*_COPY), and ld.so lets the libraries find
 * them there: if the program comes first.  Here they were bound before it came, so it is done once
 * more: what points to the library's variable is to point to the program's.
 */
struct object {
	uintptr_t base;
	const Elf64_Rela *rela;
	size_t nrela;
	const Elf64_Sym *symbols;
	const char *strings;
	uintptr_t relro, relro_end;
};

static uintptr_t pointer(const struct link_map *map, const Elf64_Dyn *d)
{
	/* ld.so has made them addresses, where it can write there. */
	return d->d_un.d_ptr < map->l_addr ? map->l_addr + d->d_un.d_ptr : d->d_un.d_ptr;
}

static void read_object(struct object *o, const struct link_map *map)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)map->l_addr;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(map->l_addr + ehdr->e_phoff);

	*o = (struct object){ .base = map->l_addr };
	for (const Elf64_Dyn *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_RELA)
			o->rela = (const Elf64_Rela *)pointer(map, d);
		else if (d->d_tag == DT_RELASZ)
			o->nrela = d->d_un.d_val / sizeof(Elf64_Rela);
		else if (d->d_tag == DT_SYMTAB)
			o->symbols = (const Elf64_Sym *)pointer(map, d);
		else if (d->d_tag == DT_STRTAB)
			o->strings = (const char *)pointer(map, d);
	}
	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		if (ph[i].p_type != PT_GNU_RELRO)
			continue;
		o->relro = page_down(map->l_addr + ph[i].p_vaddr);
		o->relro_end = page_down(map->l_addr + ph[i].p_vaddr + ph[i].p_memsz);
	}
}

static void set_slot(const struct object *o, uintptr_t *slot, uintptr_t value)
{
	uintptr_t page = page_down((uintptr_t)slot);
	bool guarded = (uintptr_t)slot >= o->relro && (uintptr_t)slot < o->relro_end;

	if (guarded && mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE))
		return;
	*slot = value;
	if (guarded)
		mprotect((void *)page, PAGE, PROT_READ);
}

/* Leads what points to [from, from + size) in this object to the same places at `to`. */
static void redirect(const struct object *o, uintptr_t from, size_t size, uintptr_t to)
{
	for (size_t i = 0; i < o->nrela; i++) {
		uint64_t type = ELF64_R_TYPE(o->rela[i].r_info);
		uintptr_t *slot = (uintptr_t *)(o->base + o->rela[i].r_offset);

		if ((type == ARCH_R_GLOB_DAT || type == ARCH_R_ADDRESS) && *slot >= from &&
		    *slot - from < size)
			set_slot(o, slot, to + (*slot - from));
	}
}

/* Where the libraries have it: as libpip sees it, or any of them. */
static uintptr_t find_original(struct name_space *ns, const struct link_map *first,
			       const struct link_map *program, const char *name)
{
	uintptr_t found = (uintptr_t)dlsym(ns->libpip, name);

	for (; first && !found; first = first->l_next) {
		struct object o;

		if (first == program || !first->l_addr)
			continue;
		read_object(&o, first);
		for (size_t i = 0; i < o.nrela && !found; i++) {
			const Elf64_Sym *s = &o.symbols[ELF64_R_SYM(o.rela[i].r_info)];

			if (ELF64_R_TYPE(o.rela[i].r_info) == ARCH_R_GLOB_DAT &&
			    strcmp(o.strings + s->st_name, name) == 0)
				found = *(uintptr_t *)(o.base + o.rela[i].r_offset);
		}
	}
	return found;
}

static void join_copies(struct name_space *ns)
{
	struct link_map *first, *program;
	struct object own;

	if (dlinfo(ns->libpip, RTLD_DI_LINKMAP, &first) ||
	    dlinfo(ns->program, RTLD_DI_LINKMAP, &program))
		return;
	read_object(&own, program);
	for (size_t i = 0; i < own.nrela; i++) {
		const Elf64_Sym *s = &own.symbols[ELF64_R_SYM(own.rela[i].r_info)];
		uintptr_t from, to = own.base + own.rela[i].r_offset;

		if (ELF64_R_TYPE(own.rela[i].r_info) != ARCH_R_COPY)
			continue;
		from = find_original(ns, first, program, own.strings + s->st_name);
		for (struct link_map *map = first; from && map; map = map->l_next) {
			struct object o;

			if (map == program || strstr(map->l_name, "/ld-"))
				continue; /* ld.so is everybody's */
			read_object(&o, map);
			redirect(&o, from, s->st_size, to);
		}
	}
}

/* ---- Destructors --------------------------------------------------------------------------- */

/* What an object has in its dynamic section is not to be run by the root's dlclose(), on the root's
 * thread: it is taken out, and noted for the task to run at its exit. */
static void take_destructor(const struct link_map *map, struct namespace_fini *fini)
{
	struct object o;

	*fini = (struct namespace_fini){ NULL, 0 };
	if (strstr(map->l_name, "/ld-"))
		return; /* everybody's */
	read_object(&o, map);
	for (Elf64_Dyn *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_FINI_ARRAY) {
			fini->array = (void (**)(void))pointer(map, d);
		} else if (d->d_tag == DT_FINI_ARRAYSZ && d->d_un.d_val) {
			fini->n = d->d_un.d_val / sizeof(fini->array[0]);
			set_slot(&o, (uintptr_t *)&d->d_un.d_val, 0);
		}
	}
}

static int take_destructors(struct name_space *ns, const struct link_map *map)
{
	struct namespace_fini *more, fini;

	take_destructor(map, &fini);
	if (!fini.array || !fini.n)
		return 0;
	more = realloc(ns->start.fini, (ns->start.nfini + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[ns->start.nfini++] = fini;
	ns->start.fini = more;
	return 0;
}

static int take_all_destructors(struct name_space *ns)
{
	struct link_map *first, *program;
	int rc = 0;

	if (dlinfo(ns->libpip, RTLD_DI_LINKMAP, &first) ||
	    dlinfo(ns->program, RTLD_DI_LINKMAP, &program))
		return -ELIBEXEC;
	for (struct link_map *map = program; map && !rc; map = map->l_next)
		rc = take_destructors(ns, map);
	for (struct link_map *map = first; map != program && !rc; map = map->l_next)
		rc = take_destructors(ns, map);
	return rc;
}

/* ---- The program --------------------------------------------------------------------------- */

static int find_start(struct name_space *ns, const struct task *t, const pip_spawn_program_t *p,
		      uint64_t entry)
{
	const char *name = p->funcname;
	struct link_map *map;
	void *found = NULL;
	int n;

	if (dlinfo(ns->program, RTLD_DI_LINKMAP, &map))
		return -ELIBEXEC;
	ns->start.base = map->l_addr;
	ns->start.entry = map->l_addr + entry;
	if (!p->funcname)
		return 0;
	n = symbol_find_in(t->path, map->l_addr, name, &found);
	if (n == 0 && (found = dlsym(ns->program, name)) != NULL)
		n = 1; /* in one of its libraries */
	if (n == 1) {
		*(void **)&ns->start.function = found;
		return 0;
	}
	if (n > 1)
		log_err("%s: symbol '%s' has multiple definitions", p->prog, name);
	else
		log_err("%s: Unable to find start function (%s)", p->prog, name);
	return -ENOEXEC;
}

static size_t vector_size(char *const *v, size_t *n)
{
	size_t size = sizeof(char *);

	for (*n = 0; v[*n]; ++*n)
		size += sizeof(char *) + strlen(v[*n]) + 1;
	return size;
}

static char *copy_vector(char **to, char *text, char *const *from)
{
	for (; *from; from++) {
		*to++ = text;
		text = stpcpy(text, *from) + 1;
	}
	*to = NULL;
	return text;
}

static int copy_strings(struct name_space *ns, char *const *argv, char *const *envv)
{
	size_t argc, envc, size = vector_size(argv, &argc) + vector_size(envv, &envc);
	char *text;

	ns->block = malloc(sizeof(uintptr_t) + size);
	if (!ns->block)
		return -ENOMEM;
	ns->block[0] = argc;
	ns->start.block = ns->block;
	ns->start.facts = interp_facts();
	ns->start.argv = (char **)(ns->block + 1);
	ns->start.envp = ns->start.argv + argc + 1;
	text = (char *)(ns->start.envp + envc + 1);
	text = copy_vector(ns->start.argv, text, argv);
	copy_vector(ns->start.envp, text, envv);
	return 0;
}

/* What would go wrong, if it were tried. */
static int check(const pip_spawn_program_t *p, const struct load *load)
{
	if (!load->interp.elf.nload || load->interp.st.st_dev != interp_facts()->dev ||
	    load->interp.st.st_ino != interp_facts()->ino) {
		log_err("'%s' has another dynamic linker than the root; use PIP_LOADER=private",
			p->prog);
		return -ELIBEXEC;
	}
	if (load->program.elf.tls_memsz) {
		log_err("'%s' has thread-local variables, which would lie in the root's; "
			"use PIP_LOADER=private",
			p->prog);
		return -ELIBEXEC;
	}
	return 0;
}

static int open_window(struct task *t)
{
	uint64_t random;

	t->own_code.fd = t->code_fd[0] = t->code_fd[1] = -1;
	t->same_interp = 1;
	return sys_random(&random, sizeof(random)) ? -EIO : window_open(t, random, 0);
}

static int open_all(struct name_space *ns, struct task *t, const pip_spawn_program_t *p,
		    const struct load *load)
{
	int rc = open_window(t);
	Lmid_t id;

	if (!rc)
		rc = open_libpip(ns);
	if (!rc)
		rc = intercept_libc(ns, t);
	if (!rc && dlinfo(ns->libpip, RTLD_DI_LMID, &id))
		rc = -ELIBEXEC;
	if (!rc)
		rc = open_copy(&load->program, id, DF_1_PIE, PROGRAM_BY, t->path, &ns->program);
	if (!rc)
		rc = find_start(ns, t, p, load->program.elf.entry);
	if (!rc)
		rc = take_all_destructors(ns);
	if (rc)
		return rc;
	join_copies(ns);
	t->image_base = ns->start.base;
	*(void **)&ns->start.enter = dlsym(ns->libpip, "pip_start_in_namespace");
	return ns->start.enter ? 0 : -ELIBEXEC;
}

/* Does anybody still run on the memory of the task that was in it? */
static bool is_kept(const struct name_space *ns)
{
	return ns->host && ns->host->incarnation == ns->incarnation &&
	       atomic_load(&ns->host->state) != TASK_FREE;
}

/* Whether the namespace has lost this library, which somebody in it has opened. */
static bool close_library(const struct name_space *ns, struct link_map *first,
			  struct link_map *library)
{
	struct link_map *map = first;

	if (library == first || (void *)library == ns->program || strstr(library->l_name, "/ld-"))
		return false;
	/* Its handle is its map (elf/dl-open.c).  It may have been opened more than once; one that
	 * is never unloaded stays, without an error. */
	for (int i = 0; i < OPENED_MAX && map; i++) {
		if (dlclose(library))
			return false;
		for (map = first; map && map != library; map = map->l_next)
			;
	}
	return !map;
}

/* A namespace is free when nothing is left in it.  What its task has opened (libc itself does, for
 * pthread_cancel(3) and host names) it did not close. */
static void close_libraries(struct name_space *ns)
{
	struct link_map *first, *map;
	struct namespace_fini none;

	if (!ns->program || dlinfo(ns->libpip, RTLD_DI_LINKMAP, &first))
		return;
	for (map = first; map;) {
		take_destructor(map, &none); /* not on this thread */
		map = close_library(ns, first, map) ? first : map->l_next;
	}
}

static void close_done(void)
{
	while (newest && newest->done && !is_kept(newest)) {
		struct name_space *ns = newest;

		newest = ns->older;
		carrier_stop(ns->carrier, ns->broken);
		close_libraries(ns);
		if (ns->program)
			dlclose(ns->program);
		if (ns->libpip) {
			dlclose(ns->libpip);
			if (ns->libc.stubs)
				munmap((void *)ns->libc.stubs, ns->libc.stubs_len);
		}
		free(ns->start.fini);
		free(ns->block);
		free(ns);
	}
}

int namespace_open(struct task *t, const pip_spawn_program_t *p, char *const *envv,
		   const struct load *load, size_t stack, struct launch **lp)
{
	char *const none[] = { p->prog, NULL };
	struct name_space *ns;
	struct launch *l;
	int rc = check(p, load);

	if (rc)
		return rc;
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	pthread_mutex_lock(&stack_mutex);
	close_done(); /* what had to stay meanwhile */
	ns->older = newest;
	newest = ns;
	pthread_mutex_unlock(&stack_mutex);
	t->name_space = ns;
	memset((void *)t->thread_pointers, 0, sizeof(t->thread_pointers));
	rc = copy_strings(ns, p->argv ? p->argv : none, envv);
	if (!rc)
		rc = open_all(ns, t, p, load);
	if (rc)
		return rc;
	rc = carrier_start_stack(&ns->carrier, &ns->start.thread_pointer, stack, t->thread.on);
	if (rc) {
		log_err("'%s': unable to create its thread: %s", p->prog, strerror(-rc));
		return rc;
	}
	carrier_facts(ns->carrier, &ns->start);
	l = (struct launch *)((ns->start.stack - sizeof(*l)) & ~63UL);
	memset(l, 0, sizeof(*l));
	l->start = &ns->start;
	*lp = l;
	return 0;
}

pid_t namespace_begin(struct task *t, struct launch *l)
{
	pid_t tid = carrier_tid(t->name_space->carrier);

	atomic_store(&t->pid, tid);
	carrier_begin(t->name_space->carrier, l);
	return tid;
}

struct name_space *namespace_leave(struct task *t)
{
	struct name_space *ns = t->name_space;

	if (!ns)
		return NULL;
	t->name_space = NULL;
	/* The last thread of such a task had another word cleared than its libc knows of. */
	if (t->thread.tid_word)
		*t->thread.tid_word = 0;
	ns->broken = t->begun && !t->ended_orderly;
	ns->host = t;
	ns->incarnation = t->incarnation;
	return ns;
}

void namespace_close(struct name_space *ns, bool kept)
{
	if (!ns)
		return;
	if (!kept) {
		ns->host = NULL;
		carrier_stop(ns->carrier, ns->broken);
		ns->carrier = NULL;
	}
	pthread_mutex_lock(&stack_mutex);
	ns->done = true;
	close_done();
	pthread_mutex_unlock(&stack_mutex);
}
