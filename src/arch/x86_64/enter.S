/*
 * enter.S (x86_64) - _Noreturn void arch_enter(uintptr_t pc, uintptr_t sp)
 *                    void arch_start(void)
 *                    int arch_call_with_thread_pointer(uintptr_t tp, int (*fn)(void *), void *arg)
 *
 * A program starts with rdx = 0 (no function to register with atexit; System V ABI, 3.4.1) and, as
 * execve does it, every other register clear.
 */
	.text
	.globl arch_enter
	.hidden arch_enter
	.type arch_enter, @function
arch_enter:				/* rdi pc, rsi sp */
	mov %rsi, %rsp
	push %rdi			/* ret takes it; below sp, so the program never sees it */
	fninit				/* rounding and exceptions are the spawning thread's own */
	push $0x1f80
	ldmxcsr (%rsp)
	add $8, %rsp
	xor %eax, %eax
	xor %ebx, %ebx
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %edi, %edi
	xor %ebp, %ebp
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	cld
	ret
	.size arch_enter, . - arch_enter

	.globl arch_start
	.hidden arch_start
	.type arch_start, @function
arch_start:
	.cfi_startproc
	.cfi_undefined rip
	mov %rsp, %rdi
	push %rdx			/* what the program registers with atexit */
	push %rbp
	call embryo_start		/* rsp is 16-byte aligned here, as it was at the entry */
	pop %rbp
	pop %rdx
	jmp *%rax
	.cfi_endproc
	.size arch_start, . - arch_start

	.globl arch_call_with_thread_pointer
	.hidden arch_call_with_thread_pointer
	.type arch_call_with_thread_pointer, @function
arch_call_with_thread_pointer:		/* rdi tp, rsi fn, rdx arg */
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	push %r12
	.cfi_adjust_cfa_offset 8
	push %r13
	.cfi_adjust_cfa_offset 8
	mov %rsi, %r12
	mov %rdx, %r13
	mov %fs:0, %rbx
	mov %rdi, %rsi
	mov $0x1002, %edi		/* ARCH_SET_FS */
	mov $158, %eax			/* SYS_arch_prctl */
	syscall
	mov %r13, %rdi
	call *%r12
	mov %eax, %r12d
	mov %rbx, %rsi
	mov $0x1002, %edi
	mov $158, %eax
	syscall
	mov %r12d, %eax
	pop %r13
	.cfi_adjust_cfa_offset -8
	pop %r12
	.cfi_adjust_cfa_offset -8
	pop %rbx
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size arch_call_with_thread_pointer, . - arch_call_with_thread_pointer

	.section .note.GNU-stack, "", @progbits
