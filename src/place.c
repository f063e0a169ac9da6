/*
 * place.c - puts the images of a program into a task's window.
 * Entry function: place_images().
 */
#include "place.h"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include "embryo/trap.h"
#include "embryo/window.h"
#include "interp.h"
#include "loader/code.h"

static pthread_mutex_t code_mutex = PTHREAD_MUTEX_INITIALIZER;

/* A failure that leaves no choice but to start no task; with any other its code stays as it is. */
static bool is_serious(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOEXEC;
}

/* The root's own C library: every task on its dynamic linker will use it. */
static int make_libc_code(struct space *sp, const struct code_traps *traps)
{
	struct image img = { .fd = -1 };
	const char *what;
	int rc = load_image_open(&img, interp_facts()->libc, &what);

	if (rc == 0 && !code_is_of(&sp->code[1], &img.st))
		rc = code_make(&sp->code[1], img.fd, &img.elf, &img.st, traps);
	load_image_close(&img);
	return is_serious(rc) ? rc : 0;
}

/*
 * The code to use for the image that starts first, *found NULL to use the file's own.  What
 * belongs to the root's dynamic linker is made once; anything else goes to *once and is the
 * caller's to close. Without descriptors or memory for it there is no task: its mappings would
 * never be given back.
 */
static int find_code(struct space *sp, const struct load *l, bool same_interp, struct code *once,
		     const struct code **found)
{
	const struct image *first = load_first(l);
	struct code_traps traps = trap_traps(sp);
	int rc = 0;

	once->fd = -1;
	*found = NULL;
	if (!same_interp) {
		rc = code_make(once, first->fd, &first->elf, &first->st, &traps);
		*found = rc ? NULL : once;
		return is_serious(rc) ? rc : 0;
	}
	pthread_mutex_lock(&code_mutex);
	if (!code_is_of(&sp->code[0], &first->st)) {
		rc = code_make(&sp->code[0], first->fd, &first->elf, &first->st, &traps);
		sp->libc_code_made = false;
	}
	*found = rc ? NULL : &sp->code[0];
	/* A root may have closed all descriptors that it does not know. */
	if (sp->code[1].ino && !code_is_open(&sp->code[1]))
		sp->libc_code_made = false;
	if (!rc && !sp->libc_code_made) {
		rc = make_libc_code(sp, &traps);
		sp->libc_code_made = rc == 0;
	}
	pthread_mutex_unlock(&code_mutex);
	return is_serious(rc) ? rc : 0;
}

static uintptr_t reserve(void *ctx, size_t len, size_t align)
{
	uintptr_t at = window_reserve_code(ctx, len, align);

	return at ? at : (uintptr_t)-ENOMEM;
}

static int open_window(struct task *t)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	return window_open(t, random);
}

static bool is_own_interp(const struct image *interp)
{
	return interp->elf.nload && interp->st.st_dev == interp_facts()->dev &&
	       interp->st.st_ino == interp_facts()->ino;
}

/* Maps whatever is open in l, the first image's code as the runtime wants it. */
static int map_images(struct task *t, struct load *l, struct load_error *err)
{
	struct load_place place = { .reserve = reserve, .code_fd = -1, .ctx = t };
	const struct code *code;
	struct code once;
	int rc;

	err->what = "code";
	rc = find_code(t->space, l, t->same_interp, &once, &code);
	if (rc)
		return rc;
	if (code) {
		place.front = code->front ? code_front(load_first(l)->elf.align) : 0;
		place.code_fd = code->fd;
		place.code_off = (off_t)code->front;
	}
	rc = load_map(l, &place, err);
	if (!rc && code) {
		rc = code_map_stubs(code, load_first(l)->bias + load_first(l)->elf.span_start);
		t->sees_forks = code->sees_forks;
	}
	if (once.fd >= 0)
		close(once.fd);
	return rc;
}

int place_images(struct task *t, struct load *l, struct load_error *err)
{
	int rc = open_window(t);

	t->own_code.fd = -1;
	t->same_interp = is_own_interp(&l->interp);
	return rc ? rc : map_images(t, l, err);
}
