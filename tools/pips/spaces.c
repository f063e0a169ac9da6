/*
 * spaces.c - finds the address spaces that PiP runs programs in, and reads their registries.
 * Entry functions: spaces_look(), space_program(), space_measure().
 *
 * Everything in a registry was written by programs that may be anybody's, and goes on changing
 * while it is read: no number is believed before it has been checked, and who is in a space is
 * asked of the kernel.
 */
#include "pips/spaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "space.h"

#define REGISTRY_NAME "/memfd:" SPACE_NAME " (deleted)"

/* The part of a record that its version alone tells the layout of. */
#define RECORD_FIXED offsetof(struct task, space)
#define RECORDS_MAX 8192
#define READS_MAX 16
#define RECORD_SIZE_MAX (1UL << 24)

__attribute__((format(printf, 2, 3))) static void trace(const struct spaces *all,
							const char *format, ...)
{
	va_list ap;

	if (!all->trace)
		return;
	va_start(ap, format);
	vfprintf(all->trace, format, ap);
	va_end(ap);
}

/* ---- Reading a registry -------------------------------------------------------------------- */

/* A registry, open for reading by whichever way the kernel allows. */
struct source {
	int fd;
	uintptr_t base; /* to be added to an offset in the registry */
};

/*
 * The mapped object itself can be opened by who has CAP_CHECKPOINT_RESTORE, and reading that leaves
 * no trace.  The memory of a process can be read by who may trace it (under Yama that may be its
 * parents only), which gives the process page tables for what is read.
 */
static const char *source_open(struct source *s, const struct space_view *view, uintptr_t end)
{
	char path[96];
	uint64_t magic;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIxPTR "-%" PRIxPTR, view->reader,
		 view->address, end);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	s->base = 0;
	if (s->fd >= 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/mem", view->reader);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	s->base = view->address;
	if (s->fd >= 0 && pread(s->fd, &magic, sizeof(magic), (off_t)s->base) == sizeof(magic))
		return NULL;
	if (s->fd >= 0)
		close(s->fd);
	return "its memory may not be read";
}

static bool source_read(const struct source *s, uint64_t off, void *buf, size_t len)
{
	return pread(s->fd, buf, len, (off_t)(s->base + off)) == (ssize_t)len;
}

#define READ_FIELD(s, off, type, member, to)                                                       \
	source_read(s, (off) + offsetof(type, member), to, sizeof(*(to)))

/* What this build's layout has beyond the fixed part. */
static bool read_more(const struct source *s, uint64_t off, struct program *p)
{
	uint32_t launched;

	if (!READ_FIELD(s, off, struct task, mode, &p->mode) ||
	    !READ_FIELD(s, off, struct task, launched, &launched))
		return false;
	p->is_launched = launched != LAUNCH_NONE;
	p->is_placed = launched != LAUNCH_EMBRYO;
	return true;
}

/* True if there is a program in this slot. */
static bool read_program(const struct source *s, uint64_t off, bool same, struct program *p)
{
	struct {
		uint32_t state, slot, root_slot;
		int32_t pipid, pid;
		uint32_t incarnation;
	} now, then;

	_Static_assert(offsetof(struct task, path) == sizeof(now), "the fixed part of a record");
	/* Its slot may be used for another program just now: once more then, but not for ever. */
	for (int i = 0; i < READS_MAX; i++) {
		memset(p, 0, sizeof(*p));
		p->is_placed = true;
		if (!source_read(s, off, &then, sizeof(then)) ||
		    (then.state != TASK_LIVE && then.state != TASK_ENDED) || then.pid <= 0)
			return false;
		if (!source_read(s, off + sizeof(then), p->path, sizeof(p->path)) ||
		    (same && !read_more(s, off, p)) || !source_read(s, off, &now, sizeof(now)))
			return false;
		if (now.incarnation == then.incarnation)
			break;
	}
	p->path[sizeof(p->path) - 1] = '\0';
	p->slot = now.slot;
	p->root_slot = now.root_slot;
	p->pipid = now.pipid;
	p->pid = now.pid;
	p->is_ended = now.state == TASK_ENDED;
	p->is_task = now.root_slot != now.slot;
	p->is_root = !p->is_task;
	return true;
}

