/*
 * test_patch.c - arch_find_sites(), arch_write_stub(), arch_write_jump() and arch_trap_entry(), on
 * code that is made up here and then run, and on the C library that this program runs with.
 *
 * What differs between CPUs is the first half of this file: code of each shape, one function that
 * follows a branch, and one that runs code with known registers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embryo/trap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SHIFT 21 /* of the window that code runs in */
#define WINDOW (1UL << SHIFT)
#define CODE_MAX 256

struct sample {
	const char *what;
	uint32_t nsites; /* that are to be found, and the first one: */
	struct arch_site site;
	uint32_t len;
	uint8_t code[96];
};

/* The registers before and after a piece of code: see run_code(). */
struct registers {
	uint64_t r[32];
};

/* Calls code with these registers, and brings back what it leaves in them. */
void run_code(const void *code, struct registers *regs);

#if ARCH_ELF_MACHINE == EM_X86_64

#define SITE_LEN(s) ((s)->moved + 2U) /* bytes that the jump replaces */
#define REACH 0x7fff0000L
#define TOO_FAR 0x80000000L
#define NR_GETPGID 121

#define SYSCALL 0x0f, 0x05
#define RET 0xc3
#define NOP4 0x90, 0x90, 0x90, 0x90
#define NOP16 NOP4, NOP4, NOP4, NOP4
#define MOV_EAX(nr) 0xb8, (nr)&0xff, (nr) >> 8, 0, 0
#define TO_RED_ZONE 0x48, 0x89, 0x5c, 0x24, 0xf8, 0x48, 0x89, 0x5c, 0x24, 0x80 /* rbx, twice */
#define FROM_RED_ZONE 0x48, 0x8b, 0x5c, 0x24, 0xf8, 0x48, 0x8b, 0x6c, 0x24, 0x80

/* The calls looked for are getpgid and those numbered 9 and 300. */
static const struct sample samples[] = {
	{ "plain", 1, { 1, 9, 5, 0 }, 9, { 0x90, MOV_EAX(9), SYSCALL, RET } },
	{ "high number", 1, { 0, 300, 5, 0 }, 8, { MOV_EAX(300), SYSCALL, RET } },
	{ "at the very end", 1, { 0, 9, 5, 0 }, 7, { MOV_EAX(9), SYSCALL } },
	{ "register move, number before it",
	  1,
	  { 53, 9, 3, 0 },
	  59,
	  { NOP16, NOP16, NOP16, MOV_EAX(9), 0x48, 0x89, 0xe6, SYSCALL, RET } },
	{ "load, number before it",
	  1,
	  { 53, 9, 4, 0 },
	  60,
	  { NOP16, NOP16, NOP16, MOV_EAX(9), 0x41, 0x8b, 0x70, 0x10, SYSCALL, RET } },
	{ "syscall()", 1, { 1, 0, 5, 1 }, 9, { 0x90, 0x4c, 0x8b, 0x4c, 0x24, 0x08, SYSCALL, RET } },
	{ "setuid() with threads",
	  1,
	  { 1, 0, 6, 1 },
	  9,
	  { 0x90, 0x48, 0x8b, 0x53, 0x18, 0x8b, 0x03, SYSCALL } },
	{ "number by two registers",
	  0,
	  { 0 },
	  10,
	  { 0x90, 0x48, 0x8b, 0x53, 0x18, 0x8b, 0x04, 0x08, SYSCALL } },
	{ "number beside the code",
	  0,
	  { 0 },
	  13,
	  { 0x90, 0x48, 0x8b, 0x53, 0x18, 0x8b, 0x05, 1, 0, 0, 0, SYSCALL } },
	{ "two", 2, { 0, 9, 5, 0 }, 14, { MOV_EAX(9), SYSCALL, MOV_EAX(300), SYSCALL } },
	{ "not looked for", 0, { 0 }, 8, { MOV_EAX(10), SYSCALL, RET } },
	{ "number too high", 0, { 0 }, 8, { 0xb8, 9, 4, 0, 0, SYSCALL, RET } },
	{ "number from a register", 0, { 0 }, 8, { 0x90, 0x90, 0x90, 0x89, 0xf8, SYSCALL, RET } },
	{ "something between", 0, { 0 }, 9, { MOV_EAX(9), 0x90, SYSCALL, RET } },
	{ "another's number",
	  1,
	  { 48, 9, 5, 0 },
	  61,
	  { NOP16, NOP16, NOP16, MOV_EAX(9), SYSCALL, 0x48, 0x89, 0xe6, SYSCALL, RET } },
	{ "a move to memory",
	  0,
	  { 0 },
	  59,
	  { NOP16, NOP16, NOP16, MOV_EAX(9), 0x48, 0x89, 0x26, SYSCALL, RET } },
	{ "cut off in front", 0, { 0 }, 6, { 9, 0, 0, 0, SYSCALL } },
	{ "cut off behind", 0, { 0 }, 6, { MOV_EAX(9), 0x0f } },
	{ "nothing but it", 0, { 0 }, 2, { SYSCALL } },
	{ "empty", 0, { 0 }, 0, { 0 } },
};

