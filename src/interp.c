/*
 * interp.c - what this process knows about its own dynamic linker.
 * Entry function: interp_facts().
 */
#include "interp.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "log.h"

#define CPU_TABLE_MAX 4096

/*
 * The table's size is nowhere to be read.  In the file it is all zero, and the constant that
 * follows it in ld.so's read-only data ("sse2", the first of the names of hardware
 * capabilities: glibc 2.26 to today) ends it.  If the bytes do not look so, the table is not
 * handed over: a fresh ld.so then finds the features out itself, which costs time on a virtual
 * machine and nothing else.
 */
static size_t table_size(int fd, uint64_t offset)
{
	unsigned char data[CPU_TABLE_MAX];
	size_t follower = strlen(arch_cpu_table_follower), zeros = 0;
	ssize_t n = pread(fd, data, sizeof(data), (off_t)offset);

	while (n > 0 && zeros < (size_t)n && data[zeros] == 0)
		zeros++;
	if (n <= 0 || zeros + follower > (size_t)n ||
	    memcmp(data + zeros, arch_cpu_table_follower, follower) != 0)
		return 0;
	return zeros & ~(size_t)7;
}

struct finding {
	uintptr_t base; /* in: ld.so's load address */
	char path[PATH_MAX];
	uint64_t table; /* in: an address of its data, from base; out: that place in the file */
};

static int match_base(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct finding *f = arg;

	(void)size;
	if (info->dlpi_addr != f->base)
		return 0;
	strncpy(f->path, info->dlpi_name, sizeof(f->path) - 1);
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && f->table >= ph->p_vaddr &&
		    f->table < ph->p_vaddr + ph->p_filesz) {
			f->table += ph->p_offset - ph->p_vaddr;
			return 1;
		}
	}
	f->table = 0;
	return 1;
}

static void find_cpu_table(struct cpu_table *cpu, uintptr_t base, struct finding *f)
{
	void *(*get)(unsigned) = NULL;

	f->table = 0;
	if (!arch_cpu_table_symbol || interp_is_tuned(getenv("GLIBC_TUNABLES")))
		return;
	*(void **)&get = dlvsym(RTLD_DEFAULT, arch_cpu_table_symbol, "GLIBC_PRIVATE");
	if (!get)
		return;
	cpu->data = get(0);
	cpu->offset = f->table = (uintptr_t)cpu->data - base;
}

static void find_auxv(void)
{
	static const uint16_t inherited[] = {
		AT_SYSINFO_EHDR,
		AT_PAGESZ,
		AT_CLKTCK,
		AT_FLAGS,
		AT_UID,
		AT_EUID,
		AT_GID,
		AT_EGID,
		AT_HWCAP2,
		27 /* AT_RSEQ_FEATURE_SIZE */,
		28 /* AT_RSEQ_ALIGN */,
		51 /* AT_MINSIGSTKSZ */,
	};
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	size_t n = 0;

	for (unsigned i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		errno = 0;
		interp_known.aux[n].value = getauxval(inherited[i]);
		if (interp_known.aux[n].value == 0 && errno == ENOENT)
			continue;
		interp_known.aux[n++].type = inherited[i];
	}
	interp_known.naux = n;
	if (platform)
		strncpy(interp_known.platform, platform, sizeof(interp_known.platform) - 1);
	interp_known.tuned_hwcap = getauxval(AT_HWCAP);
}

static void find_hwcap(void)
{
	int fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
	Elf64_auxv_t aux;

	interp_known.hwcap = getauxval(AT_HWCAP);
	while (fd >= 0 && read(fd, &aux, sizeof(aux)) == sizeof(aux))
		if (aux.a_type == AT_HWCAP)
			interp_known.hwcap = aux.a_un.a_val;
	if (fd >= 0)
		close(fd);
}

static void find_facts(void)
{
	struct finding ld = { .base = getauxval(AT_BASE) };
	struct stat st;
	Dl_info info;
	int fd;

	find_hwcap();
	find_auxv();
	find_cpu_table(&interp_known.cpu, ld.base, &ld);
	if (ld.base && dl_iterate_phdr(match_base, &ld) &&
	    (fd = open(ld.path, O_RDONLY | O_CLOEXEC)) >= 0) {
		if (fstat(fd, &st) == 0) {
			interp_known.dev = interp_known.cpu.dev = st.st_dev;
			interp_known.ino = interp_known.cpu.ino = st.st_ino;
			strcpy(interp_known.interp, ld.path);
		}
		if (ld.table)
			interp_known.cpu.size = table_size(fd, ld.table);
		close(fd);
	}
	if (dladdr((void *)gnu_get_libc_version, &info) && info.dli_fname[0] == '/')
		strncpy(interp_known.libc, info.dli_fname, sizeof(interp_known.libc) - 1);
	if (!dladdr((void *)interp_facts, &info) || !realpath(info.dli_fname, interp_known.libpip))
		interp_known.libpip[0] = '\0';
	/* ld.so separates the names in LD_PRELOAD by colons and blanks and knows no quoting. */
	if (strpbrk(interp_known.libpip, ": \t")) {
		log_warn("'%s': blanks and colons in the path keep tasks from loading it",
			 interp_known.libpip);
		interp_known.libpip[0] = '\0';
	}
}

static _Atomic bool known;

void interp_adopt(const struct interp_facts *facts)
{
	interp_known = *facts;
	known = true;
}

const struct interp_facts *interp_facts(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	if (!known) {
		pthread_mutex_lock(&mutex);
		if (!known) /* cppcheck-suppress identicalInnerCondition ; another thread's store */
			find_facts();
		/* Without a descriptor nothing can be found: the next time, then. */
		known = interp_known.dev != 0 || !getauxval(AT_BASE);
		pthread_mutex_unlock(&mutex);
	}
	return &interp_known;
}

bool interp_rseq(intptr_t *offset)
{
	/* glibc 2.35; the size is 0 if a tunable has forbidden it. */
	const ptrdiff_t *at = dlsym(RTLD_DEFAULT, "__rseq_offset");
	const unsigned *size = dlsym(RTLD_DEFAULT, "__rseq_size");

	if (!at || !size || !*size)
		return false;
	*offset = *at;
	return true;
}
