/*
 * copies.c - the code that all tasks of a root share.
 * Entry functions: copies_prepare(), copies_open().  Freestanding.
 */
#include "copies.h"

#include <elf.h>
#include <string.h>
#include <sys/resource.h>

#include "base/stat.h"
#include "base/str.h"
#include "embryo/trap.h"
#include "interp.h"

/*
 * Under space.code_lock.  Of a process and its memory, not of a space: a forked child that becomes
 * a root itself goes on with its parent's.
 */
static struct {
	struct code code[2];     /* of the dynamic linker, of the C library */
	struct code_sites sites; /* of the latter */
} shared;
static bool made; /* or cannot be */

bool copies_is_serious(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOEXEC || rc == -EFBIG;
}

/* ---- Another root's ------------------------------------------------------------------------ */

#define BUILD_ID 20
#define ANCESTORS 6 /* make, its shell, a compiler, its linker */

/* At the end of the memory object: what is in it.  A copy of `shared` is behind this. */
struct index {
	uint8_t build[BUILD_ID]; /* of the library that has made it */
	uint32_t window_shift;
};

#define INDEX_ROOM page_up(sizeof(struct index) + sizeof(shared))

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden"))); /* the linker's */

/* By which two builds of this library differ, NULL if it has none. */
static const void *build_id(void)
{
	const char *base = (const char *)&__ehdr_start;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);

	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
		const char *p = base + ph[i].p_vaddr, *end = p + ph[i].p_filesz;

		while (ph[i].p_type == PT_NOTE && p < end) {
			const Elf64_Nhdr *n = (const Elf64_Nhdr *)p;
			const char *name = p + sizeof(*n), *desc = name + ((n->n_namesz + 3) & ~3U);

			if (n->n_type == NT_GNU_BUILD_ID && n->n_descsz == BUILD_ID &&
			    str_equal(name, "GNU"))
				return desc;
			p = desc + ((n->n_descsz + 3) & ~3U);
		}
	}
	return NULL;
}

static void write_index(const struct space *sp, const struct code_object *o)
{
	struct index *x = (struct index *)(o->map + o->len - INDEX_ROOM);
	const void *build = build_id();

	if (!build)
		return;
	memcpy(x->build, build, BUILD_ID);
	x->window_shift = sp->window_shift;
	memcpy(x + 1, &shared, sizeof(shared));
}

static bool is_of_file(const struct code *c, const char *path)
{
	struct stat st;

	return sys_call(SYS_newfstatat, AT_FDCWD, path, &st, 0, 0, 0) == 0 && code_is_of(c, &st);
}

/* Does it hold what this root would make?  Then that is in `shared`. */
static bool read_index(const struct space *sp, int fd)
{
	const void *build = build_id();
	struct index x;
	struct stat st;
	off_t at;

	if (!build || sys_fstat(fd, &st) || st.st_size <= (off_t)INDEX_ROOM ||
	    st.st_uid != (uid_t)sys_call(SYS_geteuid, 0, 0, 0, 0, 0, 0))
		return false;
	at = st.st_size - (off_t)INDEX_ROOM;
	if (sys_pread(fd, &x, sizeof(x), at) != (ssize_t)sizeof(x) ||
	    memcmp(x.build, build, BUILD_ID) != 0 || x.window_shift != sp->window_shift)
		return false;
	return sys_pread(fd, &shared, sizeof(shared), at + (off_t)sizeof(x)) ==
		       (ssize_t)sizeof(shared) &&
	       is_of_file(&shared.code[0], interp_known.interp) &&
	       is_of_file(&shared.code[1], interp_known.libc);
}

/* The copies of a root above this program. */
static bool inherit(const struct space *sp)
{
	pid_t pid = (pid_t)sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0);

	for (int i = 0; i < ANCESTORS && pid > 1; i++, pid = stat_parent(pid)) {
		int fd = code_object_of(pid);

		if (fd < 0)
			continue;
		if (read_index(sp, fd) && code_take(&shared.code[0], fd) == 0 &&
		    code_take(&shared.code[1], fd) == 0)
			return true;
		sys_close(fd);
	}
	shared.code[0].ino = shared.code[1].ino = 0;
	return false;
}

