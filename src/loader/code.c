/*
 * code.c - a file's code with its system calls led to stubs.
 * Entry functions: code_object(), code_make().
 */
#include "loader/code.h"

#include <elf.h>
#include <linux/sched.h>
#include <string.h>

#include "base/memfd.h"
#include "base/str.h"
#include "loader/loader.h"

#define HUGE (2UL << 20)
#define CODE_NAME "pip-code"
#define PATH_MOST 48 /* of descriptor_path() */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)
#define CODE_MAX (64UL << 20)

/* The one executable segment, which must be all file. */
static const struct elf_load *code_segment(const struct elf_info *elf)
{
	const struct elf_load *found = NULL;

	for (unsigned i = 0; i < elf->nload; i++) {
		const struct elf_load *s = &elf->load[i];

		if (!(s->flags & PF_X))
			continue;
		if (found || (s->flags & PF_W) || s->filesz != s->memsz || s->filesz > CODE_MAX)
			return NULL;
		found = s;
	}
	return found;
}

/* Where in the code's last page, of which `used` bytes are code, n stubs and their head find
 * room; 0 if there is none, or if there is something in it. */
static uintptr_t find_room(uintptr_t code, size_t used, size_t len, size_t n)
{
	size_t from = (used + ARCH_STUB_SIZE - 1) & ~(size_t)(ARCH_STUB_SIZE - 1);

	if (from + (n + 1) * ARCH_STUB_SIZE > len)
		return 0;
	for (size_t i = used; i < len; i++)
		if (((const char *)code)[i])
			return 0;
	return code + from;
}

struct code_sees code_sees(const struct arch_site *site, size_t n)
{
	struct code_sees sees = { 0, 0, 0 };
	unsigned forks = 0;

	for (size_t i = 0; i < n; i++) {
		forks += code_is_plain_fork(site[i].nr) ? 2 : site[i].nr == SYS_clone ? 1 : 0;
		sees.signals |= site[i].nr == SYS_rt_sigaction; /* glibc's only one */
		sees.exit |= site[i].nr == SYS_exit_group;
	}
	/* glibc has two clone calls, in _Fork() and clone(); one alone could be the wrong one. */
	sees.forks = forks >= 2;
	return sees;
}

/*
 * Patches the code at `code` (file offset c->off, `used` bytes of it) and writes the stubs:
 * behind it, or, if there is no room, in front of `page`, where the image begins.
 */
static int patch(struct code *c, struct code_sites *sites, uintptr_t page, uintptr_t code,
		 size_t used, const struct code_traps *traps)
{
	const struct arch_site *site = sites->site;
	size_t n = arch_find_sites((void *)code, c->len, c->off, traps->nr, traps->nnr, sites->site,
				   CODE_SITES);
	uintptr_t room;

	if (n == 0 || n > CODE_SITES)
		return -ENOTSUP;
	sites->n = (uint32_t)n;
	room = find_room(code, used, c->len, n);
	c->front = room ? 0 : page_up((n + 1) * ARCH_STUB_SIZE);
	page = room ? room : page - c->front;
	arch_write_stub_head((void *)page, traps->window_shift, NULL);
	for (size_t i = 0; i < n; i++) {
		void *at = (void *)(code + site[i].offset - c->off);
		void *stub = (void *)(page + (i + 1) * ARCH_STUB_SIZE);

		if (!arch_write_stub(stub, (void *)page, &site[i], at))
			return -ENOTSUP;
		arch_write_jump(at, &site[i], stub);
	}
	c->sees = code_sees(site, n);
	return 0;
}

/* Above the descriptors that programs count on, in the first ones, which cost nothing to copy. */
static int raise_descriptor(int fd)
{
	int high = (int)sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, CODE_FIRST, 0, 0, 0);

	if (high < 0)
		return fd;
	sys_close(fd);
	return high;
}

/*
 * One huge page for all of it, of which a byte must be there.  Without this a page is allocated,
 * filled and freed at a time, and the kernel maps and unmaps each for itself: a first launch took a
 * millisecond and a half longer, and each other one, to the end of its wait, a tenth.
 */
static void ask_for_huge_pages(const struct code_object *o)
{
	for (size_t off = 0; off < o->len; off += HUGE)
		*(volatile char *)(o->map + off) = 0;
	sys_madvise(o->map, o->len, MADV_COLLAPSE);
}

