/*
 * private.c - the private loader.
 * Entry functions: load_open(), load_map(), load_finish().
 *
 * Each task has its own copy of its PT_INTERP, which then loads the program's libraries as it does
 * after execve(2).  So far as a C library can see, its process has just begun.
 */
#include "loader/loader.h"

#include <elf.h>
#include <string.h>

#include "base/span.h"
#include "base/str.h"

static int read_exactly(int fd, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = sys_pread(fd, (char *)buf + done, len - done, (off_t)(off + done));

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -ENOEXEC; /* the file has become shorter */
		done += (size_t)n;
	}
	return 0;
}

int load_read(int fd, uintptr_t to, size_t len, uint64_t off)
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

/* The program headers that lie outside the first page. */
static int parse_far_segments(struct image *img)
{
	size_t len = (size_t)img->elf.phnum * sizeof(Elf64_Phdr);
	uintptr_t buf =
		sys_mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (sys_failed(buf))
		return (int)buf;
	rc = read_exactly(img->fd, (void *)buf, len, img->elf.phoff);
	if (!rc)
		rc = elf_parse_segments((void *)buf, len, (uint64_t)img->st.st_size, PAGE,
					&img->elf);
	sys_munmap(buf, len);
	return rc;
}

int load_image_read(struct image *img, const char **what)
{
	uint64_t page[512];
	ssize_t n;
	int rc;

	*what = "read";
	do
		n = sys_pread(img->fd, page, sizeof(page), 0);
	while (n == -EINTR);
	if (n < 0)
		return (int)n;
	*what = "header";
	rc = elf_parse_header(page, (size_t)n, &img->elf);
	if (rc)
		return rc;
	*what = "segments";
	if (span_ok(img->elf.phoff, img->elf.phnum * sizeof(Elf64_Phdr), (uint64_t)n))
		return elf_parse_segments((char *)page + img->elf.phoff,
					  img->elf.phnum * sizeof(Elf64_Phdr),
					  (uint64_t)img->st.st_size, PAGE, &img->elf);
	return parse_far_segments(img);
}

int load_image_open(struct image *img, const char *path, const char **what)
{
	int rc;

	img->bias = 0;
	*what = "open";
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	img->fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (img->fd < 0)
		return img->fd;
	rc = sys_fstat(img->fd, &img->st);
	if (rc)
		return rc;
	if (!S_ISREG(img->st.st_mode) || !(img->st.st_mode & 0111))
		return -EACCES;
	return load_image_read(img, what);
}

/* Without an interpreter only a static PIE is a program: it relocates itself. */
static int check_static_pie(const struct image *img)
{
	uint64_t dyn[256];
	int rc;

	if (img->elf.dyn_len == 0 || img->elf.dyn_len > sizeof(dyn))
		return -ELIBEXEC;
	rc = read_exactly(img->fd, dyn, img->elf.dyn_len, img->elf.dyn_off);
	if (rc)
		return rc;
	rc = elf_dynamic_is_pie(dyn, img->elf.dyn_len);
	return rc == 1 ? 0 : rc < 0 ? rc : -ELIBEXEC;
}

void load_image_close(struct image *img)
{
	if (img->fd >= 0)
		sys_close(img->fd);
	img->fd = -1;
}

void load_close(struct load *l)
{
	load_image_close(&l->program);
	load_image_close(&l->interp);
}

static int open_interp(struct load *l, struct load_error *err)
{
	int rc;

	err->what = "interpreter";
	if (l->program.elf.interp_len == 0)
		return check_static_pie(&l->program);
	rc = read_exactly(l->program.fd, l->interp_path, l->program.elf.interp_len,
			  l->program.elf.interp_off);
	if (rc)
		return rc;
	if (l->interp_path[l->program.elf.interp_len - 1] != '\0')
		return -ENOEXEC;
	err->file = l->interp_path;
	rc = load_image_open(&l->interp, l->interp_path, &err->what);
	if (rc && rc != -ENOMEM && rc != -EMFILE && rc != -ENFILE)
		rc = -ENOEXEC; /* the other codes are about the program itself */
	return rc;
}

int load_open_interp(struct load *l, const char *path, struct load_error *err)
{
	int rc;

	l->interp.fd = -1;
	l->interp.elf.nload = 0;
	l->interp_path[0] = '\0';
	err->file = path;
	rc = open_interp(l, err);
	if (rc)
		load_close(l);
	return rc;
}

int load_open(struct load *l, const char *path, struct load_error *err)
{
	int rc;

	err->file = path;
	rc = load_image_open(&l->program, path, &err->what);
	if (!rc)
		return load_open_interp(l, path, err);
	load_image_close(&l->program);
	return rc;
}

/* The place in the file of an address, 0 if it is not in one of the segments' data. */
static uint64_t file_offset(const struct elf_info *elf, uint64_t vaddr)
{
	for (unsigned i = 0; i < elf->nload; i++) {
		const struct elf_load *s = &elf->load[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->filesz)
			return vaddr - s->vaddr + s->offset;
	}
	return 0;
}

