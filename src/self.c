/* self.c - who the running program is to PiP.  Entry function: self_set(). */
#include "self.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

static struct self nobody;

_Static_assert(sizeof(struct self) <= sizeof(((struct window_head *)0)->self), "its room");

struct self *self = &nobody;

int self_set(struct task *t)
{
	if (self == &nobody) {
		void *page;

		if (t->window) { /* its first page is empty in a fork's child, too */
			self = (struct self *)t->window->self;
			self->task = t;
			return 0;
		}
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return -errno;
		if (madvise(page, 4096, MADV_WIPEONFORK)) {
			int rc = -errno;

			munmap(page, 4096);
			return rc;
		}
		self = page;
	}
	self->task = t;
	return 0;
}