/* Tasks that have tasks of their own are roots, too. */
static void mark_roots(struct space_view *view)
{
	for (size_t i = 0; i < view->nprograms; i++)
		for (size_t k = 0; view->program[i].is_task && k < view->nprograms; k++)
			if (view->program[k].slot == view->program[i].root_slot)
				view->program[k].is_root = true;
}

/* Where the windows are, and whose. */
static bool read_windows(const struct source *s, struct space_view *view)
{
	uint32_t nwindows, shift;

	if (!READ_FIELD(s, 0, struct space, area, &view->area) ||
	    !READ_FIELD(s, 0, struct space, window_shift, &shift) ||
	    !READ_FIELD(s, 0, struct space, nwindows, &nwindows) || shift >= 64 ||
	    nwindows > SPACE_WINDOWS)
		return false;
	view->owner = calloc(SPACE_WINDOWS, sizeof(*view->owner));
	if (!view->owner || !source_read(s, offsetof(struct space, owner), view->owner,
					 nwindows * sizeof(*view->owner)))
		return false;
	view->shift = shift;
	view->nowners = nwindows;
	return true;
}

static const char *read_records(const struct source *s, struct space_view *view)
{
	static const char unreadable[] = "its registry cannot be read";
	struct {
		uint64_t magic;
		uint32_t version, size, task_size, ntasks;
		uint64_t tasks_offset;
	} head;
	uint32_t nslots;
	bool same;

	_Static_assert(offsetof(struct space, area) == sizeof(head), "the fixed part");
	if (!source_read(s, 0, &head, sizeof(head)))
		return unreadable;
	if (head.magic != SPACE_MAGIC)
		return "its registry is not one";
	view->version = head.version;
	if (head.version != SPACE_VERSION)
		return "its registry is of another version";
	if (head.ntasks > RECORDS_MAX || head.task_size < RECORD_FIXED ||
	    head.task_size > RECORD_SIZE_MAX || head.tasks_offset > RECORD_SIZE_MAX)
		return "its registry is damaged";
	same = head.size == offsetof(struct space, task) && head.tasks_offset == head.size &&
	       head.task_size == sizeof(struct task);
	if (!same || !READ_FIELD(s, 0, struct space, nslots, &nslots) || nslots > head.ntasks)
		nslots = head.ntasks;
	if (same && !read_windows(s, view))
		return unreadable;
	view->program = calloc(nslots + 1, sizeof(*view->program));
	if (!view->program)
		return strerror(ENOMEM);
	for (uint32_t i = 0; i < nslots; i++) {
		struct program *p = &view->program[view->nprograms];

		if (read_program(s, head.tasks_offset + (uint64_t)i * head.task_size, same, p) &&
		    p->slot == i)
			view->nprograms++;
	}
	mark_roots(view);
	return NULL;
}

static void read_registry(const struct spaces *all, struct space_view *view, uintptr_t end)
{
	struct source s;

	view->trouble = source_open(&s, view, end);
	if (!view->trouble) {
		view->trouble = read_records(&s, view);
		close(s.fd);
	}
	trace(all, "space %" PRIu64 " of PID %d, version %u: %zu programs%s%s\n", view->ino,
	      view->reader, view->version, view->nprograms, view->trouble ? "; " : "",
	      view->trouble ? view->trouble : "");
}

/* ---- Processes ----------------------------------------------------------------------------- */

/* Where a process has the registry mapped.  1, 0: nowhere, -1: its map may not be read. */
static int find_registry(pid_t pid, struct space_view *found, uintptr_t *end)
{
	char path[64], *line = NULL;
	size_t size = 0;
	int result = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT || errno == ESRCH ? 0 : -1;
	while (!result && getline(&line, &size, f) > 0) {
		unsigned major, minor;
		uintptr_t start;
		uint64_t off;

		if (!strstr(line, REGISTRY_NAME "\n"))
			continue;
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %x:%x %" SCNu64, &start,
			   end, &off, &major, &minor, &found->ino) != 6 ||
		    off != 0)
			continue;
		found->dev = (uint64_t)major << 32 | minor;
		found->address = start;
		found->reader = pid;
		result = 1;
	}
	if (!result && ferror(f) && errno != ESRCH)
		result = -1;
	free(line);
	fclose(f);
	return result;
}

