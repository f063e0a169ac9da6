/*
 * program.S (x86_64) - void arch_program(void): where the kernel or ld.so starts libpip.so.
 *
 * The stack pointer is at argc; program_start(), with the address of that, does not return.
 */
	.text
	.globl arch_program
	.hidden arch_program
	.type arch_program, @function
arch_program:
	.cfi_startproc
	.cfi_undefined rip		/* the end of all backtraces */
	xor %ebp, %ebp
	mov %rsp, %rdi
	and $-16, %rsp
	call program_start
	hlt
	.cfi_endproc
	.size arch_program, .-arch_program

	.section .note.GNU-stack, "", @progbits
