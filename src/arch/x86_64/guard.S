/*
 * guard.S (x86_64) - arch_guards: signal handlers, all alike but for the number they pass on.
 *                    arch_sigaction_return: where a handler returns to.
 *
 * A handler of the program is entered by a jump, so it finds the stack, the arguments and the
 * return address as the kernel made them.
 */
#include "arch/guard.h"
#include "arch/x86_64/handler.S"

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
	handler guard_signal
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