int code_object(struct code_object *o, size_t len)
{
	uintptr_t at;

	o->len = (len + HUGE - 1) & ~(HUGE - 1);
	o->room = sys_mmap(0, o->len + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	if (sys_failed(o->room))
		return (int)o->room;
	o->map = (o->room + HUGE - 1) & ~(HUGE - 1);
	o->fd = memfd_sized(CODE_NAME, MFD_ALLOW_SEALING, o->len);
	if (o->fd < 0) {
		sys_munmap(o->room, o->len + HUGE);
		return o->fd;
	}
	o->fd = raise_descriptor(o->fd);
	at = sys_mmap(o->map, o->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, o->fd, 0);
	if (sys_failed(at)) {
		code_object_done(o, false);
		return (int)at;
	}
	if (len >= HUGE / 2)
		ask_for_huge_pages(o);
	return 0;
}

void code_object_done(const struct code_object *o, bool keep)
{
	sys_munmap(o->room, o->len + HUGE);
	/* Other processes use it, too. */
	sys_call(SYS_fcntl, o->fd, F_ADD_SEALS, SEALS, 0, 0, 0);
	if (!keep)
		sys_close(o->fd);
}

/* The link to a descriptor of another process. */
static void descriptor_path(char path[PATH_MOST], pid_t pid, int fd)
{
	size_t n = str_copy(path, "/proc/", PATH_MOST);

	n += str_decimal(path + n, (unsigned long)pid);
	n += str_copy(path + n, "/fd/", PATH_MOST - n);
	str_decimal(path + n, (unsigned long)fd);
}

int code_object_of(pid_t pid)
{
	static const char name[] = "/memfd:" CODE_NAME " (deleted)";
	char path[PATH_MOST], link[sizeof(name) + 1];
	int fd;

	for (int i = CODE_FIRST; i < CODE_DESCRIPTORS; i++) {
		descriptor_path(path, pid, i);
		/* To open what is another thing may do that harm. */
		if (sys_readlink(path, link, sizeof(link)) != sizeof(name) - 1 ||
		    memcmp(link, name, sizeof(name) - 1) != 0)
			continue;
		fd = sys_open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return fd;
		/* Else it is not made yet. */
		if (sys_call(SYS_fcntl, fd, F_GET_SEALS, 0, 0, 0, 0) == SEALS)
			return raise_descriptor(fd);
		sys_close(fd);
		return -EAGAIN;
	}
	return -ENOENT;
}

size_t code_room(const struct elf_info *elf)
{
	const struct elf_load *s = code_segment(elf);

	/* Some linkers let a segment begin within a page. */
	if (!s || page_down(s->vaddr) - elf->span_start > CODE_MAX)
		return 0;
	return CODE_FRONT_MOST + page_down(s->vaddr) - elf->span_start +
	       page_up(s->filesz + (s->vaddr & (PAGE - 1)));
}

int code_make(struct code *c, struct code_sites *sites, const struct code_object *o, uint64_t at,
	      const struct image *img, const struct code_traps *traps)
{
	const struct elf_info *elf = &img->elf;
	const struct elf_load *s = code_segment(elf);
	uintptr_t page = o->map + at + CODE_FRONT_MOST;
	int rc;

	c->ino = 0;
	c->fd = -1;
	if (!code_room(elf))
		return -ENOTSUP;
	c->vaddr = page_down(s->vaddr) - elf->span_start;
	c->off = page_down(s->offset);
	c->span = elf->span_len;
	c->len = page_up(s->filesz + (s->vaddr & (PAGE - 1)));
	c->at = at + CODE_FRONT_MOST + c->vaddr;
	rc = load_read(img->fd, page + c->vaddr, c->len, c->off);
	if (rc == -EFAULT) /* there is no memory for it */
		rc = -ENOMEM;
	if (!rc)
		rc = patch(c, sites, page, page + c->vaddr, s->filesz + (s->vaddr & (PAGE - 1)),
			   traps);
	if (!rc)
		rc = code_take(c, o->fd);
	if (rc)
		return rc;
	c->dev = img->st.st_dev;
	c->size = (uint64_t)img->st.st_size;
	c->mtime_sec = (uint64_t)img->st.st_mtim.tv_sec;
	c->mtime_nsec = (uint64_t)img->st.st_mtim.tv_nsec;
	c->ino = img->st.st_ino;
	return 0;
}

int code_take(struct code *c, int object)
{
	struct stat own;
	int rc = sys_fstat(object, &own);

	if (rc)
		return rc;
	c->fd = object;
	c->holder = sys_getpid();
	c->fd_dev = own.st_dev;
	c->fd_ino = own.st_ino;
	return 0;
}

int code_make_alone(struct code *c, const struct image *img, const struct code_traps *traps)
{
	size_t room = code_room(&img->elf);
	struct code_sites sites;
	struct code_object o;
	int rc;

	c->ino = 0;
	c->fd = -1;
	rc = room ? code_object(&o, room) : -ENOTSUP;
	if (rc)
		return rc;
	rc = code_make(c, &sites, &o, 0, img, traps);
	code_object_done(&o, !rc);
	return rc;
}

static bool is_open(const struct code *c, int fd)
{
	struct stat own;

	return c->ino && sys_fstat(fd, &own) == 0 && own.st_ino == c->fd_ino &&
	       own.st_dev == c->fd_dev;
}

bool code_is_open(const struct code *c)
{
	return is_open(c, c->fd);
}

int code_open(const struct code *c)
{
	char path[PATH_MOST];
	int fd;

	if (is_open(c, c->fd))
		return c->fd;
	descriptor_path(path, c->holder, c->fd);
	fd = sys_open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !is_open(c, fd)) {
		sys_close(fd);
		return -ESTALE;
	}
	return fd;
}

bool code_is_of(const struct code *c, const struct stat *st)
{
	return c->ino == st->st_ino && c->dev == st->st_dev && c->size == (uint64_t)st->st_size &&
	       c->mtime_sec == (uint64_t)st->st_mtim.tv_sec &&
	       c->mtime_nsec == (uint64_t)st->st_mtim.tv_nsec;
}

void code_close(struct code *c)
{
	if (is_open(c, c->fd))
		sys_close(c->fd);
	c->ino = 0;
}

int code_map_stubs(const struct code *c, int fd, uintptr_t base)
{
	uintptr_t at;

	if (!c->front)
		return 0;
	at = sys_mmap(base - c->front, c->front, PROT_READ | PROT_EXEC,
		      MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, (off_t)(c->at - c->vaddr - c->front));
	return sys_failed(at) ? (int)at : 0;
}
