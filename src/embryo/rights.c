/*
 * rights.c - a process's rights: its users, groups and capabilities.
 * Entry functions: rights_read(), rights_are_mine(), rights_take().
 */
#include "embryo/rights.h"

#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/prctl.h>
#include <string.h>

#include "base/str.h"

#define CAPS 64

/* Of struct space_rights. */
enum {
	EFFECTIVE,
	PERMITTED,
	INHERITABLE,
	BOUNDING,
	AMBIENT,
	CAP_SETS
};

/* ---- The caller's --------------------------------------------------------------------------- */

static uint64_t hash_groups(uint32_t *group, long n)
{
	uint64_t hash = (uint64_t)n;

	for (long i = 0; i < n; i++)
		hash = (hash ^ group[i]) * 1099511628211UL; /* FNV-1a */
	return hash;
}

/* A number for the calling process's supplementary groups; they are in order. */
static uint64_t groups(void)
{
	size_t size = NGROUPS_MAX * sizeof(uint32_t);
	uint32_t few[64];
	uint64_t hash = 0;
	uintptr_t room;
	long n = sys_call(SYS_getgroups, 64, few, 0, 0, 0, 0);

	if (n >= 0)
		return hash_groups(few, n);
	room = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(room)) {
		sys_random(&hash, sizeof(hash)); /* no others are the same */
		return hash;
	}
	n = sys_call(SYS_getgroups, NGROUPS_MAX, room, 0, 0, 0, 0);
	hash = hash_groups((uint32_t *)room, n);
	sys_munmap(room, size);
	return hash;
}

void rights_read(struct space_rights *r)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2];

	memset(r, 0, sizeof(*r));
	memset(caps, 0, sizeof(caps));
	sys_call(SYS_getresuid, &r->uid[0], &r->uid[1], &r->uid[2], 0, 0, 0);
	sys_call(SYS_getresgid, &r->gid[0], &r->gid[1], &r->gid[2], 0, 0, 0);
	sys_call(SYS_capget, &header, caps, 0, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		r->caps[EFFECTIVE] |= (uint64_t)caps[i].effective << 32 * i;
		r->caps[PERMITTED] |= (uint64_t)caps[i].permitted << 32 * i;
		r->caps[INHERITABLE] |= (uint64_t)caps[i].inheritable << 32 * i;
	}
	for (int cap = 0; cap < CAPS; cap++) {
		long has = sys_call(SYS_prctl, PR_CAPBSET_READ, cap, 0, 0, 0, 0);

		if (has < 0)
			break;
		r->caps[BOUNDING] |= (uint64_t)has << cap;
		/* Ambient ones are permitted and inheritable. */
		if (r->caps[PERMITTED] & r->caps[INHERITABLE] & 1UL << cap &&
		    sys_call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0, 0) == 1)
			r->caps[AMBIENT] |= 1UL << cap;
	}
	r->securebits = (uint64_t)sys_call(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0, 0);
	r->groups = groups();
}

/* What capabilities(7) and execve(2) say of a file that gives none, for a process that has not
 * asked for special rules. */
bool rights_last(const struct space_rights *r)
{
	bool is_root = r->uid[0] == 0 || r->uid[1] == 0;
	uint64_t permitted = is_root ? r->caps[INHERITABLE] | r->caps[BOUNDING] : r->caps[AMBIENT],
		 effective = is_root && r->uid[1] != 0 ? r->caps[AMBIENT] : permitted;

	return r->securebits == 0 && r->uid[1] == r->uid[2] && r->gid[1] == r->gid[2] &&
	       r->caps[EFFECTIVE] == effective && r->caps[PERMITTED] == permitted;
}

bool rights_are_given_up(const struct space_rights *before)
{
	struct space_rights now;
	bool is_user = false;

	rights_read(&now);
	for (int i = 0; i < 3; i++)
		is_user |= now.uid[i] == before->uid[1];
	return before->caps[PERMITTED] & ~now.caps[PERMITTED] ||
	       (!is_user && !(now.caps[PERMITTED] & 1UL << CAP_SETUID));
}

/* ---- Another process's ---------------------------------------------------------------------- */

/* A text in /proc, by characters. */
struct text {
	int fd;
	size_t at, n;
	char buf[512];
};

/* '\0' at its end. */
static char next(struct text *x)
{
	if (x->at == x->n) {
		ssize_t n = sys_call(SYS_read, x->fd, x->buf, sizeof(x->buf), 0, 0, 0);

		x->at = 0;
		x->n = n > 0 ? (size_t)n : 0;
		if (!x->n)
			return '\0';
	}
	return x->buf[x->at++];
}

/* Goes behind the name of a line; false if there is none from here on. */
static bool find_line(struct text *x, const char *name)
{
	char c;

	do {
		const char *p = name;

		while ((c = next(x)) == *p && c)
			p++;
		if (!*p)
			return true;
		while (c && c != '\n')
			c = next(x);
	} while (c);
	return false;
}

static bool open_status(struct text *x, pid_t pid, pid_t tid)
{
	char path[64] = "/proc/";

	*x = (struct text){ .fd = -1 };
	str_decimal(path + str_len(path), (unsigned long)pid);
	str_copy(path + str_len(path), "/task/", 8);
	str_decimal(path + str_len(path), (unsigned long)tid);
	str_copy(path + str_len(path), "/status", 8);
	x->fd = sys_open(path, O_RDONLY | O_CLOEXEC);
	return x->fd >= 0;
}