unsigned load_needs(const struct image *img, const char *const *library, size_t n)
{
	unsigned found = 0;
	uint64_t names = 0, at;
	Elf64_Dyn dyn[1024]; /* a program with a hundred libraries has some 130 */
	size_t len = img->elf.dyn_len < sizeof(dyn) ? img->elf.dyn_len : sizeof(dyn);

	if (read_exactly(img->fd, dyn, len, img->elf.dyn_off))
		return 0;
	for (size_t i = 0; i < len / sizeof(dyn[0]) && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == DT_STRTAB)
			names = file_offset(&img->elf, dyn[i].d_un.d_ptr);
	for (size_t i = 0; names && i < len / sizeof(dyn[0]) && dyn[i].d_tag != DT_NULL; i++) {
		char name[16];

		if (dyn[i].d_tag != DT_NEEDED ||
		    __builtin_add_overflow(names, dyn[i].d_un.d_val, &at) || at > INT64_MAX ||
		    read_exactly(img->fd, name, sizeof(name), at))
			continue;
		name[sizeof(name) - 1] = '\0';
		for (size_t k = 0; k < n; k++)
			if (str_starts(name, library[k]))
				found |= 1U << k;
	}
	return found;
}

static int prot_of(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
	       (flags & PF_X ? PROT_EXEC : 0);
}

int load_restore(uintptr_t at, size_t len, int prot, int fd, off_t off)
{
	int rc;

	if (!(prot & PROT_WRITE))
		return 0;
	rc = (int)sys_call(SYS_mprotect, at, len, prot, 0, 0, 0);
	if (rc)
		return rc;
	/* The file may end within the last page. */
	memset((void *)(at + page_up(len) - PAGE), 0, PAGE);
	return load_read(fd, at, len, (uint64_t)off);
}

static int restore_image(const struct image *img)
{
	int rc = 0;

	for (unsigned i = 0; i < img->elf.nload && !rc; i++) {
		const struct elf_load *s = &img->elf.load[i];
		uintptr_t start = page_down(s->vaddr);

		rc = load_restore(img->bias + start, page_up(s->vaddr + s->filesz) - start,
				  prot_of(s->flags), img->fd, (off_t)page_down(s->offset));
	}
	return rc;
}

static int image_map(struct image *img, const struct load_place *place, bool first)
{
	size_t front = first ? place->front : 0;
	uintptr_t mapped = 0; /* up to here, as addresses in the file */
	uintptr_t base = first ? place->at : 0;

	if (!base) {
		base = place->reserve(place->ctx, img->elf.span_len + front, img->elf.align);
		if (sys_failed(base))
			return (int)base;
		base += front;
	}
	img->bias = base - img->elf.span_start;
	if (first && place->is_there)
		return restore_image(img);
	/* Only inside the reserved span, so nothing else can be hit whatever the file says; but two
	 * segments may share a page, and then the later one counts. */
	for (unsigned i = 0; i < img->elf.nload; i++) {
		const struct elf_load *s = &img->elf.load[i];
		uintptr_t start = page_down(s->vaddr), data = page_up(s->vaddr + s->filesz),
			  end = page_up(s->vaddr + s->memsz), got;
		int prot = prot_of(s->flags), fd = img->fd,
		    fixed = start < mapped ? MAP_FIXED : MAP_FIXED_NOREPLACE,
		    flags = MAP_PRIVATE | fixed;
		off_t off = (off_t)page_down(s->offset);

		if (s->filesz == 0)
			data = start;
		if (data > start) {
			if (first && place->code_fd >= 0 && (s->flags & PF_X)) {
				fd = place->code_fd;
				off = place->code_off;
			}
			/* All of a small data segment will be written: one call, not a fault a
			 * page. */
			if ((s->flags & PF_W) && data - start <= LOAD_POPULATE_MAX)
				flags |= MAP_POPULATE;
			got = sys_mmap(img->bias + start, data - start, prot, flags, fd, off);
			if (sys_failed(got))
				return (int)got;
		}
		if (end > data) {
			got = sys_mmap(img->bias + data, end - data, prot,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
			if (sys_failed(got))
				return (int)got;
		}
		mapped = end > data ? end : data;
	}
	return 0;
}

int load_map(struct load *l, const struct load_place *place, struct load_error *err)
{
	int rc;

	err->what = "map";
	rc = image_map(&l->program, place, load_first(l) == &l->program);
	if (!rc && l->interp.elf.nload) {
		err->file = l->interp_path;
		rc = image_map(&l->interp, place, true);
	}
	load_close(l);
	return rc;
}

static BARE void zero_tails(const struct image *img)
{
	for (unsigned i = 0; i < img->elf.nload; i++) {
		const struct elf_load *s = &img->elf.load[i];
		uintptr_t from = img->bias + s->vaddr + s->filesz,
			  to = img->bias + page_up(s->vaddr + s->filesz);

		/* To the end of the page, as the kernel does: ld.so puts its first data there.
		 * A segment that begins in the same page was mapped over this one. */
		if (i + 1 < img->elf.nload && page_down(s[1].vaddr) + img->bias < to)
			to = page_down(s[1].vaddr) + img->bias;
		if (s->filesz == 0 || s->memsz <= s->filesz || !(s->flags & PF_W))
			continue;
		for (; from < to; from++)
			*(volatile char *)from = 0;
	}
}

BARE void load_finish(const struct load *l, const struct cpu_table *cpu)
{
	zero_tails(&l->program);
	if (!l->interp.elf.nload)
		return;
	zero_tails(&l->interp);
	if (cpu->size && cpu->dev == l->interp.st.st_dev && cpu->ino == l->interp.st.st_ino) {
		const volatile uint64_t *from = cpu->data;
		volatile uint64_t *to = (uint64_t *)(l->interp.bias + cpu->offset);

		for (size_t i = 0; i < cpu->size / 8; i++)
			to[i] = from[i];
	}
}

const struct image *load_first(const struct load *l)
{
	return l->interp.elf.nload ? &l->interp : &l->program;
}

uintptr_t load_entry(const struct load *l)
{
	return load_first(l)->bias + load_first(l)->elf.entry;
}
