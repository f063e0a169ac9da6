/*
 * handler.S (x86_64) - the macro handler, for signal.S and guard.S, which include it.
 *
 * A signal handler that asks a function which one is to handle the signal, and jumps there.
 */
	.macro handler which		/* rdi signal, rsi siginfo, rdx context */
	.cfi_startproc
	push %rdi
	.cfi_adjust_cfa_offset 8
	push %rsi
	.cfi_adjust_cfa_offset 8
	push %rdx
	.cfi_adjust_cfa_offset 8
	call \which			/* rsp is 16-byte aligned: it was 8 off at the entry */
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
	.endm