static void close_status(struct text *x)
{
	if (x->fd >= 0)
		sys_close(x->fd);
}

/* The lines up to CapAmb are always there. */
static bool are_same(struct text *x, struct text *y)
{
	static const char lines[][20] = {
		"Uid:",    "Gid:",    "Groups:", "CapInh:",  "CapPrm:",
		"CapEff:", "CapBnd:", "CapAmb:", "Seccomp:", "Seccomp_filters:"
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		bool has = find_line(x, lines[i]);

		if (has != find_line(y, lines[i]) || (!has && i < 8))
			return false;
		for (char c = ' '; has && c != '\n';) {
			c = next(x);
			if (c != next(y) || !c)
				return false;
		}
	}
	return true;
}

bool rights_are_mine(pid_t pid, pid_t tid)
{
	struct text its, mine;
	bool same = open_status(&its, pid, tid);

	same = open_status(&mine, sys_getpid(), sys_gettid()) && same && are_same(&its, &mine);
	close_status(&its);
	close_status(&mine);
	return same;
}

/* ---- Taking them over ----------------------------------------------------------------------- */

struct wanted {
	uint32_t uid[4], gid[4]; /* real, effective, saved, of the file system */
	uint64_t caps[CAP_SETS];
	uint32_t *group; /* NGROUPS_MAX */
	size_t ngroups;
};

/* The decimal numbers of the rest of a line, at most max; how many. */
static size_t numbers(struct text *x, uint32_t *v, size_t max)
{
	bool inside = false;
	size_t n = 0;
	char c;

	while ((c = next(x)) && c != '\n') {
		bool digit = c >= '0' && c <= '9';

		if (digit && !inside && n < max)
			v[n++] = 0;
		if (digit && n)
			v[n - 1] = v[n - 1] * 10 + (uint32_t)(c - '0');
		inside = digit;
	}
	return n;
}

static uint64_t hexadecimal(struct text *x)
{
	uint64_t v = 0;
	char c;

	while ((c = next(x)) && c != '\n')
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
	return v;
}

static bool read_wanted(struct text *x, struct wanted *w)
{
	static const struct {
		char line[8];
		int set;
	} caps[CAP_SETS] = { { "CapInh:", INHERITABLE },
			     { "CapPrm:", PERMITTED },
			     { "CapEff:", EFFECTIVE },
			     { "CapBnd:", BOUNDING },
			     { "CapAmb:", AMBIENT } };

	if (!find_line(x, "Uid:") || numbers(x, w->uid, 4) != 4 || !find_line(x, "Gid:") ||
	    numbers(x, w->gid, 4) != 4 || !find_line(x, "Groups:"))
		return false;
	w->ngroups = numbers(x, w->group, NGROUPS_MAX);
	for (int i = 0; i < CAP_SETS; i++) {
		if (!find_line(x, caps[i].line))
			return false;
		w->caps[caps[i].set] = hexadecimal(x);
	}
	return true;
}

static void set_caps(const uint64_t *caps)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			(uint32_t)(caps[EFFECTIVE] >> 32 * i),
			(uint32_t)(caps[PERMITTED] >> 32 * i),
			(uint32_t)(caps[INHERITABLE] >> 32 * i),
		};
	sys_call(SYS_capset, &header, data, 0, 0, 0, 0);
}

/* What is still allowed before each step is what it takes: see capabilities(7). */
static void become(const struct space_rights *now, const struct wanted *w)
{
	for (int cap = 0; cap < CAPS; cap++)
		if (now->caps[BOUNDING] & ~w->caps[BOUNDING] & 1UL << cap)
			sys_call(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0, 0);
	if (now->groups != hash_groups(w->group, (long)w->ngroups))
		sys_call(SYS_setgroups, w->ngroups, w->group, 0, 0, 0, 0);
	sys_call(SYS_setresgid, w->gid[0], w->gid[1], w->gid[2], 0, 0, 0);
	sys_call(SYS_setfsgid, w->gid[3], 0, 0, 0, 0, 0);
	sys_call(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0, 0);
	sys_call(SYS_setresuid, w->uid[0], w->uid[1], w->uid[2], 0, 0, 0);
	sys_call(SYS_setfsuid, w->uid[3], 0, 0, 0, 0, 0);
	sys_call(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0, 0);
	set_caps(w->caps);
	sys_call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0);
	for (int cap = 0; cap < CAPS; cap++)
		if (w->caps[AMBIENT] & 1UL << cap)
			sys_call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0, 0);
}

bool rights_take(pid_t pid, pid_t tid)
{
	const size_t size = NGROUPS_MAX * sizeof(uint32_t);
	uintptr_t room =
		sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct wanted w = { .group = (uint32_t *)room };
	struct space_rights now;
	struct text status;
	bool known;

	if (sys_failed(room))
		return false;
	known = open_status(&status, pid, tid) && read_wanted(&status, &w);
	close_status(&status);
	if (known) {
		rights_read(&now);
		become(&now, &w);
	}
	sys_munmap(room, size);
	return known && rights_are_mine(pid, tid);
}
