/*
 * patch.c (aarch64) - finds system calls in code and leads them to stubs.
 * Entry functions: arch_find_sites(), arch_write_stub_head(), arch_write_stub(), arch_write_jump().
 *
 * Every instruction has four bytes, so a branch takes the place of `svc #0` itself and no code
 * moves. Which call it makes is told by what was last put into x8 before it, in straight-line
 * code:
 *
 * 	mov w8, #NN           movz, in its 32-bit or 64-bit form      the plain wrappers
 * 	uxtw x8, w0           or mov w8, w0 or mov x8, x0             libc's syscall()
 * 	ldrsw x8, [xN]                                                setuid() etc., with threads
 *
 * A wrong guess costs time and nothing else: the trap goes by what x8 holds when it is reached.
 *
 * Nothing here cares for the instruction cache.  The code is patched in a mapping of a file that is
 * never executed, and before any other is; the kernel makes the caches agree when it maps a file's
 * page for execution the first time (arm64: __sync_icache_dcache()).
 */
#include "arch/arch.h"

const char *const arch_cpu_table_symbol = NULL;
const char *const arch_cpu_table_follower = "";

#define SVC 0xd4000001U
#define LOOK_BACK 16 /* instructions */

enum {
	ANY = -1,
	UNKNOWN = -2
}; /* what is not a system call's number */

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t *put(uint8_t *p, uint32_t insn)
{
	p[0] = (uint8_t)insn;
	p[1] = (uint8_t)(insn >> 8);
	p[2] = (uint8_t)(insn >> 16);
	p[3] = (uint8_t)(insn >> 24);
	return p + 4;
}

/* Branches and exceptions, but not the system instructions of the same group (Arm ARM, C4.1). */
static bool leaves_line(uint32_t insn)
{
	return (insn & 0x1c000000) == 0x14000000 && insn >> 24 != 0xd5;
}

/* The number in x8 when the svc at p is reached. */
static int number_before(const uint8_t *code, const uint8_t *p)
{
	for (unsigned i = 0; i < LOOK_BACK && p - code >= 4; i++) {
		uint32_t insn = load32(p -= 4);

		if (insn == SVC) /* the kernel keeps x8 */
			continue;
		if (leaves_line(insn))
			return UNKNOWN;
		if ((insn & 0x1f) != 8)
			continue;
		/* movz w8 or x8, #nr */
		if ((insn & 0x7fe00000) == 0x52800000 && (insn >> 5 & 0xffff) < 1024)
			return (int)(insn >> 5 & 0xffff);
		/* mov w8, w0; mov x8, x0; uxtw x8, w0 */
		if ((insn & 0xffc00000) == 0xb9800000 || insn == 0x2a0003e8 || insn == 0xaa0003e8 ||
		    insn == 0xd3407c08)
			return ANY;
		return UNKNOWN;
	}
	return UNKNOWN;
}

size_t arch_find_sites(const void *code, size_t len, uint64_t off, const uint16_t *nr, size_t nnr,
		       struct arch_site *sites, size_t max)
{
	const uint8_t *start = code, *end = start + len;
	size_t found = 0;

	for (const uint8_t *p = start; end - p >= 4; p += 4) {
		struct arch_site s = { .offset = (uint32_t)(off + (uint64_t)(p - start)) };
		int number;

		if (load32(p) != SVC)
			continue;
		number = number_before(start, p);
		s.any = number == ANY;
		s.nr = s.any ? 0 : (uint16_t)number;
		if (number == UNKNOWN || !arch_site_is_wanted(&s, nr, nnr))
			continue;
		if (found < max)
			sites[found] = s;
		found++;
	}
	return found;
}

/* A call of the page's head and what comes back from it leave x16 and x17 free, which stubs
 * save. */
void arch_write_stub_head(void *page, unsigned window_shift, const void *head)
{
	uint64_t start = (uint64_t)(uintptr_t)head;
	uint8_t *p = page;

	if (head) {
		p = put(p, 0x580000d0); /* ldr x16, head */
	} else {
		p = put(p, 0x10000010);                      /* adr x16, page */
		p = put(p, 0xd340fe10 | window_shift << 16); /* lsr x16, x16, #shift */
		p = put(p, 0xd3400210 | (64 - window_shift) << 16 |
				   (63 - window_shift) << 10); /* lsl */
	}
	p = put(p, 0xf9400211); /* ldr x17, [x16] */
	p = put(p, 0xb4000051); /* cbz x17, +8 */
	p = put(p, 0xd61f0220); /* br x17 */
	p = put(p, 0xd2800010); /* mov x16, #0 */
	p = put(p, 0xd65f03c0); /* ret */
	p = put(p, (uint32_t)start);
	put(p, (uint32_t)(start >> 32));
}

/* A branch reaches 128 MiB either way; all that a stub branches to is as near as its site. */
static bool near(const void *from, const void *to)
{
	intptr_t d = (const uint8_t *)to - (const uint8_t *)from;

	return d > -0x7fff000 && d < 0x7fff000;
}

/* b, or bl with link set. */
static uint32_t branch(const void *from, const void *to, bool link)
{
	uint32_t d = (uint32_t)((const uint8_t *)to - (const uint8_t *)from);

	return (link ? 0x94000000U : 0x14000000U) | (d >> 2 & 0x03ffffff);
}

bool arch_write_stub(void *stub, void *page, const struct arch_site *s, const void *site)
{
	const uint8_t *back = (const uint8_t *)site + s->moved + 4;
	uint8_t *p = stub;

	if (!near(stub, site))
		return false;
	p = put(p, 0xa9be47f0);             /* stp x16, x17, [sp, #-32]! */
	p = put(p, 0xf9000bfe);             /* str x30, [sp, #16] */
	p = put(p, branch(p, page, true));  /* bl page */
	p = put(p, 0xf9400bfe);             /* ldr x30, [sp, #16] */
	p = put(p, 0x34000070);             /* cbz w16, 1f */
	p = put(p, 0xa8c247f0);             /* ldp x16, x17, [sp], #32 */
	p = put(p, branch(p, back, false)); /* b back */
	p = put(p, 0xa8c247f0);             /* 1: ldp x16, x17, [sp], #32 */
	p = put(p, SVC);                    /* svc #0 */
	put(p, branch(p, back, false));     /* b back */
	return true;
}

void arch_write_jump(void *site, const struct arch_site *s, const void *stub)
{
	uint8_t *p = (uint8_t *)site + s->moved;

	put(p, branch(p, stub, false));
}
