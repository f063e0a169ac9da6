/*
 * guard.S (x86_64) - arch_guards: signal handlers, all alike but for the number they pass on.
 *                    arch_sigaction_return: where a handler returns to.
 *
 * A handler of the program is entered by a jump, so it finds the stack, the arguments and the
 * return address as the kernel made them.
 */
#include "arch/guard.h"

	.text
	.globl arch_guards
	.hidden arch_guards
	.type arch_guards, @function
arch_guards:				/* rdi signal, rsi siginfo, rdx context */
	.set number, 0
	.rept ARCH_GUARDS
	.byte 0xb9			/* mov $number, %ecx */
	.long number
	.byte 0xe9			/* jmp enter: never the short form, which is smaller */
	.long enter - . - 4
	.set number, number + 1
	.endr
	.globl arch_guards_end
	.hidden arch_guards_end
arch_guards_end:
	.size arch_guards, . - arch_guards

	.type enter, @function
enter:
	.cfi_startproc
	push %rdi
	.cfi_adjust_cfa_offset 8
	push %rsi
	.cfi_adjust_cfa_offset 8
	push %rdx
	.cfi_adjust_cfa_offset 8
	call guard_signal		/* rsp is 16-byte aligned: it was 8 off at the entry */
	pop %rdx
	.cfi_adjust_cfa_offset -8
	pop %rsi
	.cfi_adjust_cfa_offset -8
	pop %rdi
	.cfi_adjust_cfa_offset -8
	test %rax, %rax
	jz 1f
	mov %rax, %rcx
	xor %eax, %eax			/* as the kernel: a handler may be declared without types */
	jmp *%rcx
1:	ret
	.cfi_endproc
	.size enter, . - enter

	nop				/* unwinders look at the byte before a return address */
	.globl arch_sigaction_return
	.hidden arch_sigaction_return
	.type arch_sigaction_return, @function
arch_sigaction_return:			/* unwinders know a signal's frame by just these bytes */
	mov $15, %rax			/* SYS_rt_sigreturn */
	syscall
	.size arch_sigaction_return, . - arch_sigaction_return

	.section .note.GNU-stack, "", @progbits
