/*
 * copy.S (x86_64) - size_t arch_copy(void *to, const void *from, size_t n)
 *
 * After a fault `rep movsb` leaves in rcx what it has not copied (Intel SDM 2B, REP), so its
 * second try, at arch_copy_last, is the first.
 */
	.text
	.globl arch_copy
	.hidden arch_copy
	.type arch_copy, @function
arch_copy:				/* rdi to, rsi from, rdx n */
	.cfi_startproc
	mov %rdx, %rcx
	.globl arch_copy_last
	.hidden arch_copy_last
arch_copy_last:
	rep movsb
	.globl arch_copy_fault
	.hidden arch_copy_fault
arch_copy_fault:
	mov %rcx, %rax
	ret
	.cfi_endproc
	.size arch_copy, . - arch_copy

	.section .note.GNU-stack, "", @progbits