/* All three shapes, in functions that keep something in the red zone. */
static const struct sample runnable[] = {
	{ "plain",
	  1,
	  { 10, NR_GETPGID, 5, 0 },
	  28,
	  { TO_RED_ZONE, MOV_EAX(NR_GETPGID), SYSCALL, FROM_RED_ZONE, RET } },
	{ "register move",
	  1,
	  { 63, NR_GETPGID, 3, 0 },
	  79,
	  { NOP16, NOP16, NOP16, TO_RED_ZONE, MOV_EAX(NR_GETPGID), 0x4c, 0x89,
	    0xe6, /* r12 to rsi */
	    SYSCALL, FROM_RED_ZONE, RET } },
	{ "syscall()", /* pushes r13 and r12, gets r13 back as r9 */
	  1,
	  { 13, 0, 5, 1 },
	  25,
	  { MOV_EAX(NR_GETPGID), 0x41, 0x55, 0x41, 0x54, NOP4, 0x4c, 0x8b, 0x4c, 0x24, 0x08,
	    SYSCALL, 0x48, 0x83, 0xc4, 0x10, RET } },
};

/* Where a stub branches to its page's head, and where back. */
#define STUB_CALL(s) ((s)->moved + 5U)
#define STUB_BACK(s) ((s)->moved + 22U)

static uintptr_t branch_target(const uint8_t *p)
{
	int32_t d;

	assert_true(p[0] == 0xe8 || p[0] == 0xe9);
	memcpy(&d, p + 1, sizeof(d));
	return (uintptr_t)p + 5 + (uintptr_t)(intptr_t)d;
}

/* As they are numbered in instructions; 4 is rsp and stays. */
#define RESULT 0
#define ARG0 7
#define CHANGED ((1U << 1) | (1U << 11)) /* by the instruction: rcx, r11 */

