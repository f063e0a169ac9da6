/*
 * trap.S (aarch64) - arch_trap_entry: from a stub to trap_syscall() and back.
 *
 * A stub (patch.c) saved x16, x17 and x30 and called here through the head of its page, with the
 * address of its window in x16.  The code it replaces expects what the svc instruction does: all
 * registers kept but x0, and the condition flags too.  The vector registers are safe, since
 * trap_syscall() is compiled without them.  On return x16 says "x0 is the result"; if it is 0 the
 * stub makes the system call itself, on the caller's own stack, which is what calls that return
 * twice (clone with a stack, vfork) need.
 */
	.text
	.globl arch_trap_entry
	.hidden arch_trap_entry
	.type arch_trap_entry, %function
arch_trap_entry:
	.cfi_startproc
	stp x29, x30, [sp, #-176]!
	.cfi_adjust_cfa_offset 176
	.cfi_offset x29, -176
	.cfi_offset x30, -168
	mov x29, sp
	mrs x17, nzcv
	stp x8, x0, [sp, #16]		/* struct arch_trap, 56 bytes */
	stp x1, x2, [sp, #32]
	stp x3, x4, [sp, #48]
	stp x5, x17, [sp, #64]
	stp x6, x7, [sp, #80]
	stp x8, x9, [sp, #96]
	stp x10, x11, [sp, #112]
	stp x12, x13, [sp, #128]
	stp x14, x15, [sp, #144]
	str x18, [sp, #160]
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
	ldp x29, x30, [sp], #176
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -176
	ret
	.cfi_endproc
	.size arch_trap_entry, . - arch_trap_entry

	.section .note.GNU-stack, "", %progbits
