/*
 * xpmem.c - the functions of <xpmem.h>, in which errors become -1 and errno.
 *
 * Segments are the space's (segment.h).  What xpmem_get() gives is the calling program's own, as
 * with the real library, so it is kept here, in its own memory: a table of rights to access.  What
 * xpmem_attach() gives is nothing but an address.  Only attachments to the program's own memory are
 * recorded, for detaching them to be told from detaching what was never attached.
 */
#include <xpmem.h>

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "segment.h"

#define API __attribute__((visibility("default")))
#define FAILED ((void *)-1)

#define PAGE_MASK (~(uintptr_t)4095)
#define MODE_BITS 0777

/* An apid is the place in the table, and above that a number that no other apid ever has. */
#define INDEX_BITS 24
#define INDEX_MAX (1U << INDEX_BITS)
#define SERIAL_MASK ((1UL << (63 - INDEX_BITS)) - 1)

struct access {
	xpmem_apid_t apid; /* 0 = free */
	xpmem_segid_t segid;
	uint32_t next_free; /* index + 1 */
};

struct own_attachment {
	struct own_attachment *next;
	uintptr_t page;
	xpmem_apid_t apid;
};

/* All below is guarded by it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct access *accesses;
static uint32_t naccesses, room, free_access; /* free_access: index + 1 */
static uint64_t serial;
static struct own_attachment *own_attachments;

static int fail(int rc)
{
	errno = -rc;
	return -1;
}

/* ---- Rights -------------------------------------------------------------------------------- */

/* As of the first use: it is then that the real library opens its device. */
static struct {
	pthread_once_t once;
	uid_t uid;
	gid_t gid;
} user = { .once = PTHREAD_ONCE_INIT };

static void user_find(void)
{
	user.uid = geteuid();
	user.gid = getegid();
}

static bool in_group(gid_t gid)
{
	int n = getgroups(0, NULL);
	gid_t *groups;
	bool found = getegid() == gid;

	if (found || n <= 0)
		return found;
	groups = calloc((size_t)n, sizeof(*groups));
	n = groups ? getgroups(n, groups) : 0;
	while (n > 0 && !found)
		found = groups[--n] == gid;
	free(groups);
	return found;
}

static bool is_capable(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* The rule of System V IPC, which is the module's too.  The usual cases need no system call. */
static bool is_permitted(const struct segment *s, int flags)
{
	uint32_t wanted = flags == XPMEM_RDONLY ? 4 : 6, granted;

	if ((s->mode & s->mode >> 3 & s->mode >> 6 & wanted) == wanted)
		return true;
	pthread_once(&user.once, user_find);
	if (s->uid == user.uid && (s->mode >> 6 & wanted) == wanted)
		return true;
	if (s->uid == geteuid())
		granted = s->mode >> 6;
	else
		granted = in_group(s->gid) ? s->mode >> 3 : s->mode;
	return (granted & wanted) == wanted || is_capable(CAP_IPC_OWNER);
}

/* ---- The table; the mutex is held ---------------------------------------------------------- */

static int grow(void)
{
	uint32_t more = room ? 2 * room : 64;
	struct access *table;

	if (room == INDEX_MAX)
		return -ENOMEM;
	table = realloc(accesses, more * sizeof(*table));
	if (!table)
		return -ENOMEM;
	/* A random first number: another program's apid is not to be taken for one of this. */
	if (!room && getrandom(&serial, sizeof(serial), 0) != sizeof(serial))
		serial = 0;
	accesses = table;
	room = more;
	return 0;
}

static int access_add(xpmem_segid_t segid, xpmem_apid_t *apidp)
{
	uint32_t index = free_access ? free_access - 1 : naccesses;
	struct access *a;

	if (index == room) {
		int rc = grow();

		if (rc)
			return rc;
	}
	a = &accesses[index];
	if (free_access)
		free_access = a->next_free;
	else
		naccesses++;
	do
		serial = (serial + 1) & SERIAL_MASK;
	while (serial == 0);
	a->apid = *apidp = (xpmem_apid_t)(serial << INDEX_BITS | index);
	a->segid = segid;
	return 0;
}

static struct access *access_find(xpmem_apid_t apid)
{
	uint32_t index = (uint64_t)apid & (INDEX_MAX - 1);

	return index < naccesses && accesses[index].apid == apid ? &accesses[index] : NULL;
}

static void access_remove(struct access *a)
{
	struct own_attachment **link = &own_attachments, *o;

	while ((o = *link) != NULL) {
		if (o->apid == a->apid) {
			*link = o->next;
			free(o);
		} else {
			link = &o->next;
		}
	}
	a->apid = 0;
	a->next_free = free_access;
	free_access = (uint32_t)(a - accesses) + 1;
}

/* A forked child is no part of the space.  Should it become a root, it starts with nothing. */
static void forget_in_child(void)
{
	pthread_mutex_init(&mutex, NULL);
	accesses = NULL;
	own_attachments = NULL;
	naccesses = room = free_access = 0;
	user.once = (pthread_once_t)PTHREAD_ONCE_INIT;
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_in_child);
}