__asm__(".text\n"
	".globl run_code\n"
	".type run_code, @function\n"
	"run_code:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	push %rsi; push %rdi\n"
	"	mov 0(%rsi), %rax; mov 8(%rsi), %rcx; mov 16(%rsi), %rdx; mov 24(%rsi), %rbx\n"
	"	mov 40(%rsi), %rbp; mov 56(%rsi), %rdi; mov 64(%rsi), %r8; mov 72(%rsi), %r9\n"
	"	mov 80(%rsi), %r10; mov 88(%rsi), %r11; mov 96(%rsi), %r12; mov 104(%rsi), %r13\n"
	"	mov 112(%rsi), %r14; mov 120(%rsi), %r15; mov 48(%rsi), %rsi\n"
	"	call *(%rsp)\n"
	"	xchg 8(%rsp), %rsi\n"
	"	mov %rax, 0(%rsi); mov %rcx, 8(%rsi); mov %rdx, 16(%rsi); mov %rbx, 24(%rsi)\n"
	"	mov %rbp, 40(%rsi); mov %rdi, 56(%rsi); mov %r8, 64(%rsi); mov %r9, 72(%rsi)\n"
	"	mov %r10, 80(%rsi); mov %r11, 88(%rsi); mov %r12, 96(%rsi); mov %r13, 104(%rsi)\n"
	"	mov %r14, 112(%rsi); mov %r15, 120(%rsi); mov 8(%rsp), %rax; mov %rax, 48(%rsi)\n"
	"	add $16, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	".size run_code, . - run_code\n");

/* What a function may do to registers. */
static void spoil(void)
{
	__asm__ volatile("mov $-1, %%rax; mov %%rax, %%rcx; mov %%rax, %%rdx; mov %%rax, %%rsi\n\t"
			 "mov %%rax, %%rdi; mov %%rax, %%r8; mov %%rax, %%r9; mov %%rax, %%r10\n\t"
			 "mov %%rax, %%r11; add %%rax, %%rax"
			 :
			 :
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
}

#else

#define SITE_LEN(s) 4U
#define REACH 0x7ff0000L
#define TOO_FAR 0x8000000L
#define NR_GETPGID 155

#define W(i) ((i)&0xff), ((i) >> 8 & 0xff), ((i) >> 16 & 0xff), ((i) >> 24 & 0xff)
#define SYSCALL W(0xd4000001U)
#define RET W(0xd65f03c0U)
#define NOP W(0xd503201fU)
#define NOP4 NOP, NOP, NOP, NOP
#define MOV_W8(nr) W(0x52800008U | (nr) << 5)
#define MOV_X8(nr) W(0xd2800008U | (nr) << 5)
#define MOV_X0_X1 W(0xaa0103e0U)

/* The calls looked for are getpgid and those numbered 9 and 300. */
static const struct sample samples[] = {
	{ "plain", 1, { 4, 9, 0, 0 }, 12, { MOV_X8(9U), SYSCALL, RET } },
	{ "32 bits, high number", 1, { 4, 300, 0, 0 }, 12, { MOV_W8(300U), SYSCALL, RET } },
	{ "at the very end", 1, { 4, 9, 0, 0 }, 8, { MOV_X8(9U), SYSCALL } },
	{ "moves, and mrs x2, tpidr_el0, between",
	  1,
	  { 16, 9, 0, 0 },
	  20,
	  { MOV_X8(9U), MOV_X0_X1, W(0xd53bd042U), NOP, SYSCALL } },
	{ "mov w8, w0", 1, { 8, 0, 0, 1 }, 12, { W(0x2a0003e8U), MOV_X0_X1, SYSCALL } },
	{ "mov x8, x0", 1, { 8, 0, 0, 1 }, 12, { W(0xaa0003e8U), MOV_X0_X1, SYSCALL } },
	{ "uxtw x8, w0", 1, { 8, 0, 0, 1 }, 12, { W(0xd3407c08U), MOV_X0_X1, SYSCALL } },
	{ "ldrsw x8, [x3]", 1, { 8, 0, 0, 1 }, 12, { W(0xb9800068U), NOP, SYSCALL } },
	{ "two", 2, { 4, 9, 0, 0 }, 16, { MOV_X8(9U), SYSCALL, MOV_X8(300U), SYSCALL } },
	{ "not looked for", 0, { 0 }, 8, { MOV_X8(10U), SYSCALL } },
	{ "number too high", 0, { 0 }, 8, { MOV_X8(1033U), SYSCALL } },
	{ "number shifted", 0, { 0 }, 8, { W(0x52a00128U), SYSCALL } },
	{ "number in x9", 0, { 0 }, 8, { W(0xd2800129U), SYSCALL } },
	{ "number from x1", 0, { 0 }, 8, { W(0xaa0103e8U), SYSCALL } },
	{ "ldr x8, [x0] between", 0, { 0 }, 12, { MOV_X8(9U), W(0xf9400008U), SYSCALL } },
	{ "b between", 0, { 0 }, 12, { MOV_X8(9U), W(0x14000002U), SYSCALL } },
	{ "b.ne between", 0, { 0 }, 12, { MOV_X8(9U), W(0x54000041U), SYSCALL } },
	{ "cbz between", 0, { 0 }, 12, { MOV_X8(9U), W(0xb4000040U), SYSCALL } },
	{ "tbnz between", 0, { 0 }, 12, { MOV_X8(9U), W(0x37000040U), SYSCALL } },
	{ "bl between", 0, { 0 }, 12, { MOV_X8(9U), W(0x94000002U), SYSCALL } },
	{ "blr between", 0, { 0 }, 12, { MOV_X8(9U), W(0xd63f0020U), SYSCALL } },
	{ "ret between", 0, { 0 }, 12, { MOV_X8(9U), RET, SYSCALL } },
	{ "once more", 2, { 4, 9, 0, 0 }, 12, { MOV_X8(9U), SYSCALL, SYSCALL } },
	{ "another's number", 1, { 4, 9, 0, 0 }, 16, { MOV_X8(9U), SYSCALL, RET, SYSCALL } },
	{ "too far back", 0, { 0 }, 72, { MOV_X8(9U), NOP4, NOP4, NOP4, NOP4, SYSCALL } },
	{ "svc #1", 0, { 0 }, 8, { MOV_X8(9U), W(0xd4000021U) } },
	{ "cut off behind", 0, { 0 }, 7, { MOV_X8(9U), 0x01, 0x00, 0x00 } },
	{ "nothing but it", 0, { 0 }, 4, { SYSCALL } },
	{ "empty", 0, { 0 }, 0, { 0 } },
};

static const struct sample runnable[] = {
	{ "plain", 1, { 4, NR_GETPGID, 0, 0 }, 12, { MOV_X8((unsigned)NR_GETPGID), SYSCALL, RET } },
	{ "syscall()", /* with x9 for the argument, and x0 for the number meanwhile */
	  1,
	  { 16, 0, 0, 1 },
	  24,
	  { W(0xaa0003e9U), W(0xd2801360U), W(0x2a0003e8U), W(0xaa0903e0U), SYSCALL, RET } },
};

/* Where a stub branches to its page's head, and where back. */
#define STUB_CALL(s) 8U
#define STUB_BACK(s) 36U

static uintptr_t branch_target(const uint8_t *p)
{
	uint32_t insn;

	memcpy(&insn, p, sizeof(insn));
	assert_int_equal(insn & 0x7c000000, 0x14000000);
	return (uintptr_t)p + (uintptr_t)((intptr_t)((uint64_t)insn << 38) >> 36);
}

/* x0 to x28, then the flags; all are to be kept but the result. */
#define RESULT 0
#define ARG0 0
#define CHANGED 0U

__asm__(".text\n"
	".globl run_code\n"
	".type run_code, %function\n"
	"run_code:\n"
	"	stp x29, x30, [sp, #-112]!\n"
	"	stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]\n"
	"	stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]; str x1, [sp, #96]\n"
	"	mov x30, x0; mov x29, x1\n"
	"	ldr x0, [x29, #232]; msr nzcv, x0\n"
	"	ldp x0, x1, [x29]; ldp x2, x3, [x29, #16]; ldp x4, x5, [x29, #32]\n"
	"	ldp x6, x7, [x29, #48]; ldp x8, x9, [x29, #64]; ldp x10, x11, [x29, #80]\n"
	"	ldp x12, x13, [x29, #96]; ldp x14, x15, [x29, #112]; ldp x16, x17, [x29, #128]\n"
	"	ldp x18, x19, [x29, #144]; ldp x20, x21, [x29, #160]; ldp x22, x23, [x29, #176]\n"
	"	ldp x24, x25, [x29, #192]; ldp x26, x27, [x29, #208]; ldr x28, [x29, #224]\n"
	"	blr x30\n"
	"	ldr x30, [sp, #96]\n"
	"	stp x0, x1, [x30]; stp x2, x3, [x30, #16]; stp x4, x5, [x30, #32]\n"
	"	stp x6, x7, [x30, #48]; stp x8, x9, [x30, #64]; stp x10, x11, [x30, #80]\n"
	"	stp x12, x13, [x30, #96]; stp x14, x15, [x30, #112]; stp x16, x17, [x30, #128]\n"
	"	stp x18, x19, [x30, #144]; stp x20, x21, [x30, #160]; stp x22, x23, [x30, #176]\n"
	"	stp x24, x25, [x30, #192]; stp x26, x27, [x30, #208]; str x28, [x30, #224]\n"
	"	mrs x0, nzcv; str x0, [x30, #232]; sub x0, x29, x30; str x0, [x30, #240]\n"
	"	ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]\n"
	"	ldp x25, x26, [sp, #64]; ldp x27, x28, [sp, #80]\n"
	"	ldp x29, x30, [sp], #112\n"
	"	ret\n"
	".size run_code, . - run_code\n");

/* What a function may do to registers. */
static void spoil(void)
{
	__asm__ volatile(
		"mov x0, #-1; mov x1, x0; mov x2, x0; mov x3, x0; mov x4, x0; mov x5, x0\n\t"
		"mov x6, x0; mov x7, x0; mov x8, x0; mov x9, x0; mov x10, x0\n\t"
		"mov x11, x0; mov x12, x0; mov x13, x0; mov x14, x0; mov x15, x0\n\t"
		"mov x16, x0; mov x17, x0; mov x18, x0; cmp x0, x0"
		:
		:
		: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
		  "x13", "x14", "x15", "x16", "x17", "x18", "cc");
}

#endif

static const uint16_t looked_for[] = { 9, 300, NR_GETPGID };

/* ---- Finding ------------------------------------------------------------------------------- */

static void finds_every_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct sample *s = &samples[i];
		struct arch_site site[4] = { { 0 } };
		size_t n = arch_find_sites(s->code, s->len, 0x3000, looked_for, COUNT(looked_for),
					   site, 4);

		if (n != s->nsites)
			fail_msg("%s: %zu sites", s->what, n);
		if (n != 0 &&
		    (site[0].offset != 0x3000 + s->site.offset || site[0].nr != s->site.nr ||
		     site[0].moved != s->site.moved || site[0].any != s->site.any))
			fail_msg("%s: offset %#x, number %u, moved %u, any %u", s->what,
				 site[0].offset, site[0].nr, site[0].moved, site[0].any);
	}
}

