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

/** What xpmem_version() says. */
#define XPMEM_CURRENT_VERSION 0x00022000
/** The same for people. */
#define XPMEM_CURRENT_VERSION_STRING "2.2"

/** The device of the kernel module, which is not used. */
#define XPMEM_DEV_PATH "/dev/xpmem"

/** A size for xpmem_make(): up to the end of the address space. */
#define XPMEM_MAXADDR_SIZE ((size_t)(-1L))

#define XPMEM_RDONLY 0x1 /**< for xpmem_get(): to read */
#define XPMEM_RDWR 0x2   /**< for xpmem_get(): to read and write */

/** Types of permit. */
enum {
	XPMEM_PERMIT_MODE = 0x1 /**< the value is a mode like a file's, cast to a pointer */
};

/** The module's "unknown process because of fork()"; never given here. */
#define XPMEM_ERRNO_NOPROC 2004

typedef intptr_t xpmem_segid_t; /**< a piece of memory that its owner shares */
typedef intptr_t xpmem_apid_t;  /**< one process's right to use it */

/** A place in a segment. */
struct xpmem_addr {
	xpmem_apid_t apid; /**< the right to use it */
	off_t offset;      /**< from the start of the segment; an address, if that starts at 0 */
};

/**
 * Get the version of the interface.
 *
 * @return XPMEM_CURRENT_VERSION, or -1 with errno set:
 *   - ENOENT: the program is neither a root nor a task
 *
 * Callers: anybody.
 */
extern int xpmem_version(void);

/**
 * Prepare for the others.  They do it themselves if need be.
 *
 * @return 0, or -1 with errno set:
 *   - ENOENT: the program is neither a root nor a task
 *
 * Callers: anybody.
 */
extern int xpmem_init(void);

/**
 * Share memory of the caller's, in whole pages.
 *
 * The segment lives until xpmem_remove() or the caller's exit(); and if that is killed or leaves
 * otherwise, until its root has waited for it: as long as its memory.
 *
 * @param vaddr         where it starts; NULL for the whole address space, by XPMEM_MAXADDR_SIZE
 * @param size          bytes, or XPMEM_MAXADDR_SIZE
 * @param permit_type   XPMEM_PERMIT_MODE
 * @param permit_value  who may use it: a mode like a file's, such as (void *)0600
 * @return the segment's id, above 0 and never used again; or -1 with errno set:
 *   - ENOENT: the program is neither a root nor a task
 *   - EINVAL: the range, the type or the value makes no sense
 *   - ENOMEM: there are too many segments
 *
 * Callers: root, task.
 */
extern xpmem_segid_t xpmem_make(void *vaddr, size_t size, int permit_type, void *permit_value);

/**
 * Take a segment of the caller's back.  Who is attached stays so.
 *
 * @param segid  the segment's id
 * @return 0, or -1 with errno set:
 *   - EINVAL: it is no id
 *   - ENOENT: there is no such segment, or not any more; or the program is neither root nor task
 *   - EACCES: it is another process's
 *
 * Callers: root, task.
 */
extern int xpmem_remove(xpmem_segid_t segid);

/**
 * Ask for access to a segment, for the calling process only.
 *
 * @param segid         the segment's id
 * @param flags         XPMEM_RDONLY or XPMEM_RDWR
 * @param permit_type   XPMEM_PERMIT_MODE
 * @param permit_value  NULL
 * @return the id of the access, above 0; or -1 with errno set:
 *   - EINVAL: segid is no id; or flags, type or value make no sense
 *   - ENOENT: there is no such segment, or not any more; or the program is neither root nor task
 *   - EACCES: the segment's mode does not allow it
 *   - ENOMEM: there are too many
 *
 * Callers: root, task.
 */
extern xpmem_apid_t xpmem_get(xpmem_segid_t segid, int flags, int permit_type, void *permit_value);

/**
 * Give access back, with all that is attached through it.
 *
 * @param apid  the id of the access
 * @return 0, or -1 with errno set:
 *   - EINVAL: it is no id
 *   - ENOENT: the calling process has no such access, or not any more; or it is neither root nor
 *     task
 *
 * Callers: root, task.
 */
extern int xpmem_release(xpmem_apid_t apid);

/**
 * Attach memory of a segment: get its address.
 *
 * @param addr   the access, and how far into the segment
 * @param size   bytes, 1 or more
 * @param vaddr  NULL, or the address that will be returned less the offset in its page: memory
 *               cannot be had at another place
 * @return the memory's address, or (void *)-1 with errno set:
 *   - EINVAL: it is no id, not within the segment, or another vaddr
 *   - ENOENT: the calling process has no such access, there is no such segment any more, or the
 *     program is neither root nor task
 *   - ENOMEM
 *
 * Callers: root, task.
 */
extern void *xpmem_attach(struct xpmem_addr addr, size_t size, void *vaddr);

/**
 * End the use of what xpmem_attach() gave.
 *
 * @param vaddr  the address that it returned
 * @return 0, also where nothing is attached; or -1 with errno set:
 *   - EINVAL: it is in the caller's own memory and not attached
 *   - ENOENT: the program is neither a root nor a task
 *
 * Callers: root, task.
 */
extern int xpmem_detach(void *vaddr);

#ifdef __cplusplus
}
#endif

#endif
