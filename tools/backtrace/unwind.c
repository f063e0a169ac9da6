/*
 * unwind.c - the frames, by libunwind.  Entry function: unwind().
 *
 * To libunwind the task is a remote process: it asks for registers, which come from the context
 * that the kernel gave the signal handler, and for memory.
 */
#include "backtrace.h"

#include <libunwind.h>
#include <string.h>
#include <ucontext.h>

/* libunwind has this for its own ptrace and core file readers and does not declare it. */
#define search_table UNW_OBJ(dwarf_search_unwind_table)
int search_table(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int, void *);

#define STEPS_MAX 5000 /* of an endless recursion */

static ucontext_t context;

static unw_word_t *reg(unw_regnum_t r)
{
#if defined(__x86_64__)
	static const int places[] = { REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
				      REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
				      REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP };

	if (r < UNW_X86_64_RAX || r > UNW_X86_64_RIP)
		return NULL;
	return (unw_word_t *)&context.uc_mcontext.gregs[places[r]];
#elif defined(__aarch64__)
	if (r >= UNW_AARCH64_X0 && r <= UNW_AARCH64_X30)
		return (unw_word_t *)&context.uc_mcontext.regs[r];
	if (r == UNW_AARCH64_SP)
		return (unw_word_t *)&context.uc_mcontext.sp;
	if (r == UNW_AARCH64_PC)
		return (unw_word_t *)&context.uc_mcontext.pc;
	return NULL;
#endif
}