static void counts_more_than_fit(void **state)
{
	static const struct arch_site untouched = { 77, 77, 77, 77 };
	struct arch_site site[2] = { untouched, untouched };
	const struct sample *two = samples;

	(void)state;
	while (two->nsites != 2)
		two++;
	assert_int_equal(
		arch_find_sites(two->code, two->len, 0, looked_for, COUNT(looked_for), site, 1), 2);
	assert_int_equal(site[0].nr, 9);
	assert_memory_equal(&site[1], &untouched, sizeof(untouched));
	assert_int_equal(arch_find_sites(two->code, two->len, 0, NULL, 0, site, 2), 0);
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* A site that moves nothing is not read, so it may be anywhere. */
static void stub_reaches_so_far(void **state)
{
	static const long far[] = { -TOO_FAR,    TOO_FAR,  -2 * TOO_FAR,
				    2 * TOO_FAR, 1L << 40, -(1L << 40) };
	static const long reachable[] = { -REACH, REACH, 4096, -4096 };
	static _Alignas(16) uint8_t page[4 * ARCH_STUB_SIZE];
	uint8_t *stub = page + 2 * ARCH_STUB_SIZE;
	const struct arch_site s = { .nr = 9 };

	(void)state;
	for (size_t i = 0; i < COUNT(far); i++) {
		uintptr_t site = (uintptr_t)stub + (uintptr_t)far[i];

		assert_false(arch_write_stub(stub, page, &s, (void *)site));
	}
	for (size_t i = 0; i < COUNT(reachable); i++) {
		uintptr_t site = (uintptr_t)stub + (uintptr_t)reachable[i];

		memset(page, 0, sizeof(page));
		assert_true(arch_write_stub(stub, page, &s, (void *)site));
		assert_int_equal(branch_target(stub + STUB_CALL(&s)), (uintptr_t)page);
		assert_int_equal(branch_target(stub + STUB_BACK(&s)), site + SITE_LEN(&s));
		for (unsigned k = 0; k < ARCH_STUB_SIZE; k++) {
			assert_int_equal(stub[-1 - (int)k], 0);
			assert_int_equal(stub[ARCH_STUB_SIZE + k], 0);
		}
	}
}

static void jump_replaces_the_site(void **state)
{
	static const long distance[] = { -REACH, REACH, 4096, -4096 };

	(void)state;
	for (size_t i = 0; i < COUNT(runnable); i++) {
		const struct arch_site *s = &runnable[i].site;
		_Alignas(16) uint8_t code[sizeof(runnable[i].code)];
		uint32_t end = s->offset + SITE_LEN(s);

		for (size_t k = 0; k < COUNT(distance); k++) {
			uint8_t *site = code + s->offset;
			uintptr_t stub = (uintptr_t)site + (uintptr_t)distance[k];

			memcpy(code, runnable[i].code, sizeof(code));
			arch_write_jump(site, s, (void *)stub);
			assert_int_equal(branch_target(site), stub);
			assert_memory_equal(code, runnable[i].code, s->offset);
			assert_memory_equal(code + end, runnable[i].code + end, sizeof(code) - end);
		}
	}
}

/* ---- Running ------------------------------------------------------------------------------- */

static struct {
	int answer; /* what it returns, and: */
	long result;
	const long *arg0;
	int calls; /* what it saw */
	struct window_head *head;
	struct arch_trap trap;
} trap;

int trap_syscall(struct window_head *head, struct arch_trap *tr)
{
	trap.calls++;
	trap.head = head;
	trap.trap = *tr;
	if (trap.arg0)
		tr->arg[0] = *trap.arg0;
	if (trap.answer)
		tr->nr = trap.result;
	spoil();
	return trap.answer;
}

static uint8_t *window; /* one, with the stub page and the code somewhere in it */

static int make_window(void **state)
{
	uint8_t *room = mmap(NULL, 2 * WINDOW, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	if (room == MAP_FAILED)
		return -1;
	window = room + (-(uintptr_t)room & (WINDOW - 1));
	return 0;
}

static struct registers some_registers(long arg0)
{
	struct registers regs = { { 0 } };

	for (unsigned i = 0; i < 29; i++)
		regs.r[i] = 0x0123456789abcd00 + i;
	regs.r[29] = 0xa0000000; /* aarch64: N and C */
	regs.r[ARG0] = (uint64_t)arg0;
	return regs;
}

static void assert_same(const struct registers *got, const struct registers *want, unsigned except)
{
	for (unsigned i = 0; i < 32; i++) {
		if (except >> i & 1)
			continue;
		if (got->r[i] != want->r[i])
			fail_msg("register %u: %#lx, not %#lx", i, got->r[i], want->r[i]);
	}
}

static bool named_head; /* the window's, in its stubs */

/* Lays s's code down, trapped; returns it. */
static uint8_t *lay_trapped(const struct sample *s)
{
	uint8_t *page = window + 0x31000, *stub = page + 3 * ARCH_STUB_SIZE,
		*code = window + 0x155540;
	struct arch_site site;

	memcpy(code, s->code, s->len);
	assert_int_equal(arch_find_sites(code, s->len, 0, looked_for, COUNT(looked_for), &site, 1),
			 1);
	assert_int_equal(site.offset, s->site.offset);
	assert_int_equal(site.moved, s->site.moved);
	assert_int_equal(site.any, s->site.any);
	*(void (**)(void))window = arch_trap_entry;
	arch_write_stub_head(page, SHIFT, named_head ? window : NULL);
	assert_true(arch_write_stub(stub, page, &site, code + site.offset));
	arch_write_jump(code + site.offset, &site, stub);
	__builtin___clear_cache((char *)window, (char *)window + WINDOW);
	return code;
}

/* What the system call does to registers by itself is the model. */
static void trapped_code_runs_as_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(runnable); i++) {
		struct registers plain = some_registers(0), led = some_registers(0);
		const struct sample *s = &runnable[i / 2];
		uint8_t *untouched = window + 0x1000, *code;

		named_head = i % 2;
		code = lay_trapped(s);
		memcpy(untouched, s->code, s->len);
		__builtin___clear_cache((char *)untouched, (char *)untouched + CODE_MAX);
		memset(&trap, 0, sizeof(trap));
		run_code(untouched, &plain);
		assert_int_equal(trap.calls, 0);
		assert_int_equal(plain.r[RESULT], getpgrp());

		run_code(code, &led);
		assert_int_equal(trap.calls, 1);
		assert_same(&led, &plain, CHANGED);
		assert_ptr_equal(trap.head, window);
		assert_int_equal(trap.trap.nr, NR_GETPGID);

		/* And with an answer instead of the call. */
		trap.answer = 1;
		trap.result = -4095;
		led = some_registers(0);
		run_code(code, &led);
		assert_int_equal(trap.calls, 2);
		assert_int_equal(led.r[RESULT], (uint64_t)-4095L);
		assert_same(&led, &plain, CHANGED | 1U << RESULT);

		/* And in a fork's child, whose window has an empty head. */
		memset(window, 0, sizeof(uintptr_t));
		led = some_registers(0);
		run_code(code, &led);
		assert_int_equal(trap.calls, 2);
		assert_same(&led, &plain, CHANGED);
	}
	named_head = false;
}