/* ---- The interface ------------------------------------------------------------------------- */

API int xpmem_version(void)
{
	int rc = pip_segment_init();

	return rc ? fail(rc) : XPMEM_CURRENT_VERSION;
}

API int xpmem_init(void)
{
	int rc = pip_segment_init();

	if (rc)
		return fail(rc);
	pthread_once(&user.once, user_find);
	return 0;
}

API xpmem_segid_t xpmem_make(void *vaddr, size_t size, int permit_type, void *permit_value)
{
	struct segment s = { .start = (uintptr_t)vaddr, .size = size };
	int64_t id;

	if (xpmem_init())
		return -1;
	if (permit_type != XPMEM_PERMIT_MODE || (uintptr_t)permit_value & ~(uintptr_t)MODE_BITS)
		return fail(-EINVAL);
	s.mode = (uint32_t)(uintptr_t)permit_value;
	s.uid = user.uid;
	s.gid = user.gid;
	id = pip_segment_make(&s);
	return id < 0 ? fail((int)id) : id;
}

API int xpmem_remove(xpmem_segid_t segid)
{
	int rc = pip_segment_init();

	if (!rc)
		rc = pip_segment_remove(segid);
	return rc ? fail(rc) : 0;
}

API xpmem_apid_t xpmem_get(xpmem_segid_t segid, int flags, int permit_type, void *permit_value)
{
	struct segment s;
	xpmem_apid_t apid = 0;
	int rc = pip_segment_init();

	if (rc)
		return fail(rc);
	if (flags & ~(XPMEM_RDONLY | XPMEM_RDWR) || flags == (XPMEM_RDONLY | XPMEM_RDWR) ||
	    permit_type != XPMEM_PERMIT_MODE || permit_value)
		return fail(-EINVAL);
	rc = pip_segment_find(segid, &s);
	if (rc)
		return fail(rc);
	if (!is_permitted(&s, flags))
		return fail(-EACCES);
	pthread_mutex_lock(&mutex);
	rc = access_add(segid, &apid);
	pthread_mutex_unlock(&mutex);
	return rc ? fail(rc) : apid;
}

API int xpmem_release(xpmem_apid_t apid)
{
	struct access *a;
	int rc = pip_segment_init();

	if (rc)
		return fail(rc);
	if (apid <= 0)
		return fail(-EINVAL);
	pthread_mutex_lock(&mutex);
	a = access_find(apid);
	if (a)
		access_remove(a);
	pthread_mutex_unlock(&mutex);
	return a ? 0 : fail(-ENOENT);
}

/* 0, or -ENOENT if the access has been released by another thread in the meantime. */
static int attach_own(xpmem_apid_t apid, uintptr_t at)
{
	struct own_attachment *o = malloc(sizeof(*o));
	int rc = -ENOENT;

	if (!o)
		return -ENOMEM;
	pthread_mutex_lock(&mutex);
	if (access_find(apid)) {
		o->page = at & PAGE_MASK;
		o->apid = apid;
		o->next = own_attachments;
		own_attachments = o;
		rc = 0;
	}
	pthread_mutex_unlock(&mutex);
	if (rc)
		free(o);
	return rc;
}

API void *xpmem_attach(struct xpmem_addr addr, size_t size, void *vaddr)
{
	struct segment s;
	struct access *a;
	xpmem_segid_t segid = 0;
	uintptr_t at;
	int rc = pip_segment_init();

	if (!rc && (addr.apid <= 0 || addr.offset < 0 || size == 0))
		rc = -EINVAL;
	if (!rc) {
		pthread_mutex_lock(&mutex);
		a = access_find(addr.apid);
		if (a)
			segid = a->segid;
		pthread_mutex_unlock(&mutex);
		rc = a ? pip_segment_find(segid, &s) : -ENOENT;
	}
	if (rc) {
		fail(rc);
		return FAILED;
	}
	at = s.start + (uintptr_t)addr.offset;
	if ((size_t)addr.offset >= s.size || size > s.size - (size_t)addr.offset ||
	    (vaddr && (uintptr_t)vaddr != (at & PAGE_MASK)))
		rc = -EINVAL;
	else if (s.own)
		rc = attach_own(addr.apid, at);
	if (rc) {
		fail(rc);
		return FAILED;
	}
	return (void *)at;
}

API int xpmem_detach(void *vaddr)
{
	struct own_attachment **link = &own_attachments, *o;
	int rc = pip_segment_init();

	if (rc)
		return fail(rc);
	if (!pip_segment_own_memory(vaddr))
		return 0; /* another's, or nobody's */
	pthread_mutex_lock(&mutex);
	while ((o = *link) != NULL && o->page != ((uintptr_t)vaddr & PAGE_MASK))
		link = &o->next;
	if (o)
		*link = o->next;
	pthread_mutex_unlock(&mutex);
	free(o);
	return o ? 0 : fail(-EINVAL);
}
