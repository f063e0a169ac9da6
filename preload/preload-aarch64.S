/*
 * preload-aarch64.S - the entry points: everything as the caller left it, but for preload_begin()
 * before the first.  Branches, since vfork() and clone() return twice.
 */
	.macro entry name, index
	.globl \name
	.type \name, %function
\name:
	.cfi_startproc
	mov x16, #8 * \index
	b begin
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

	.type begin, %function
begin:
	.cfi_startproc
	adrp x17, preload_real
	add x17, x17, :lo12:preload_real
	ldr x9, [x17]
	cbz x9, 1f
	ldr x17, [x17, x16]
	br x17
1:	stp x29, x30, [sp, #-96]!
	.cfi_adjust_cfa_offset 96
	.cfi_offset x29, -96
	.cfi_offset x30, -88
	stp x0, x1, [sp, #16]
	stp x2, x3, [sp, #32]
	stp x4, x5, [sp, #48]
	stp x6, x7, [sp, #64]
	str x16, [sp, #80]
	bl preload_begin
	ldp x0, x1, [sp, #16]
	ldp x2, x3, [sp, #32]
	ldp x4, x5, [sp, #48]
	ldp x6, x7, [sp, #64]
	ldr x16, [sp, #80]
	ldp x29, x30, [sp], #96
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -96
	adrp x17, preload_real
	add x17, x17, :lo12:preload_real
	ldr x17, [x17, x16]
	br x17
	.cfi_endproc
	.size begin, . - begin

	.section .note.GNU-stack, "", %progbits