static bool shares_memory(pid_t a, pid_t b)
{
	return a == b || syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0;
}

enum membership spaces_look(struct spaces *all, pid_t pid, struct space_view **viewp)
{
	struct space_view found = { .trouble = NULL }, **views;
	uintptr_t end;
	int rc;

	/* The map of a thousand tasks is long: it is read once. */
	for (size_t i = 0; i < all->n; i++) {
		*viewp = all->view[i];
		if (shares_memory(pid, (*viewp)->reader))
			return MEMBER_YES;
	}
	*viewp = NULL;
	rc = find_registry(pid, &found, &end);
	if (rc <= 0)
		return rc < 0 ? MEMBER_UNKNOWN : MEMBER_NO;
	/* Where kcmp(2) is not allowed. */
	for (size_t i = 0; i < all->n; i++) {
		*viewp = all->view[i];
		if ((*viewp)->dev == found.dev && (*viewp)->ino == found.ino)
			return MEMBER_YES;
	}
	*viewp = NULL;
	views = realloc(all->view, (all->n + 1) * sizeof(struct space_view *));
	if (!views)
		return MEMBER_UNKNOWN;
	all->view = views;
	*viewp = views[all->n] = malloc(sizeof(found));
	if (!*viewp)
		return MEMBER_UNKNOWN;
	**viewp = found;
	all->n++;
	read_registry(all, *viewp, end);
	return MEMBER_YES;
}

/* The ID of a thread in its own PID namespace, which is the one that the registry has. */
static pid_t own_id(pid_t pid, pid_t tid)
{
	char path[64], *line = NULL;
	size_t size = 0;
	pid_t id = tid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		char *last;

		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		last = strrchr(line, '\t');
		if (last)
			id = atoi(last + 1); /* NOLINT(cert-err34-c): the kernel's number */
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return id;
}

const struct program *space_program(const struct space_view *view, pid_t pid, pid_t tid)
{
	const struct program *found = NULL;
	pid_t id = own_id(pid, tid);

	for (size_t i = 0; i < view->nprograms; i++) {
		const struct program *p = &view->program[i];

		/* One slot may be waited for while the kernel has given its PID away. */
		if (p->pid == id && p->is_placed && (!found || found->is_ended))
			found = p;
	}
	return found;
}

const struct program *space_slot(const struct space_view *view, uint32_t slot)
{
	for (size_t i = 0; i < view->nprograms; i++)
		if (view->program[i].slot == slot)
			return &view->program[i];
	return NULL;
}

/* ---- Memory -------------------------------------------------------------------------------- */

/* Whose memory is at an address: a task's, or the first root's. */
static struct program *owner_of(struct space_view *view, uintptr_t address)
{
	uint32_t slot = 0;

	if (address >= view->area && (address - view->area) >> view->shift < view->nowners) {
		slot = view->owner[(address - view->area) >> view->shift];
		slot = slot ? slot - 1 : 0;
	}
	for (size_t i = 0; i < view->nprograms; i++)
		if (view->program[i].slot == slot)
			return &view->program[i];
	return NULL;
}

void space_measure(struct space_view *view)
{
	char path[64], *line = NULL;
	struct program *p = NULL;
	uintptr_t start, end;
	size_t size = 0;
	uint64_t kib;
	FILE *f;

	if (!view->nowners)
		return;
	snprintf(path, sizeof(path), "/proc/%d/smaps", view->reader);
	f = fopen(path, "re");
	if (!f)
		return;
	for (size_t i = 0; i < view->nprograms; i++)
		view->program[i].has_memory = true;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2) {
			p = strstr(line, REGISTRY_NAME) ? NULL : owner_of(view, start);
			if (p)
				p->mapped += end - start;
		} else if (p && sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1) {
			p->resident += kib << 10;
		}
	}
	free(line);
	fclose(f);
}

void spaces_free(struct spaces *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->view[i]->owner);
		free(all->view[i]->program);
		free(all->view[i]);
	}
	free(all->view);
}
