/*
 * traces.c - leaves traces in its own memory, or looks for those of another program.
 *
 *	traces look		prints what it finds that a new process has not
 *	traces where		prints where libc is, and looks
 *	traces WAY		leaves some, in one of the ways below
 *
 * Natively there is nothing to be found: each program has new memory.  So it must be where a
 * program gets memory that an earlier one has used.
 */
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define RUNTIME 0x836000UL /* a window's head and BIRTH_FRONT of src/embryo/birth.h */
/* Its complement, so that a program that looks for it has it nowhere. */
#define NO_MARK 0x1234567812345678UL
#define STACK_LEFT (300UL << 10)

struct range {
	uintptr_t start, end;
	char perms[5];
	bool is_libc, is_linker, is_anonymous;
};

static struct range range[512];
static int nranges;

/* The first part of a window, where programs have nothing; ordinary libraries and stacks lie
 * higher. */
static bool is_of_runtime(uintptr_t at)
{
	return at < 7UL << 44 && (at & ((1UL << 34) - 1)) < RUNTIME;
}

/* What is mapped around this program: its own libraries, and what else is in its part of a common
 * address space. */
static void read_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	uintptr_t own = (uintptr_t)stdin;
	char line[512];

	while (f && nranges < 512 && fgets(line, sizeof(line), f)) {
		struct range *r = &range[nranges];

		if (sscanf(line, "%lx-%lx %4s", &r->start, &r->end, r->perms) != 3 ||
		    ((r->start ^ own) >> 34 && !strstr(line, "[stack]")) || is_of_runtime(r->start))
			continue;
		r->is_libc = strstr(line, "/libc.so") != NULL;
		r->is_linker = strstr(line, "/ld-linux") != NULL;
		r->is_anonymous = strchr(line, '/') == NULL && strchr(line, '[') == NULL;
		nranges++;
	}
	if (f)
		fclose(f);
}

static const struct range *range_of(const void *p)
{
	for (int i = 0; i < nranges; i++)
		if ((uintptr_t)p >= range[i].start && (uintptr_t)p < range[i].end)
			return &range[i];
	_exit(3);
}

static bool is_for_data(const struct range *r)
{
	return r->perms[1] == 'w' && r->perms[0] == 'r' &&
	       (r->is_libc || r->is_linker || r->is_anonymous) && r->end - r->start <= 32UL << 20;
}

/* The part of it that may be looked at without making memory of all of it. */
static uintptr_t begin_of(const struct range *r)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (here < r->start || here >= r->end)
		return r->start;
	return here - r->start > 2 * STACK_LEFT ? here - 2 * STACK_LEFT : r->start;
}

/* ---- libc's image ---- */

#define SEGMENTS 8

static struct segment {
	uintptr_t start, end;
	unsigned flags; /* PF_* */
} segment[SEGMENTS];
static int nsegments;

static int read_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; strstr(info->dlpi_name, "/libc.so") && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && nsegments < SEGMENTS)
			segment[nsegments++] =
				(struct segment){ at & ~(PAGE - 1),
						  (at + ph->p_memsz + PAGE - 1) & ~(PAGE - 1),
						  ph->p_flags };
	}
	return 0;
}

/* The last page of its data, or of what is never written to. */
static void *page_of(bool data)
{
	for (int i = nsegments - 1; i >= 0; i--)
		if (!(segment[i].flags & PF_X) && !(segment[i].flags & PF_W) == !data)
			return (void *)(segment[i].end - PAGE);
	_exit(5);
}

/* Reads all of it. */
static unsigned long sum_of_libc(void)
{
	unsigned long sum = 0;

	for (int i = 0; i < nsegments; i++)
		for (uintptr_t p = segment[i].start; p < segment[i].end; p += 8)
			sum = sum * 31 + *(const volatile unsigned long *)p;
	return sum;
}

static bool is_locked(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	uintptr_t start, end, at = 0;
	bool locked = false;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			at = start;
		for (int i = 0; i < nsegments; i++)
			locked |= at >= segment[i].start && at < segment[i].end &&
				  strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " lo");
	}
	if (f)
		fclose(f);
	return locked;
}

