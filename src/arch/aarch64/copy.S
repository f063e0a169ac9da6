/*
 * copy.S (aarch64) - size_t arch_copy(void *to, const void *from, size_t n)
 *
 * Nothing is counted before it is stored, so a fault in a group of 64 bytes leaves the whole
 * group to the second try, at arch_copy_last, which goes byte by byte up to where it faults.
 */
	.text
	.globl arch_copy
	.hidden arch_copy
	.type arch_copy, %function
arch_copy:				/* x0 to, x1 from, x2 n */
	.cfi_startproc
1:	cmp x2, #64
	b.lo arch_copy_last
	ldp x4, x5, [x1]
	ldp x6, x7, [x1, #16]
	ldp x8, x9, [x1, #32]
	ldp x10, x11, [x1, #48]
	stp x4, x5, [x0]
	stp x6, x7, [x0, #16]
	stp x8, x9, [x0, #32]
	stp x10, x11, [x0, #48]
	add x1, x1, #64
	add x0, x0, #64
	sub x2, x2, #64
	b 1b
	.globl arch_copy_last
	.hidden arch_copy_last
arch_copy_last:
2:	cbz x2, arch_copy_fault
	ldrb w4, [x1]
	strb w4, [x0]
	add x1, x1, #1
	add x0, x0, #1
	sub x2, x2, #1
	b 2b
	.globl arch_copy_fault
	.hidden arch_copy_fault
arch_copy_fault:
	mov x0, x2
	ret
	.cfi_endproc
	.size arch_copy, . - arch_copy

	.section .note.GNU-stack, "", %progbits
