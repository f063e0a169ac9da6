/*
 * program.S (aarch64) - void arch_program(void): where the kernel or ld.so starts libpip.so.
 *
 * The stack pointer, which is aligned, is at argc; program_start(), with the address of that, does
 * not return.
 */
	.text
	.globl arch_program
	.hidden arch_program
	.type arch_program, %function
arch_program:
	.cfi_startproc
	.cfi_undefined x30		/* the end of all backtraces */
	mov x29, #0
	mov x30, #0
	mov x0, sp
	bl program_start
	brk #0
	.cfi_endproc
	.size arch_program, .-arch_program

	.section .note.GNU-stack, "", %progbits
