/*
 * enter.S (aarch64) - _Noreturn void arch_enter(uintptr_t pc, uintptr_t sp)
 *                     void arch_start(void)
 *                     int arch_call_with_thread_pointer(uintptr_t tp, int (*fn)(void *), void *arg)
 *
 * A program starts with x0 = 0 (no function to register with atexit) and, as execve does it, every
 * other register clear; x16 has to hold the address that is jumped to.
 */
	.text
	.globl arch_enter
	.hidden arch_enter
	.type arch_enter, %function
arch_enter:				/* x0 pc, x1 sp */
	mov sp, x1
	mov x16, x0
	msr fpcr, xzr			/* rounding and exceptions are the spawning thread's own */
	msr fpsr, xzr
	mov x0, #0
	mov x1, #0
	mov x2, #0
	mov x3, #0
	mov x4, #0
	mov x5, #0
	mov x6, #0
	mov x7, #0
	mov x8, #0
	mov x9, #0
	mov x10, #0
	mov x11, #0
	mov x12, #0
	mov x13, #0
	mov x14, #0
	mov x15, #0
	mov x17, #0
	mov x18, #0
	mov x19, #0
	mov x20, #0
	mov x21, #0
	mov x22, #0
	mov x23, #0
	mov x24, #0
	mov x25, #0
	mov x26, #0
	mov x27, #0
	mov x28, #0
	mov x29, #0
	mov x30, #0
	br x16
	.size arch_enter, . - arch_enter

	.globl arch_start
	.hidden arch_start
	.type arch_start, %function
arch_start:
	.cfi_startproc
	.cfi_undefined x30
	mov x1, sp
	stp x0, x30, [sp, #-16]!	/* x0: what the program registers with atexit */
	mov x0, x1
	bl embryo_start
	mov x16, x0
	ldp x0, x30, [sp], #16
	br x16
	.cfi_endproc
	.size arch_start, . - arch_start

	.globl arch_call_with_thread_pointer
	.hidden arch_call_with_thread_pointer
	.type arch_call_with_thread_pointer, %function
arch_call_with_thread_pointer:		/* x0 tp, x1 fn, x2 arg */
	.cfi_startproc
	stp x29, x30, [sp, #-32]!
	.cfi_adjust_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	mov x29, sp
	str x19, [sp, #16]
	.cfi_offset x19, -16
	mrs x19, tpidr_el0
	msr tpidr_el0, x0
	mov x0, x2
	blr x1
	msr tpidr_el0, x19
	ldr x19, [sp, #16]
	.cfi_restore x19
	ldp x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -32
	ret
	.cfi_endproc
	.size arch_call_with_thread_pointer, . - arch_call_with_thread_pointer

	.section .note.GNU-stack, "", %progbits