static int access_reg(unw_addr_space_t as, unw_regnum_t r, unw_word_t *value, int write, void *arg)
{
	unw_word_t *place = reg(r);

	(void)as;
	(void)arg;
	if (!place || write)
		return -UNW_EBADREG;
	*value = *place;
	return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t r, unw_fpreg_t *value, int write,
			void *arg)
{
	(void)as;
	(void)r;
	(void)value;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int access_mem(unw_addr_space_t as, unw_word_t at, unw_word_t *value, int write, void *arg)
{
	(void)as;
	(void)arg;
	return !write && memory_read(at, value, sizeof(*value)) ? 0 : -UNW_EINVAL;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *info, int need,
			  void *arg)
{
	const struct module *m = module_at(ip);
	struct {
		uint8_t version, frame_encoding, count_encoding, table_encoding;
		int32_t frame;
		uint32_t count;
	} head;
	unw_dyn_info_t di;

	if (!m || !m->unwind_table || !memory_read(m->unwind_table, &head, sizeof(head)))
		return -UNW_ENOINFO;
	/* The only form that linkers write: pcrel sdata4, udata4, and a table of datarel sdata4. */
	if (head.version != 1 || head.frame_encoding != 0x1b || head.count_encoding != 0x03 ||
	    head.table_encoding != 0x3b)
		return -UNW_ENOINFO;
	memset(&di, 0, sizeof(di));
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.start_ip = m->start;
	di.end_ip = m->end;
	di.u.rti.segbase = m->unwind_table;
	di.u.rti.table_data = m->unwind_table + sizeof(head);
	di.u.rti.table_len = head.count * 2UL * sizeof(int32_t) / sizeof(unw_word_t);
	return search_table(as, ip, &di, info, need, arg);
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *arg)
{
	(void)as;
	(void)info;
	(void)arg;
}

static int no_dynamic_code(unw_addr_space_t as, unw_word_t *list, void *arg)
{
	(void)as;
	(void)list;
	(void)arg;
	return -UNW_ENOINFO;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as;
	(void)cursor;
	(void)arg;
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t as, unw_word_t at, char *buf, size_t size, unw_word_t *offset,
		   void *arg)
{
	(void)as;
	(void)at;
	(void)buf;
	(void)size;
	(void)offset;
	(void)arg;
	return -UNW_ENOINFO;
}

/* A call of an address where nothing is: back to the caller, as the call left it. */
static bool undo_call(void)
{
#if defined(__x86_64__)
	unw_word_t *sp = reg(UNW_X86_64_RSP), to;

	if (!memory_read(*sp, &to, sizeof(to)) || !module_at(to))
		return false;
	*sp += sizeof(to);
	*reg(UNW_X86_64_RIP) = to;
#elif defined(__aarch64__)
	if (!module_at(*reg(UNW_AARCH64_X30)))
		return false;
	*reg(UNW_AARCH64_PC) = *reg(UNW_AARCH64_X30);
#endif
	return true;
}

/*
 * A system call that the runtime sees is made in a stub (arch_write_stub() in src/arch), which has
 * no unwind information but is simple enough to be followed to its end, the jump back to the code
 * that it was taken from.  False: this is no stub; then the registers are as before.
 */
static bool leave_stub(void)
{
	ucontext_t before = context;

#if defined(__x86_64__)
	unw_word_t *pc = reg(UNW_REG_IP), *sp = reg(UNW_REG_SP);
	uint8_t code[10];

	/* Behind its call or its system call. */
	if (!memory_read(*pc - 2, code, 10) || (memcmp(code + 2, "\x48\x8d\xa4\x24\x80", 5) != 0 &&
						memcmp(code, "\x0f\x05\xe9", 3) != 0))
		return false;
	for (int i = 0; i < 8 && memory_read(*pc, code, 8); i++) {
		int32_t distance;

		if (code[0] == 0x48) { /* lea 128(%rsp), %rsp */
			*sp += 128;
			*pc += 8;
		} else if (code[0] == 0x72 || code[0] == 0x0f) { /* jc +2, syscall */
			*pc += 2;
		} else if (code[0] == 0xe9) {
			memcpy(&distance, code + 1, sizeof(distance));
			*pc += 5 + (unw_word_t)(int64_t)distance;
			if (module_at(*pc))
				return true;
		} else {
			break;
		}
	}
#elif defined(__aarch64__)
	unw_word_t *pc = reg(UNW_REG_IP), *sp = reg(UNW_REG_SP), *lr = reg(UNW_AARCH64_X30);
	uint32_t code;

	if (!memory_read(*pc - 4, &code, 4) || (code != 0xd4000001 && code >> 26 != 0x25))
		return false;
	for (int i = 0; i < 8 && memory_read(*pc, &code, 4); i++, *pc += 4) {
		if (code == 0xf9400bfe) { /* ldr x30, [sp, #16] */
			if (!memory_read(*sp + 16, lr, sizeof(*lr)))
				break;
		} else if (code == 0xa8c247f0) { /* ldp x16, x17, [sp], #32 */
			*sp += 32;
		} else if (code >> 26 == 0x05) { /* b back */
			*pc += (unw_word_t)((int64_t)(int32_t)(code << 6) >> 4);
			if (module_at(*pc))
				return true;
			break;
		} else if (code != 0x34000070 && code != 0xd4000001) { /* cbz w16, svc #0 */
			break;
		}
	}
#endif
	context = before;
	return false;
}

/* The registers of the cursor's frame, as far as it knows them. */
static void take_registers(unw_cursor_t *cursor)
{
	for (unw_regnum_t r = 0; r <= UNW_REG_LAST; r++) {
		unw_word_t value;

		if (reg(r) && unw_get_reg(cursor, r, &value) == 0)
			*reg(r) = value;
	}
}

/* Where a signal handler returns to: the system call rt_sigreturn(2), in just this form. */
static bool is_trampoline(uintptr_t pc)
{
#if defined(__x86_64__)
	static const uint8_t code[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
#elif defined(__aarch64__)
	static const uint8_t code[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4 };
#endif
	uint8_t there[sizeof(code)];

	return memory_read(pc, there, sizeof(there)) && memcmp(there, code, sizeof(code)) == 0;
}

void unwind(uintptr_t at, bool (*frame)(uintptr_t pc, enum frame_kind kind))
{
	unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = no_dynamic_code,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = no_resume,
		.get_proc_name = no_name,
	};
	unw_addr_space_t as;
	unw_word_t pc, sp, last_sp = 0;
	unw_cursor_t cursor;
	enum frame_kind kind = FRAME_INTERRUPTED;

	/* Without what follows: the vector state, whose size is the CPU's affair. */
	if (!memory_read(at, &context, offsetof(ucontext_t, uc_mcontext) + sizeof(mcontext_t)))
		return;
	pc = *reg(UNW_REG_IP);
	if (!leave_stub() && !module_at(pc)) {
		if (!frame(pc, FRAME_INTERRUPTED))
			return;
		if (undo_call())
			kind = FRAME_CALL;
	}
	as = unw_create_addr_space(&accessors, 0);
	if (!as)
		return;
	unw_set_caching_policy(as, UNW_CACHE_GLOBAL);
	if (unw_init_remote(&cursor, as, NULL) == 0) {
		for (int i = 0; i < STEPS_MAX; i++) {
			if (unw_get_reg(&cursor, UNW_REG_IP, &pc) ||
			    unw_get_reg(&cursor, UNW_REG_SP, &sp) || pc == 0 ||
			    (i > 0 && sp == last_sp && kind == FRAME_CALL))
				break;
			/* libunwind says it of the frame that was interrupted. */
			if (i > 0)
				kind = is_trampoline(pc)                  ? FRAME_SIGNAL
				       : unw_is_signal_frame(&cursor) > 0 ? FRAME_INTERRUPTED
									  : FRAME_CALL;
			if (!frame(pc, kind))
				break;
			last_sp = sp;
			if (unw_step(&cursor) <= 0 || unw_get_reg(&cursor, UNW_REG_IP, &pc))
				break;
			if (module_at(pc))
				continue;
			take_registers(&cursor);
			if (leave_stub() && unw_init_remote(&cursor, as, NULL))
				break;
		}
	}
	unw_destroy_addr_space(as);
}