/* ---- Looking for traces ---- */

static void look(void)
{
	bool locked = is_locked();
	char swapped[4] = "";
	unsigned long sum;
	int found = 0, status = -1;
	pid_t pid;

	for (int i = 0; i < nranges; i++)
		for (uintptr_t p = begin_of(&range[i]); is_for_data(&range[i]) && p < range[i].end;
		     p += 8)
			found += *(const volatile uint64_t *)p == ~NO_MARK;
	if (found)
		printf("%d words of another program\n", found);
	swab("ab", swapped, 2);
	if (strcmp(swapped, "ba") != 0)
		printf("swab() makes '%s' of 'ab'\n", swapped);
	printf("%d segments of libc%s\n", nsegments, locked ? ", locked" : "");
	fflush(stdout);
	/* By the call itself: libc changes its data for the child. */
	sum = sum_of_libc();
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(sum_of_libc() == sum ? 7 : 8);
	waitpid(pid, &status, 0);
	printf("%#x\n", (unsigned)status);
}

/* All words that are still zero. */
static void mark(uintptr_t from, uintptr_t to)
{
	for (uintptr_t p = from; p < to; p += 8)
		if (*(volatile uint64_t *)p == 0)
			*(volatile uint64_t *)p = ~NO_MARK;
}

static void mark_stack(void)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~7UL;

	/* Well below what is in use. */
	mark(here - STACK_LEFT, here - 4096);
}

/* Nothing of libc works any more behind this but the plainest call.  The kernel must not find marks
 * near the thread pointer, where it has been told of lists and of a restartable sequence. */
static void mark_data(void)
{
	const struct range *stack = range_of(__builtin_frame_address(0));
	const uintptr_t thread = (uintptr_t)__builtin_thread_pointer() & ~(PAGE - 1);

	for (int i = 0; i < nranges; i++)
		for (uintptr_t p = range[i].start; p < range[i].end; p += PAGE)
			if (is_for_data(&range[i]) && &range[i] != stack && p != thread &&
			    p != thread + PAGE)
				mark(p, p + PAGE);
}

#define ANSWER 0xc3 /* ret; an undefined instruction elsewhere */

static void poke(void)
{
	char answer = (char)ANSWER;
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, &answer, 1, (off_t)(uintptr_t)swab) != 1)
		_exit(4);
	close(fd);
}

/* As libraries do that patch others. */
static void patch(void)
{
	void *page = (void *)((uintptr_t)swab & ~(PAGE - 1));

	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		_exit(4);
	*(volatile char *)(uintptr_t)swab = (char)ANSWER;
	mprotect(page, PAGE, PROT_READ | PROT_EXEC);
}

static void change(const char *way)
{
	void *constants = page_of(false), *data = page_of(true), *p = NULL;
	int rc = -1;

	if (!strcmp(way, "protect"))
		rc = mprotect(constants, PAGE, PROT_NONE);
	else if (!strcmp(way, "unmap"))
		rc = munmap(constants, PAGE);
	else if (!strcmp(way, "replace"))
		p = mmap(constants, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0);
	else if (!strcmp(way, "move"))
		p = mremap(constants, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	else if (!strcmp(way, "dontfork"))
		rc = madvise(data, PAGE, MADV_DONTFORK);
	else if (!strcmp(way, "wipeonfork"))
		rc = madvise(data, PAGE, MADV_WIPEONFORK);
	else if (!strcmp(way, "lock"))
		rc = mlock(constants, PAGE);
	if (rc && (!p || p == MAP_FAILED))
		_exit(6);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "look";

	read_maps();
	dl_iterate_phdr(read_segments, NULL);
	if (!strcmp(way, "where"))
		printf("%p\n", (void *)(uintptr_t)swab);
	if (!strcmp(way, "look") || !strcmp(way, "where")) {
		look();
		return 0;
	}
	printf("%s\n", way);
	fflush(stdout);
	if (!strcmp(way, "stack"))
		mark_stack();
	else if (!strcmp(way, "data"))
		mark_data();
	else if (!strcmp(way, "poke"))
		poke();
	else if (!strcmp(way, "patch"))
		patch();
	else
		change(way);
	_exit(0);
}
