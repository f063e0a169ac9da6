/*
 * signal.S (aarch64) - arch_signal_entry: a signal handler that is none.
 *
 * thread_on_signal() says which function is to handle the signal, and that begins as if the kernel
 * had called it.  A frame of ours in between would end the way of an unwinder (pthread_cancel) that
 * does not know this library.
 */
	.text
	.globl arch_signal_entry
	.hidden arch_signal_entry
	.type arch_signal_entry, %function
arch_signal_entry:			/* x0 signal, x1 siginfo, x2 context */
	.cfi_startproc
	stp x0, x1, [sp, #-32]!
	.cfi_adjust_cfa_offset 32
	stp x2, x30, [sp, #16]
	.cfi_offset x30, -8
	bl thread_on_signal
	mov x16, x0
	ldp x2, x30, [sp, #16]
	ldp x0, x1, [sp], #32
	.cfi_adjust_cfa_offset -32
	.cfi_restore x30
	cbz x16, 1f
	br x16
1:	ret
	.cfi_endproc
	.size arch_signal_entry, . - arch_signal_entry

	.section .note.GNU-stack, "", %progbits
