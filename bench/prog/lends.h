/* lends.h - what lends.c tells who borrows. */
#ifndef LENDS_H
#define LENDS_H

#include <xpmem.h>

struct loan {
	xpmem_segid_t segid; /* of the whole address space */
	void *memory;
};

#endif
