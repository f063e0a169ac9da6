/*
 * pip-unpie.c - takes the mark of a position-independent executable off a file (DF_1_PIE), or tells
 * whether it is there.  glibc's dlopen() refuses files that have it.
 *
 * main() reads the file's dynamic section (file_read), and clear_flag() writes a changed copy that
 * then takes the file's name, so that a program which runs just now is not changed under its feet.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/loader.h"

enum {
	EXIT_NO = 1, /* not ELF, or not what -c asks for */
	EXIT_TROUBLE = 2
};

struct file {
	const char *name;
	struct image img;
	bool is_other;    /* a program at fixed addresses, or a library */
	bool marked;      /* DF_1_PIE is set */
	uint64_t flag_at; /* where in the file DT_FLAGS_1's value is, 0 = nowhere */
	uint64_t flags;   /* that value */
};

static int trouble(const struct file *f, const char *what, int err)
{
	fprintf(stderr, "pip-unpie: '%s': %s%s%s\n", f->name, what, err ? ": " : "",
		err ? strerror(err) : "");
	return EXIT_TROUBLE;
}

/* Looks for DT_FLAGS_1.  Returns an exit code. */
static int dynamic_read(struct file *f)
{
	uint64_t off = f->img.elf.dyn_off, len = f->img.elf.dyn_len;
	Elf64_Dyn *dyn;

	if (len == 0)
		return trouble(f, "it has no dynamic section", 0);
	dyn = malloc(len);
	if (!dyn)
		return trouble(f, "cannot read it", ENOMEM);
	if (pread(f->img.fd, dyn, len, (off_t)off) != (ssize_t)len) {
		free(dyn);
		return trouble(f, "cannot read its dynamic section", errno);
	}
	for (size_t i = 0; i < len / sizeof(*dyn) && dyn[i].d_tag != DT_NULL; i++) {
		if (dyn[i].d_tag != DT_FLAGS_1)
			continue;
		f->flag_at = off + i * sizeof(*dyn) + offsetof(Elf64_Dyn, d_un);
		f->flags = dyn[i].d_un.d_val;
		f->marked = f->flags & DF_1_PIE;
		break;
	}
	free(dyn);
	return 0;
}

/* Returns an exit code. */
static int file_read(struct file *f)
{
	const char *what;
	int rc;

	f->img.fd = open(f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->img.fd < 0 || fstat(f->img.fd, &f->img.st))
		return trouble(f, "cannot open it", errno);
	if (!S_ISREG(f->img.st.st_mode))
		return trouble(f, "it is not a regular file", 0);
	rc = load_image_read(&f->img, &what);
	switch (-rc) {
	case 0:
		return dynamic_read(f);
	case ELIBEXEC:
		f->is_other = true;
		return 0;
	case ELIBSCN:
	case EUNATCH:
	case ELIBBAD:
		fprintf(stderr, "pip-unpie: '%s' is not ELF\n", f->name);
		return EXIT_NO;
	case ENOEXEC:
		/* The loader wants programs.  A library is none: it has no entry. */
		if (strcmp(what, "segments") == 0 && f->img.elf.entry == 0) {
			f->is_other = true;
			return 0;
		}
		return trouble(f, "it is not an ELF file of this machine", 0);
	default:
		return trouble(f, "cannot read it", -rc);
	}
}

/* A library has no interpreter, as a rule, and no mark. */
static int report(const struct file *f)
{
	if (f->marked)
		fprintf(stderr, "'%s' is PIE (not 'unpie-ed' yet)\n", f->name);
	else if (!f->is_other && f->img.elf.interp_len)
		fprintf(stderr, "'%s' is PIE (already 'unpie-ed' PIE)\n", f->name);
	else
		fprintf(stderr, "'%s' is NOT PIE\n", f->name);
	return f->marked || f->is_other || !f->img.elf.interp_len ? EXIT_NO : 0;
}

/* The whole file, with the flag cleared, to an open one.  0 or -1 with errno. */
static int copy_without_flag(const struct file *f, int to)
{
	uint64_t flags = f->flags & ~(uint64_t)DF_1_PIE;
	mode_t mode = f->img.st.st_mode & 07777;
	off_t at = 0;

	while (at < f->img.st.st_size) {
		ssize_t n = sendfile(to, f->img.fd, &at, (size_t)(f->img.st.st_size - at));

		if (n <= 0) {
			if (n == 0)
				errno = EIO; /* it has become shorter */
			return -1;
		}
	}
	if (pwrite(to, &flags, sizeof(flags), (off_t)f->flag_at) != sizeof(flags))
		return -1;
	/* Owner before mode: a change of the owner takes set-user-ID away.  Who may not give files
	 * away has a file of his own now, which must not have others' rights. */
	if (fchown(to, f->img.st.st_uid, f->img.st.st_gid)) {
		if (errno != EPERM)
			return -1;
		mode &= 0777;
	}
	if (fchmod(to, mode))
		return -1;
	return fsync(to);
}

static int clear_flag(const struct file *f)
{
	char real[PATH_MAX], temporary[PATH_MAX + 16];
	int fd, err;

	/* The file itself takes the new contents, not a link to it. */
	if (!realpath(f->name, real))
		return trouble(f, "cannot find it", errno);
	if (access(real, W_OK))
		return trouble(f, "cannot write it", errno);
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", real);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return trouble(f, "cannot make a copy beside it", errno);
	err = copy_without_flag(f, fd) ? errno : 0;
	if (close(fd) && !err)
		err = errno;
	if (!err && rename(temporary, real))
		err = errno;
	if (!err)
		return 0;
	unlink(temporary);
	return trouble(f, "cannot write a copy of it", err);
}

int main(int argc, char **argv)
{
	bool check = argc > 1 && strcmp(argv[1], "-c") == 0;
	int code;

	if (argc != 2 + check || (!check && argv[1][0] == '-')) {
		fprintf(stderr, "Usage: %s [-c] <FILE>\n", argc > 0 ? argv[0] : "pip-unpie");
		return EXIT_TROUBLE;
	}
	struct file f = { .name = argv[1 + check], .img = { .fd = -1 } };
	code = file_read(&f);
	if (!code && check)
		code = report(&f);
	else if (!code && f.marked)
		code = clear_flag(&f);
	load_image_close(&f.img);
	return code;
}
