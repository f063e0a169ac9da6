/*
 * guard.S (aarch64) - arch_guards: signal handlers, all alike but for the number they pass on.
 *                     arch_sigaction_return: where a handler returns to.
 *
 * A handler of the program is entered by a jump, so it finds the stack, the arguments, the frame
 * pointer and the link register as the kernel made them.
 */
#include "arch/guard.h"

	.text
	.globl arch_guards
	.hidden arch_guards
	.type arch_guards, %function
arch_guards:				/* x0 signal, x1 siginfo, x2 context */
	.set number, 0
	.rept ARCH_GUARDS
	mov w3, #number
	b enter
	.set number, number + 1
	.endr
	.globl arch_guards_end
	.hidden arch_guards_end
arch_guards_end:
	.size arch_guards, . - arch_guards

	.type enter, %function
enter:
	.cfi_startproc
	stp x29, x30, [sp, #-48]!
	.cfi_adjust_cfa_offset 48
	.cfi_offset x29, -48
	.cfi_offset x30, -40
	stp x0, x1, [sp, #16]
	str x2, [sp, #32]
	mov x29, sp
	bl guard_signal
	mov x16, x0
	ldp x0, x1, [sp, #16]
	ldr x2, [sp, #32]
	ldp x29, x30, [sp], #48
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -48
	cbz x16, 1f
	br x16
1:	ret
	.cfi_endproc
	.size enter, . - enter

	nop				/* unwinders look at the byte before a return address */
	.globl arch_sigaction_return
	.hidden arch_sigaction_return
	.type arch_sigaction_return, %function
arch_sigaction_return:			/* unwinders know a signal's frame by just these bytes */
	mov x8, #139			/* SYS_rt_sigreturn */
	svc #0
	.size arch_sigaction_return, . - arch_sigaction_return

	.section .note.GNU-stack, "", %progbits
