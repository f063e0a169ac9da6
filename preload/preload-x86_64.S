/*
 * preload-x86_64.S - the entry points: everything as the caller left it, but for preload_begin()
 * before the first.  Jumps, since vfork() and clone() return twice.
 */
	.macro entry name, index
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
	mov $8 * \index, %r11d
	jmp begin
	.cfi_endproc
	.size \name, . - \name
	.endm

	.text
	entry fork, 0
	entry _Fork, 1
	entry vfork, 2
	entry clone, 3
	entry posix_spawn, 4
	entry posix_spawnp, 5
	entry system, 6
	entry popen, 7
	entry _IO_popen, 8
	entry wordexp, 9
	entry forkpty, 10
	entry daemon, 11
	entry syscall, 12

	.type begin, @function
begin:
	.cfi_startproc
	lea preload_real(%rip), %r10
	cmpq $0, (%r10)
	je 1f
	jmp *(%r10, %r11)
1:	push %rdi
	.cfi_adjust_cfa_offset 8
	push %rsi
	.cfi_adjust_cfa_offset 8
	push %rdx
	.cfi_adjust_cfa_offset 8
	push %rcx
	.cfi_adjust_cfa_offset 8
	push %r8
	.cfi_adjust_cfa_offset 8
	push %r9
	.cfi_adjust_cfa_offset 8
	push %r11
	.cfi_adjust_cfa_offset 8
	call preload_begin
	pop %r11
	.cfi_adjust_cfa_offset -8
	pop %r9
	.cfi_adjust_cfa_offset -8
	pop %r8
	.cfi_adjust_cfa_offset -8
	pop %rcx
	.cfi_adjust_cfa_offset -8
	pop %rdx
	.cfi_adjust_cfa_offset -8
	pop %rsi
	.cfi_adjust_cfa_offset -8
	pop %rdi
	.cfi_adjust_cfa_offset -8
	xor %eax, %eax
	lea preload_real(%rip), %r10
	jmp *(%r10, %r11)
	.cfi_endproc
	.size begin, . - begin

	.section .note.GNU-stack, "", @progbits
