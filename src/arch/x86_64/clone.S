/*
 * clone.S (x86_64) - long arch_clone3(const void *args, size_t size, void (*fn)(void *), void *arg)
 *                    long arch_clone(flags, stack_top, child_tid, fn, arg)
 *
 * The child finds fn and arg in registers, which clone copies; it never uses the parent's stack.
 */
	.text
	.globl arch_clone3
	.hidden arch_clone3
	.type arch_clone3, @function
arch_clone3:				/* rdi args, rsi size, rdx fn, rcx arg */
	.cfi_startproc
	mov %rcx, %r8			/* syscall destroys rcx and r11 */
	mov $435, %eax			/* SYS_clone3 */
	syscall
	test %rax, %rax
	jz 1f
	ret
1:	.cfi_undefined rip
	xor %ebp, %ebp
	mov %r8, %rdi
	call *%rdx
	hlt
	.cfi_endproc
	.size arch_clone3, . - arch_clone3

	.globl arch_clone
	.hidden arch_clone
	.type arch_clone, @function
arch_clone:				/* rdi flags, rsi stack, rdx child_tid, rcx fn, r8 arg */
	.cfi_startproc
	mov %rdx, %r10			/* the kernel wants child_tid fourth */
	xor %edx, %edx
	mov %rcx, %r9
	mov $56, %eax			/* SYS_clone */
	syscall
	test %rax, %rax
	jz 2f
	ret
2:	.cfi_undefined rip
	xor %ebp, %ebp
	mov %r8, %rdi
	call *%r9
	hlt
	.cfi_endproc
	.size arch_clone, . - arch_clone

	.section .note.GNU-stack, "", @progbits
