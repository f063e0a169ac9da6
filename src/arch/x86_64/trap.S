/*
 * trap.S (x86_64) - arch_trap_entry: from a stub to trap_syscall() and back.
 *
 * A stub (patch.c) stepped over the red zone and called here through the head of its page, with the
 * address of its window in rcx.  The code it replaces expects what the syscall instruction
 * does: all registers kept but rax, rcx, r11.  On return the carry flag says "rax is the result";
 * without it the stub makes the system call itself, on the caller's own stack, which is what calls
 * that return twice (clone with a stack, vfork) need.
 */
	.text
	.globl arch_trap_entry
	.hidden arch_trap_entry
	.type arch_trap_entry, @function
arch_trap_entry:
	.cfi_startproc
	push %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset rbp, -16
	mov %rsp, %rbp
	.cfi_def_cfa_register rbp
	sub $64, %rsp			/* struct arch_trap and padding */
	and $-16, %rsp
	mov %rax, 0(%rsp)
	mov %rdi, 8(%rsp)
	mov %rsi, 16(%rsp)
	mov %rdx, 24(%rsp)
	mov %r10, 32(%rsp)
	mov %r8, 40(%rsp)
	mov %r9, 48(%rsp)
	mov %rcx, %rdi			/* the head of the window that the stub lies in */
	mov %rsp, %rsi
	cld
	call trap_syscall
	mov %eax, %ecx
	mov 0(%rsp), %rax
	mov 8(%rsp), %rdi
	mov 16(%rsp), %rsi
	mov 24(%rsp), %rdx
	mov 32(%rsp), %r10
	mov 40(%rsp), %r8
	mov 48(%rsp), %r9
	mov %rbp, %rsp
	pop %rbp
	.cfi_def_cfa rsp, 8
	add $-1, %ecx			/* carry if trap_syscall() returned non-zero */
	ret
	.cfi_endproc
	.size arch_trap_entry, . - arch_trap_entry

	.section .note.GNU-stack, "", @progbits
