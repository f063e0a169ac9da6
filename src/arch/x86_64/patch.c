/*
 * patch.c (x86_64) - finds system calls in code and leads them to stubs.
 * Entry functions: arch_find_sites(), arch_write_stub_head(), arch_write_stub(), arch_write_jump().
 *
 * A jump takes five bytes and `syscall` has two, so at least three bytes before it move to the
 * stub.  They can, if they are one whole instruction that does not depend on its own address:
 *
 * 	b8 NN NN NN NN        mov $nr, %eax           libc's and ld.so's plain wrappers
 * 	4x 89 rr              mov reg, reg            ld.so's readlink("/proc/self/exe")
 * 	4c 8b 4c 24 08        mov 8(%rsp), %r9        libc's syscall()
 * 	41 8b 70 NN           mov NN(%r8), %esi       libc's signals for setuid()
 * 	4x 8b mm NN 8b mm     mov NN(reg), reg; mov (reg), %eax
 * 	                                              setuid() and its kin, with threads
 * 	31 ff 89 rr           xor %edi, %edi; mov     a thread's exit, in an endless loop
 *
 * The call that ends a process has a move of two bytes before it (89 rr), and the jump reaches into
 * what follows it: the call does not come back, and nothing else leads there.
 *
 * Nothing in these files jumps between such an instruction and its `syscall`: the pair is a
 * single inline assembly or straight-line code, and a site is only taken if its shape is
 * exactly one of these.
 */
#include "arch/arch.h"

const char *const arch_cpu_table_symbol = "_dl_x86_get_cpu_features";
const char *const arch_cpu_table_follower = "sse2";

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/* The number loaded into eax within the straight-line code that ends at p, or -1. */
static int64_t number_before(const uint8_t *code, const uint8_t *p)
{
	for (const uint8_t *q = p; q > code && p - q < 48; q--) {
		if (q[0] == 0x0f && q[1] == 0x05 && q != p)
			return -1; /* another system call lies between */
		if (p - q >= 5 && q[0] == 0xb8 && load32(q + 1) < 1024)
			return load32(q + 1);
	}
	return -1;
}

/* The number that was put into the register from which the move at p (89 rr) takes it, or -1. */
static int64_t number_via_register(const uint8_t *code, const uint8_t *p)
{
	uint8_t load = (uint8_t)(0xb8 + (p[1] >> 3 & 7));

	if (p[0] != 0x89 || (p[1] & 0xc7) != 0xc0) /* mov reg, %eax */
		return -1;
	for (const uint8_t *q = p - 5; q >= code && p - q < 48; q--)
		if (q[0] == load && load32(q + 1) < 1024)
			return load32(q + 1);
	return -1;
}

/* Calls that do not come back; followed by what the jump may cover, or by a jump back to them. */
static bool last_shape(const uint8_t *code, const uint8_t *p, struct arch_site *s)
{
	size_t before = (size_t)(p - code);

	s->any = 0;
	if (before >= 48 && p[-4] == 0x31 && p[-3] == 0xff && p[2] == 0xeb && p[3] == 0xf8 &&
	    number_via_register(code, p - 2) == SYS_exit) {
		s->nr = SYS_exit;
		s->moved = 4;
		return true;
	}
	if (before >= 48 && p[2] == 0x48 && p[3] == 0x3d && /* cmp $imm, %rax */
	    number_via_register(code, p - 2) == SYS_exit_group) {
		s->nr = SYS_exit_group;
		s->moved = 2;
		return true;
	}
	return false;
}

/* Describes the system call instruction at p, if it has one of the shapes above. */
static bool shape(const uint8_t *code, const uint8_t *p, struct arch_site *s)
{
	size_t before = (size_t)(p - code);
	int64_t nr;

	s->any = 0;
	if (before >= 5 && p[-5] == 0xb8 && load32(p - 4) < 1024) {
		s->nr = (uint16_t)load32(p - 4);
		s->moved = 5;
		return true;
	}
	if (before >= 5 && p[-5] == 0x4c && p[-4] == 0x8b && p[-3] == 0x4c && p[-2] == 0x24 &&
	    p[-1] == 0x08) {
		s->nr = 0;
		s->moved = 5;
		s->any = 1;
		return true;
	}
	/* The number is in memory.  No SIB byte, none relative to the instruction. */
	if (before >= 6 && (p[-6] & 0xf8) == 0x48 && p[-5] == 0x8b && (p[-4] & 0xc0) == 0x40 &&
	    (p[-4] & 7) != 4 && p[-2] == 0x8b && (p[-1] & 0xf8) == 0 && (p[-1] & 7) != 4 &&
	    (p[-1] & 7) != 5) {
		s->nr = 0;
		s->moved = 6;
		s->any = 1;
		return true;
	}
	if (before >= 48 && (p[-3] & 0xfa) == 0x48 && p[-2] == 0x89 && p[-1] >= 0xc0)
		s->moved = 3;
	else if (before >= 48 && p[-4] == 0x41 && p[-3] == 0x8b && p[-2] == 0x70)
		s->moved = 4;
	else
		return false;
	nr = number_before(code, p - s->moved);
	s->nr = (uint16_t)nr;
	return nr >= 0;
}

