/*
 * arch.h - the contract between the runtime and a CPU architecture.
 *
 * One folder per CPU implements it under identical file names: syscall.h (raw system calls and the
 * thread pointer), clone.S, copy.S, enter.S, guard.S, signal.S, trap.S and patch.c.  Nothing
 * outside src/arch names a CPU.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* arch_syscall6(), arch_thread_pointer(), arch_set_thread_pointer(), arch_pause(),
 * ARCH_ELF_MACHINE, ARCH_CONTEXT_PC(): the program counter in a ucontext_t */
#include "syscall.h"

/*
 * clone3(2) with a stack of its own for the child, which runs fn(arg) there and must not
 * return. args points to a struct clone_args whose stack fields are set.  Returns the child's
 * PID or -errno.
 */
long arch_clone3(const void *args, size_t size, void (*fn)(void *), void *arg);

/* clone(2) in the same way, for kernels and sandboxes without clone3. */
long arch_clone(unsigned long flags, void *stack_top, int *child_tid, void (*fn)(void *),
		void *arg);

/* Start a program as the kernel would: its stack at sp, every argument register clear. */
_Noreturn void arch_enter(uintptr_t pc, uintptr_t sp);

/*
 * What AT_ENTRY leads a dynamic linker to when it has loaded a task: calls embryo_start() with
 * the stack pointer as the kernel would set it up, then jumps to the address that returned, all
 * registers that the program may look at (System V ABI, 3.4.1) being as the dynamic linker left
 * them.
 */
void arch_start(void);

/* Calls fn(arg) with another thread pointer, on the present stack, and switches back. */
int arch_call_with_thread_pointer(uintptr_t tp, int (*fn)(void *), void *arg);

/* ---- System-call traps: see src/embryo/trap.h ---------------------------------------------- */

/* A place in an ELF file's code where a system call is made, and what must be moved to trap it. */
struct arch_site {
	uint32_t offset; /* in the file, of the first byte that the jump replaces */
	uint16_t nr;     /* the system call it makes */
	uint8_t moved; /* bytes of code before the system call instruction that move to the stub */
	uint8_t any;   /* it makes any system call, as libc's syscall() does */
};

/* Is it one of these system calls? */
static inline bool arch_site_is_wanted(const struct arch_site *s, const uint16_t *nr, size_t nnr)
{
	for (size_t i = 0; i < nnr; i++)
		if (nr[i] == s->nr)
			return true;
	return s->any;
}

/*
 * Finds the sites of the given system calls in code (len bytes at file offset off).  Writes at
 * most max of them and returns how many there are.  syscall()-like sites are reported whatever
 * `nr` says.
 */
size_t arch_find_sites(const void *code, size_t len, uint64_t off, const uint16_t *nr, size_t nnr,
		       struct arch_site *sites, size_t max);

#define ARCH_STUB_SIZE 64 /* room for one stub, and for the head of a stub page */

/*
 * Writes the head of a stub page: what every stub calls.  It finds the start of the window that
 * the page lies in (windows are aligned to their size, 1 << window_shift) and goes on where the
 * first word there says, which is arch_trap_entry, or 0: make the call as it is.  If `head` is not
 * NULL it takes that instead of a window's start.
 */
void arch_write_stub_head(void *page, unsigned window_shift, const void *head);

/*
 * Writes the stub for one site at `stub` (in the page whose head is `page`), which returns behind
 * the site, whose first byte is at `site`.  Returns false if they are too far apart.
 */
bool arch_write_stub(void *stub, void *page, const struct arch_site *s, const void *site);

/* Replaces the code at `site`, which must be writable, by a jump to its stub. */
void arch_write_jump(void *site, const struct arch_site *s, const void *stub);

/* Where a stub page's head leads: saves the registers and calls trap_syscall(). */
void arch_trap_entry(void);

/* A trapped system call, as trap_syscall() sees it. */
struct arch_trap {
	long nr;     /* in: the system call; out: its result, if it was handled */
	long arg[6]; /* in; may be changed before the call is made as it is */
	uintptr_t keep[ARCH_TRAP_KEEP]; /* the caller's other registers */
	uintptr_t sp; /* where the stub goes on; the caller's own is ARCH_TRAP_ABOVE higher */
	uintptr_t tail[ARCH_TRAP_TAIL]; /* what the stub finds there */
};

/*
 * Returns from a trapped call with the result frame->nr, as if trap_syscall() had handled it: in a
 * process that has been cloned since, from another stack, or once more.  Everything that is needed
 * is in *frame, which may lie anywhere.
 */
_Noreturn void arch_trap_resume(const struct arch_trap *frame);

/* Leaves the present stack for good and calls fn(arg), which must not return, on another. */
_Noreturn void arch_call_on_stack(uintptr_t top, void (*fn)(void *), void *arg);

/* ---- Memory that may not be there: see src/embryo/guard.h ---------------------------------- */

#include "arch/guard.h"

/*
 * Copies n bytes; returns how many are left, 0 unless a fault's handler sets the program counter:
 * from a place in [arch_copy, arch_copy_last) to arch_copy_last, which tries again in smaller
 * steps, and from one in [arch_copy_last, arch_copy_fault) to arch_copy_fault.
 */
size_t arch_copy(void *to, const void *from, size_t n);
extern const char arch_copy_last[], arch_copy_fault[];

/* ARCH_GUARDS signal handlers of equal size: number i calls guard_signal(..., i) and enters the
 * handler that this returned, if it is not 0, just as the kernel would have. */
extern const char arch_guards[], arch_guards_end[];

/* A handler for sigaction(2): goes on where thread_on_signal() says, as if the kernel had. */
void arch_signal_entry(void);

/* Where a handler of ours returns to.  gdb looks at its code if the name has "sigaction" in it. */
void arch_sigaction_return(void);

/* ---- The dynamic linker's table of CPU features -------------------------------------------- */

/* The symbol of ld.so that returns the table's address, or NULL if this CPU has no such table. */
extern const char *const arch_cpu_table_symbol;
extern const char *const arch_cpu_table_follower; /* the constant that follows the table */

#endif
