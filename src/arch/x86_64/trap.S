/*
 * trap.S (x86_64) - arch_trap_entry: from a stub to trap_syscall() and back;
 *                   _Noreturn void arch_trap_resume(const struct arch_trap *);
 *                   _Noreturn void arch_call_on_stack(uintptr_t top, void (*fn)(void *), void *)
 *
 * A stub (patch.c) stepped over the red zone and called here through the head of its page, with the
 * address of its window in rcx.  The code it replaces expects what the syscall instruction
 * does: all registers kept but rax, rcx, r11.  On return the carry flag says "rax is the result";
 * without it the stub makes the system call itself, on the caller's own stack.
 *
 * What is saved is enough to return from the call more than once, in another process or on
 * another stack: see struct arch_trap.
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
	sub $160, %rsp			/* struct arch_trap */
	and $-16, %rsp
	mov %rax, 0(%rsp)
	mov %rdi, 8(%rsp)
	mov %rsi, 16(%rsp)
	mov %rdx, 24(%rsp)
	mov %r10, 32(%rsp)
	mov %r8, 40(%rsp)
	mov %r9, 48(%rsp)
	mov %rbx, 56(%rsp)
	mov 0(%rbp), %rax
	mov %rax, 64(%rsp)		/* rbp */
	mov %r12, 72(%rsp)
	mov %r13, 80(%rsp)
	mov %r14, 88(%rsp)
	mov %r15, 96(%rsp)
	lea 8(%rbp), %rax
	mov %rax, 104(%rsp)		/* sp */
	mov 8(%rbp), %rax
	mov %rax, 112(%rsp)		/* where the stub goes on */
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

	.globl arch_trap_resume
	.hidden arch_trap_resume
	.type arch_trap_resume, @function
arch_trap_resume:			/* rdi frame */
	.cfi_startproc
	.cfi_undefined rip
	mov 56(%rdi), %rbx
	mov 64(%rdi), %rbp
	mov 72(%rdi), %r12
	mov 80(%rdi), %r13
	mov 88(%rdi), %r14
	mov 96(%rdi), %r15
	mov 16(%rdi), %rsi
	mov 24(%rdi), %rdx
	mov 32(%rdi), %r10
	mov 40(%rdi), %r8
	mov 48(%rdi), %r9
	mov 104(%rdi), %rcx
	mov 112(%rdi), %rax
	mov %rax, (%rcx)
	mov 0(%rdi), %rax
	mov 8(%rdi), %rdi
	mov %rcx, %rsp
	stc
	ret
	.cfi_endproc
	.size arch_trap_resume, . - arch_trap_resume

	.globl arch_call_on_stack
	.hidden arch_call_on_stack
	.type arch_call_on_stack, @function
arch_call_on_stack:			/* rdi top, rsi fn, rdx arg */
	.cfi_startproc
	.cfi_undefined rip
	and $-16, %rdi
	mov %rdi, %rsp
	xor %ebp, %ebp
	mov %rdx, %rdi
	call *%rsi
	hlt
	.cfi_endproc
	.size arch_call_on_stack, . - arch_call_on_stack

	.section .note.GNU-stack, "", @progbits
