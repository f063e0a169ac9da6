/*
 * clone.S (aarch64) - long arch_clone3(const void *args, size_t size,
 *                                      void (*fn)(void *), void *arg)
 *                     long arch_clone(flags, stack_top, child_tid, fn, arg)
 *
 * The child finds fn and arg in registers, which clone copies; it never uses the parent's stack.
 */
	.text
	.globl arch_clone3
	.hidden arch_clone3
	.type arch_clone3, %function
arch_clone3:				/* x0 args, x1 size, x2 fn, x3 arg */
	.cfi_startproc
	mov x8, #435			/* SYS_clone3; the kernel keeps every register but x0 */
	svc #0
	cbz x0, 1f
	ret
1:	.cfi_undefined x30
	mov x29, #0
	mov x30, #0
	mov x0, x3
	blr x2
	brk #0
	.cfi_endproc
	.size arch_clone3, . - arch_clone3

	.globl arch_clone
	.hidden arch_clone
	.type arch_clone, %function
arch_clone:				/* x0 flags, x1 stack, x2 child_tid, x3 fn, x4 arg */
	.cfi_startproc
	mov x5, x3
	mov x6, x4
	mov x4, x2			/* flags, stack, parent_tid, tls, child_tid: clone(2) */
	mov x3, #0
	mov x2, #0
	mov x8, #220			/* SYS_clone */
	svc #0
	cbz x0, 2f
	ret
2:	.cfi_undefined x30
	mov x29, #0
	mov x30, #0
	mov x0, x6
	blr x5
	brk #0
	.cfi_endproc
	.size arch_clone, . - arch_clone

	.section .note.GNU-stack, "", %progbits
