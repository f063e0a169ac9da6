/* code.c - a file's code with its system calls led to stubs.  Entry functions: code_make(). */
#include "loader/code.h"

#include <elf.h>
#include <linux/memfd.h>
#include <linux/sched.h>

#include "base/str.h"

#define HUGE (2UL << 20)
#define CODE_MAX (64UL << 20)
#define SITES 255UL                              /* more than that is no C library */
#define STUBS_MAX ((SITES + 1) * ARCH_STUB_SIZE) /* one room is the head */

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

static int read_all(int fd, uintptr_t to, size_t len, uint64_t off)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = sys_pread(fd, (void *)(to + done), len - done, (off_t)(off + done));

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (n ==
		    0) /* it ends within the last page: zeros, as in its mapping; or has shrunk */
			return len - done < PAGE ? 0 : -ENOEXEC;
		done += (size_t)n;
	}
	return 0;
}

static int write_all(int fd, uintptr_t from, size_t len)
{
	while (len) {
		ssize_t n = sys_write(fd, (void *)from, len);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EIO;
		from += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
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
static int patch(struct code *c, uintptr_t page, uintptr_t code, size_t used,
		 const struct code_traps *traps)
{
	struct arch_site site[SITES];
	size_t n =
		arch_find_sites((void *)code, c->len, c->off, traps->nr, traps->nnr, site, SITES);
	uintptr_t room;

	if (n == 0 || n > SITES)
		return -ENOTSUP;
	room = find_room(code, used, c->len, n);
	c->front = room ? 0 : page_up((n + 1) * ARCH_STUB_SIZE);
	page = room ? room : page - c->front;
	arch_write_stub_head((void *)page, traps->window_shift, NULL, (void *)traps->entry);
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
	int high = (int)sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, CODE_DESCRIPTORS - 4, 0, 0, 0);

	if (high < 0)
		return fd;
	sys_close(fd);
	return high;
}

int code_make(struct code *c, int file, const struct elf_info *elf, const struct stat *st,
	      const struct code_traps *traps)
{
	const struct elf_load *s = code_segment(elf);
	uintptr_t buf = 0, page, code;
	size_t buf_len = 0;
	struct stat own;
	int fd = -1, rc = -ENOTSUP;

	c->ino = 0;
	c->fd = -1;
	if (!s)
		return -ENOTSUP;
	c->vaddr = page_down(s->vaddr) - elf->span_start;
	c->off = page_down(s->offset);
	c->len = page_up(s->filesz + (s->vaddr & (PAGE - 1)));
	/* At the same distances as in a task, since the jumps are relative. */
	buf_len = STUBS_MAX + c->vaddr + c->len;
	if (c->vaddr > CODE_MAX)
		return -ENOTSUP;
	buf = sys_mmap(0, buf_len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(buf))
		return (int)buf;
	page = buf + STUBS_MAX;
	code = page + c->vaddr;
	rc = read_all(file, code, c->len, c->off);
	if (!rc)
		rc = patch(c, page, code, s->filesz + (s->vaddr & (PAGE - 1)), traps);
	if (rc)
		goto out;
	fd = rc = (int)sys_call(SYS_memfd_create, "pip-code", MFD_CLOEXEC, 0, 0, 0, 0);
	if (fd < 0)
		goto out;
	fd = raise_descriptor(fd);
	rc = write_all(fd, page - c->front, c->front);
	if (!rc)
		rc = write_all(fd, code, c->len);
	if (!rc)
		rc = sys_fstat(fd, &own);
	if (rc)
		goto out;
	c->fd = fd;
	c->holder = sys_getpid();
	c->fd_dev = own.st_dev;
	c->fd_ino = own.st_ino;
	c->dev = st->st_dev;
	c->size = (uint64_t)st->st_size;
	c->mtime_sec = (uint64_t)st->st_mtim.tv_sec;
	c->mtime_nsec = (uint64_t)st->st_mtim.tv_nsec;
	c->ino = st->st_ino;
	fd = -1;
out:
	if (fd >= 0)
		sys_close(fd);
	sys_munmap(buf, buf_len);
	return rc;
}

void code_collapse(const struct code *c, int fd)
{
	size_t len = (c->front + c->len + HUGE - 1) & ~(HUGE - 1);
	uintptr_t room, at;

	if (sys_call(SYS_ftruncate, fd, len, 0, 0, 0, 0))
		return;
	room = sys_mmap(0, len + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			0);
	if (sys_failed(room))
		return;
	at = sys_mmap((room + HUGE - 1) & ~(HUGE - 1), len, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_FIXED, fd, 0);
	if (!sys_failed(at))
		sys_madvise(at, len, MADV_COLLAPSE);
	sys_munmap(room, len + HUGE);
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
	char path[48] = "/proc/";
	size_t n = 6;
	int fd;

	if (is_open(c, c->fd))
		return c->fd;
	n += str_decimal(path + n, (unsigned long)c->holder);
	n += str_copy(path + n, "/fd/", sizeof(path) - n);
	str_decimal(path + n, (unsigned long)c->fd);
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
		      MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0);
	return sys_failed(at) ? (int)at : 0;
}