/* The high bits of bytes that are this one; of others only behind such a one. */
static uint64_t where(uint64_t word, uint8_t byte)
{
	const uint64_t ones = 0x0101010101010101UL;

	word ^= ones * byte;
	return (word - ones) & ~word & ones << 7;
}

/* Is there no system call instruction that begins in the first seven of these eight bytes? */
static bool none_in(const uint8_t *p)
{
	uint64_t word = (uint64_t)load32(p + 4) << 32 | load32(p);

	return !(where(word, 0x0f) & where(word, 0x05) >> 8);
}

size_t arch_find_sites(const void *code, size_t len, uint64_t off, const uint16_t *nr, size_t nnr,
		       struct arch_site *sites, size_t max)
{
	const uint8_t *start = code, *end = start + len;
	size_t found = 0;

	for (const uint8_t *p = start; p + 2 <= end; p++) {
		struct arch_site s;

		while (end - p > 8 && none_in(p))
			p += 7;
		if (p[0] != 0x0f || p[1] != 0x05 ||
		    (!shape(start, p, &s) && (end - p < 4 || !last_shape(start, p, &s))))
			continue;
		if (!arch_site_is_wanted(&s, nr, nnr))
			continue;
		s.offset = (uint32_t)(off + (uint64_t)(p - start) - s.moved);
		if (found < max)
			sites[found] = s;
		found++;
	}
	return found;
}

static void store64(uint8_t *p, const void *v)
{
	store32(p, (uint32_t)(uintptr_t)v);
	store32(p + 4, (uint32_t)((uintptr_t)v >> 32));
}

/*
 * lea page(%rip), %rcx; shr $shift, %rcx; shl $shift, %rcx, or mov $head, %rcx;
 * then mov (%rcx), %r11; test %r11, %r11; jz +3; jmp *%r11; ret, with the carry flag clear.
 * A system call destroys rcx and r11, so they are free.
 */
void arch_write_stub_head(void *page, unsigned window_shift, const void *head)
{
	uint8_t *p = page;

	if (head) {
		*p++ = 0x48, *p++ = 0xb9;
		store64(p, head);
		p += 8;
	} else {
		*p++ = 0x48, *p++ = 0x8d, *p++ = 0x0d;
		store32(p, (uint32_t)-7);
		p += 4;
		*p++ = 0x48, *p++ = 0xc1, *p++ = 0xe9, *p++ = (uint8_t)window_shift;
		*p++ = 0x48, *p++ = 0xc1, *p++ = 0xe1, *p++ = (uint8_t)window_shift;
	}
	*p++ = 0x4c, *p++ = 0x8b, *p++ = 0x19;
	*p++ = 0x4d, *p++ = 0x85, *p++ = 0xdb;
	*p++ = 0x74, *p++ = 0x03;
	*p++ = 0x41, *p++ = 0xff, *p++ = 0xe3;
	*p++ = 0xc3;
}

static bool near(const void *from, const void *to)
{
	intptr_t d = (const uint8_t *)to - (const uint8_t *)from;

	return d > -0x7ffff000 && d < 0x7ffff000;
}

bool arch_write_stub(void *stub, void *page, const struct arch_site *s, const void *site)
{
	const uint8_t *from = site;
	uint8_t *p = stub;

	if (!near(stub, site))
		return false;
	for (unsigned i = 0; i < s->moved; i++)
		*p++ = from[i];
	*p++ = 0x48, *p++ = 0x8d, *p++ = 0x64, *p++ = 0x24, *p++ = 0x80; /* lea -128(%rsp), %rsp */
	*p++ = 0xe8;                                                     /* call page */
	store32(p, (uint32_t)((uint8_t *)page - (p + 4)));
	p += 4;
	*p++ = 0x48, *p++ = 0x8d, *p++ = 0xa4, *p++ = 0x24; /* lea 128(%rsp), %rsp */
	store32(p, 128);
	p += 4;
	*p++ = 0x72, *p++ = 0x02; /* jc +2 */
	*p++ = 0x0f, *p++ = 0x05; /* syscall */
	*p++ = 0xe9;              /* jmp back */
	store32(p, (uint32_t)(from + s->moved + 2 - (p + 4)));
	return true;
}

void arch_write_jump(void *site, const struct arch_site *s, const void *stub)
{
	uint8_t *p = site;

	p[0] = 0xe9;
	store32(p + 1, (uint32_t)((const uint8_t *)stub - (p + 5)));
	for (unsigned i = 5; i < s->moved + 2U; i++)
		p[i] = 0x90;
}
