/*
 * peer.h - system calls on other programs of the space, which are only a copy away.  Freestanding.
 */
#ifndef EMBRYO_PEER_H
#define EMBRYO_PEER_H

#include "space.h"

/* What of it trap_syscall() must be led to; kcmp(2) is made by syscall() only, which always is. */
#define PEER_CALLS SYS_process_vm_readv, SYS_process_vm_writev, SYS_prctl, SYS_set_tid_address

/* As trap_syscall(); 0 for any call that is not of interest here. */
int peer_syscall(struct window_head *head, struct arch_trap *tr);

/* On its main thread: the word that set_tid_address(2) names, as a C library does once. */
void peer_note_tid_word(struct task *t, const int32_t *word);

/* In an embryo: the process that it stands for from now on; 0 = none any more. */
void peer_note_standin(struct task *t, int32_t pid);

/* The process that a PID means to the programs of t's space: a forked child's is its embryo's. */
int32_t peer_process(const struct task *t, int32_t pid);

/* openat(2). */
int peer_open(struct arch_trap *tr);

#endif