static void trap_sees_and_changes_arguments(void **state)
{
	static const long own = 0, nobody = INT32_MAX;

	(void)state;
	for (size_t i = 0; i < COUNT(runnable); i++) {
		uint8_t *code = lay_trapped(&runnable[i]);
		struct registers regs = some_registers(nobody);

		memset(&trap, 0, sizeof(trap));
		run_code(code, &regs);
		assert_int_equal(regs.r[RESULT], (uint64_t)-ESRCH);
		assert_int_equal(trap.trap.arg[0], nobody);

		trap.arg0 = &own;
		regs = some_registers(nobody);
		run_code(code, &regs);
		assert_int_equal(regs.r[RESULT], getpgrp());
		assert_int_equal(trap.calls, 2);
	}
}

/* ---- The C library that is there ----------------------------------------------------------- */

#ifdef SYS_readlink
#define LD_READLINK SYS_readlink
#else
#define LD_READLINK SYS_readlinkat
#endif

#define ANY 0xffff

struct need {
	const char *file;
	uint16_t nr, count;
	size_t found;
};

static struct need needs[] = {
	{ "/libc.so.6", SYS_mmap, 1, 0 },   { "/libc.so.6", SYS_munmap, 1, 0 },
	{ "/libc.so.6", SYS_mremap, 1, 0 }, { "/libc.so.6", SYS_brk, 1, 0 },
	{ "/libc.so.6", SYS_clone, 2, 0 },  { "/libc.so.6", SYS_shmat, 1, 0 },
	{ "/libc.so.6", ANY, 1, 0 },        { "/ld-linux", SYS_mmap, 1, 0 },
	{ "/ld-linux", SYS_munmap, 1, 0 },  { "/ld-linux", SYS_brk, 1, 0 },
	{ "/ld-linux", LD_READLINK, 1, 0 },
};

