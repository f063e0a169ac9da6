/*
 * signal.S (x86_64) - arch_signal_entry: a signal handler that is none.
 *
 * thread_on_signal() says which function is to handle the signal, and that begins as if the kernel
 * had called it.  A frame of ours in between would end the way of an unwinder (pthread_cancel) that
 * does not know this library.
 */
	.text
	.globl arch_signal_entry
	.hidden arch_signal_entry
	.type arch_signal_entry, @function
arch_signal_entry:			/* rdi signal, rsi siginfo, rdx context */
	.cfi_startproc
	push %rdi
	.cfi_adjust_cfa_offset 8
	push %rsi
	.cfi_adjust_cfa_offset 8
	push %rdx
	.cfi_adjust_cfa_offset 8
	call thread_on_signal
	pop %rdx
	.cfi_adjust_cfa_offset -8
	pop %rsi
	.cfi_adjust_cfa_offset -8
	pop %rdi
	.cfi_adjust_cfa_offset -8
	test %rax, %rax
	jz 1f
	jmp *%rax
1:	ret
	.cfi_endproc
	.size arch_signal_entry, . - arch_signal_entry

	.section .note.GNU-stack, "", @progbits
