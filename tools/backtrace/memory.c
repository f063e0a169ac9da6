/* memory.c - the task's memory.  Entry functions: memory_read(), memory_string(). */
#include "backtrace.h"

#include <string.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 256 /* an unwinder comes back to the same few */

static struct page {
	uintptr_t at; /* 0 = empty: nothing can be mapped there */
	unsigned char data[PAGE];
} pages[PAGES];

static const struct page *page_at(uintptr_t at)
{
	struct page *p = &pages[at / PAGE % PAGES];

	if (p->at == at && at)
		return p;
	p->at = 0;
	if (pread(STDIN_FILENO, p->data, PAGE, (off_t)at) != (ssize_t)PAGE)
		return NULL;
	p->at = at;
	return p;
}

bool memory_read(uintptr_t at, void *to, size_t n)
{
	unsigned char *out = to;

	while (n) {
		const struct page *p = page_at(at & ~(PAGE - 1));
		size_t part = PAGE - at % PAGE;

		if (!p)
			return false;
		part = part < n ? part : n;
		memcpy(out, p->data + at % PAGE, part);
		at += part;
		out += part;
		n -= part;
	}
	return true;
}

void memory_string(uintptr_t at, char *to, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && memory_read(at + i, to + i, 1) && to[i]; i++)
		;
	to[i] = '\0';
}
