/*
 * trap.S (aarch64) - arch_trap_entry: from a stub to trap_syscall() and back;
 *                    _Noreturn void arch_trap_resume(const struct arch_trap *);
 *                    _Noreturn void arch_call_on_stack(uintptr_t top, void (*fn)(void *), void *)
 *
 * A stub (patch.c) saved x16, x17 and x30 and called here through the head of its page, with the
 * address of its window in x16.  The code it replaces expects what the svc instruction does: all
 * registers kept but x0, and the condition flags too.  The vector registers are safe, since
 * trap_syscall() is compiled without them.  On return x16 says "x0 is the result"; if it is 0 the
 * stub makes the system call itself, on the caller's own stack.
 *
 * What is saved is enough to return from the call more than once, in another process or on
 * another stack: see struct arch_trap.
 */
	.text
	.globl arch_trap_entry
	.hidden arch_trap_entry
	.type arch_trap_entry, %function
arch_trap_entry:
	.cfi_startproc
	stp x29, x30, [sp, #-336]!
	.cfi_adjust_cfa_offset 336
	.cfi_offset x29, -336
	.cfi_offset x30, -328
	mov x29, sp
	mrs x17, nzcv
	stp x8, x0, [sp, #16]		/* struct arch_trap, 304 bytes */
	stp x1, x2, [sp, #32]
	stp x3, x4, [sp, #48]
	stp x5, x17, [sp, #64]
	stp x6, x7, [sp, #80]
	stp x8, x9, [sp, #96]
	stp x10, x11, [sp, #112]
	stp x12, x13, [sp, #128]
	stp x14, x15, [sp, #144]
	stp x18, x19, [sp, #160]
	stp x20, x21, [sp, #176]
	stp x22, x23, [sp, #192]
	stp x24, x25, [sp, #208]
	stp x26, x27, [sp, #224]
	ldr x17, [sp]			/* x29 */
	stp x28, x17, [sp, #240]
	add x17, sp, #336
	stp x30, x17, [sp, #256]	/* where the stub goes on; sp */
	ldp x8, x17, [sp, #336]		/* what the stub saved: x16, x17, x30 */
	stp x8, x17, [sp, #272]
	ldr x8, [sp, #352]
	str x8, [sp, #288]
	ldr x8, [sp, #16]
	mov x0, x16			/* the head of the window that the stub lies in */
	add x1, sp, #16
	bl trap_syscall
	mov w16, w0
	ldp x17, x0, [sp, #16]
	cmp w16, #0
	csel x0, x17, x0, ne
	ldp x5, x17, [sp, #64]
	msr nzcv, x17
	ldp x1, x2, [sp, #32]
	ldp x3, x4, [sp, #48]
	ldp x6, x7, [sp, #80]
	ldp x8, x9, [sp, #96]
	ldp x10, x11, [sp, #112]
	ldp x12, x13, [sp, #128]
	ldp x14, x15, [sp, #144]
	ldr x18, [sp, #160]
	ldp x29, x30, [sp], #336
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -336
	ret
	.cfi_endproc
	.size arch_trap_entry, . - arch_trap_entry

	.globl arch_trap_resume
	.hidden arch_trap_resume
	.type arch_trap_resume, %function
arch_trap_resume:			/* x0 frame */
	.cfi_startproc
	.cfi_undefined x30
	mov x16, x0
	ldp x30, x17, [x16, #240]
	ldp x1, x2, [x16, #256]
	stp x1, x2, [x17]
	ldr x1, [x16, #272]
	str x1, [x17, #16]
	mov sp, x17
	ldp x0, x1, [x16, #0]		/* the result; arg[0] is lost, as svc loses it */
	ldp x1, x2, [x16, #16]
	ldp x3, x4, [x16, #32]
	ldp x5, x17, [x16, #48]
	msr nzcv, x17
	ldp x6, x7, [x16, #64]
	ldp x8, x9, [x16, #80]
	ldp x10, x11, [x16, #96]
	ldp x12, x13, [x16, #112]
	ldp x14, x15, [x16, #128]
	ldp x18, x19, [x16, #144]
	ldp x20, x21, [x16, #160]
	ldp x22, x23, [x16, #176]
	ldp x24, x25, [x16, #192]
	ldp x26, x27, [x16, #208]
	ldp x28, x29, [x16, #224]
	mov w16, #1
	ret
	.cfi_endproc
	.size arch_trap_resume, . - arch_trap_resume

	.globl arch_call_on_stack
	.hidden arch_call_on_stack
	.type arch_call_on_stack, %function
arch_call_on_stack:			/* x0 top, x1 fn, x2 arg */
	.cfi_startproc
	.cfi_undefined x30
	and x0, x0, #-16
	mov sp, x0
	mov x29, #0
	mov x30, #0
	mov x0, x2
	br x1
	.cfi_endproc
	.size arch_call_on_stack, . - arch_call_on_stack

	.section .note.GNU-stack, "", %progbits