/* ---- This root's --------------------------------------------------------------------------- */

/* Under the lock.  Without descriptors or memory there is an error; a file of an unusual shape is
 * used as it is. */
static int make_both(struct space *sp)
{
	const char *const path[2] = { interp_known.interp, interp_known.libc };
	struct code_traps traps = trap_traps(sp);
	struct image img[2] = { { .fd = -1 }, { .fd = -1 } };
	size_t room[2] = { 0, 0 };
	struct code_object o;
	int rc = 0;

	code_close(&shared.code[0]); /* of files that are no more */
	if (inherit(sp)) {
		made = true;
		return 0;
	}
	for (int i = 0; i < 2 && !copies_is_serious(rc); i++) {
		const char *what;

		rc = load_image_open(&img[i], path[i], &what);
		room[i] = rc ? 0 : code_room(&img[i].elf);
	}
	if (!copies_is_serious(rc) && room[0])
		rc = code_object(&o, room[0] + room[1] + INDEX_ROOM);
	if (!rc && room[0]) {
		/* The linker's sites are of no use. */
		for (int i = 0; i < 2 && !rc && room[i]; i++)
			rc = code_make(&shared.code[i], &shared.sites, &o, i ? room[0] : 0, &img[i],
				       &traps);
		write_index(sp, &o);
		code_object_done(&o, shared.code[0].ino);
	}
	for (int i = 0; i < 2; i++)
		load_image_close(&img[i]);
	made = !copies_is_serious(rc);
	return made ? 0 : rc;
}

/* Who has made them keeps them open, unless it has closed what it does not know. */
static bool are_there(void)
{
	const struct code *c = &shared.code[0];

	return made && (!c->ino || (c->holder == sys_getpid() ? code_is_open(c)
							      : sys_call(SYS_kill, c->holder, 0, 0,
									 0, 0, 0) != -ESRCH));
}

int copies_prepare(struct space *sp)
{
	kernel_sigset_t mask;
	int rc = 0;

	if (!interp_known.ino || are_there())
		return 0;
	/* A program that has so few must not find ours among them. */
	if (sys_limit(RLIMIT_NOFILE) < CODE_DESCRIPTORS)
		return -EMFILE;
	mask = lock_acquire(&sp->code_lock);
	if (!are_there()) /* another thread may have made them */
		rc = make_both(sp);
	lock_release(&sp->code_lock, mask);
	return rc;
}

void copies_forget(void)
{
	code_close(&shared.code[0]);
	shared.code[1].ino = 0; /* the same descriptor */
	made = false;
}

const struct code *copies_libc(const struct stat *st)
{
	return code_is_of(&shared.code[1], st) ? &shared.code[1] : NULL;
}

const struct code_sites *copies_libc_sites(void)
{
	return &shared.sites;
}

size_t copies_room(void)
{
	const struct code *c = shared.code;

	if (!c[0].ino || !c[1].ino)
		return 0;
	return page_up(c[0].front + c[0].span + c[1].front + c[1].span);
}

struct code_sees copies_sees(void)
{
	return shared.code[1].sees;
}

int copies_open(struct task *t, const struct image *interp, const struct code **found)
{
	const struct code *c = &shared.code[0];
	kernel_sigset_t mask = lock_acquire(&t->space->code_lock);
	int rc = 0;

	*found = NULL;
	/* A package update may have put other files in the place of those. */
	if (made && (!c->ino || code_is_of(c, &interp->st)))
		for (int i = 0; i < 2; i++)
			t->code_fd[i] = shared.code[i].ino ? code_open(&shared.code[i]) : -1;
	if (!made || (c->ino && !code_is_of(c, &interp->st)) || (c->ino && t->code_fd[0] < 0)) {
		rc = make_both(t->space);
		for (int i = 0; i < 2 && !rc; i++)
			t->code_fd[i] = shared.code[i].ino ? shared.code[i].fd : -1;
	}
	if (!rc && c->ino && code_is_of(c, &interp->st))
		*found = c;
	lock_release(&t->space->code_lock, mask);
	return rc;
}
