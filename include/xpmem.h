/*
 * xpmem.h - the XPMEM interface over Process-in-Process.  Link with -lxpmem.
 *
 * The names, types and numbers are those of the XPMEM kernel module's library, so that programs
 * written for it compile, and binaries built with it run.  Here no module is needed: tasks and
 * their root share one address space, so xpmem_attach() has nothing to map and returns the peer's
 * own address.  It follows that
 *
 * - an attachment made through a read-only permit can be written to all the same;
 * - memory that the peer does not have is a fault (SIGSEGV) when it is touched;
 * - an attachment is good as long as the peer's memory is: until the peer unmaps it, or its root
 *   has waited for it.
 *
 * Where a program is neither a root nor a task, each function fails with ENOENT, as with the real
 * library where the device is missing.  All of them may be called by any thread.  On failure they
 * return -1 ((void *)-1 from xpmem_attach()) and set errno.
 */
#ifndef XPMEM_H
#define XPMEM_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XPMEM_CURRENT_VERSION 0x00022000
#define XPMEM_CURRENT_VERSION_STRING "2.2"

#define XPMEM_DEV_PATH "/dev/xpmem"

/* A size for xpmem_make(): up to the end of the address space. */
#define XPMEM_MAXADDR_SIZE ((size_t)(-1L))

/* For xpmem_get(). */
#define XPMEM_RDONLY 0x1
#define XPMEM_RDWR 0x2

/* Types of permit.  The value of this one is a mode like a file's, cast to a pointer. */
enum {
	XPMEM_PERMIT_MODE = 0x1
};

/* The module's "unknown process because of fork()"; never given here. */
#define XPMEM_ERRNO_NOPROC 2004

typedef intptr_t xpmem_segid_t; /* a piece of memory that its owner shares */
typedef intptr_t xpmem_apid_t;  /* one process's right to use it */

struct xpmem_addr {
	xpmem_apid_t apid;
	off_t offset; /* from the start of the segment; an address, if that starts at 0 */
};

/* XPMEM_CURRENT_VERSION. */
extern int xpmem_version(void);

/* Not needed before the others.  0. */
extern int xpmem_init(void);

/*
 * Shares the caller's memory from vaddr on; both in whole pages.  The segment lives until
 * xpmem_remove() or the caller's exit(), and if that is killed or leaves otherwise, until its root
 * has waited for it: as long as its memory.  Its id, above 0, is never used again.
 *
 * EINVAL	the range, the type or the value makes no sense
 * ENOMEM	there are too many segments
 */
extern xpmem_segid_t xpmem_make(void *vaddr, size_t size, int permit_type, void *permit_value);

/*
 * Takes a segment of the caller's back.  Who is attached stays so.  0.
 *
 * EINVAL	not an id
 * ENOENT	no such segment, or not any more
 * EACCES	it is another process's
 */
extern int xpmem_remove(xpmem_segid_t segid);

/*
 * Asks for access; permit_value is NULL.  An id above 0, for the calling process only.
 *
 * EINVAL	not an id, or flags, type or value that make no sense
 * ENOENT	no such segment, or not any more
 * EACCES	the segment's mode does not allow it
 * ENOMEM	there are too many
 */
extern xpmem_apid_t xpmem_get(xpmem_segid_t segid, int flags, int permit_type, void *permit_value);

/*
 * Gives access back, with all that is attached through it.  0.
 *
 * EINVAL	not an id
 * ENOENT	no such access of the calling process, or not any more
 */
extern int xpmem_release(xpmem_apid_t apid);

/*
 * The address of the segment's memory at addr.offset.  vaddr is NULL, or that address, without the
 * offset in its page: memory cannot be had at another place.
 *
 * EINVAL	not an id, not within the segment, or another vaddr
 * ENOENT	no such access of the calling process, or no such segment any more
 */
extern void *xpmem_attach(struct xpmem_addr addr, size_t size, void *vaddr);

/*
 * Ends the use of what xpmem_attach() gave.  0, also where nothing is attached.
 *
 * EINVAL	vaddr is in the caller's own memory and not attached
 */
extern int xpmem_detach(void *vaddr);

#ifdef __cplusplus
}
#endif

#endif
