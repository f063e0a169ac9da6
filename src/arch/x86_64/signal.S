/*
 * signal.S (x86_64) - arch_signal_entry: a signal handler that is none.
 *
 * thread_on_signal() says which function is to handle the signal, and that begins as if the kernel
 * had called it.  A frame of ours in between would end the way of an unwinder (pthread_cancel) that
 * does not know this library.
 */
#include "arch/x86_64/handler.S"

	.text
	.globl arch_signal_entry
	.hidden arch_signal_entry
	.type arch_signal_entry, @function
arch_signal_entry:
	handler thread_on_signal
	.size arch_signal_entry, . - arch_signal_entry

	.section .note.GNU-stack, "", @progbits