static int look_for_needs(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct arch_site site[64];

	(void)size;
	(void)arg;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		for (struct need *n = needs; n < needs + COUNT(needs); n++) {
			size_t found;

			if (!strstr(info->dlpi_name, n->file))
				continue;
			found = arch_find_sites((void *)(info->dlpi_addr + ph->p_vaddr),
						ph->p_filesz, 0, &n->nr, n->nr == ANY ? 0 : 1, site,
						COUNT(site));
			assert_true(found <= COUNT(site));
			for (size_t k = 0; k < found; k++)
				n->found += site[k].any == (n->nr == ANY);
		}
	}
	return 0;
}

static void finds_what_glibc_has(void **state)
{
	(void)state;
	dl_iterate_phdr(look_for_needs, NULL);
	for (const struct need *n = needs; n < needs + COUNT(needs); n++)
		if (n->found < n->count)
			fail_msg("%s, system call %u: %zu", n->file, n->nr, n->found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_shape),
		cmocka_unit_test(counts_more_than_fit),
		cmocka_unit_test(stub_reaches_so_far),
		cmocka_unit_test(jump_replaces_the_site),
		cmocka_unit_test_setup(trapped_code_runs_as_before, make_window),
		cmocka_unit_test_setup(trap_sees_and_changes_arguments, make_window),
		cmocka_unit_test(finds_what_glibc_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
