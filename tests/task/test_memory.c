/*
 * test_memory.c - memory across tasks: malloc() in one, free() and realloc() in another, and
 * memory given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>

#include "root.h"
#include "../prog/api.h"
#include "../prog/heap.h"

static struct blocks blocks;
static struct market market;

static void make_in_root(struct blocks *b)
{
	unsigned seed = 42;

	for (b->count = 0; b->count < HEAP_BLOCKS; b->count++) {
		b->block[b->count] = block_make(&seed);
		check(b->block[b->count] != NULL);
		b->size[b->count] = malloc_usable_size(b->block[b->count]);
	}
	free(b->block[0]);
	b->block[0] = strdup("made by libc itself");
	b->size[0] = malloc_usable_size(b->block[0]);
}

/* Sizes of blocks that were made by a task, for whoever takes them. */
static void made_by_task(struct blocks *b)
{
	check(retry(b->ready));
	b->size[0] = malloc_usable_size(b->block[0]);
	check(b->size[0] >= 101);
}

static void take_in_root(struct blocks *b)
{
	for (int i = 0; i < b->count; i++) {
		if (i)
			check(block_intact(b->block[i]));
		check_int(malloc_usable_size(b->block[i]), b->size[i]);
		if (i % 3 == 1) {
			b->block[i] = realloc(b->block[i], b->size[i] + 5000);
			check(b->block[i] && block_intact(b->block[i]));
		} else if (i % 3 == 2) {
			b->block[i] = realloc(b->block[i], 16);
			check(b->block[i] != NULL);
		}
		free(b->block[i]);
	}
}

static void root_to_task(void)
{
	root_init(1);
	for (int i = 0; i < 5; i++) {
		make_in_root(&blocks);
		task_exits(task_func(PROG("heap"), "heap_take", &blocks), 0);
	}
	for (int i = 0; i < 1000; i++)
		free(malloc((size_t)i + 1));
	root_fin();
}

static void task_to_root(void)
{
	root_init(1);
	for (int i = 0; i < 5; i++) {
		blocks = (struct blocks){ 0 };
		task_func(PROG("heap"), "heap_make", &blocks);
		made_by_task(&blocks);
		take_in_root(&blocks);
		blocks.leave = 1;
		task_exits(0, 0);
	}
	root_fin();
}

static void task_to_task(void)
{
	root_init(2);
	for (int i = 0; i < 5; i++) {
		blocks = (struct blocks){ 0 };
		check_int(task_func(PROG("heap"), "heap_make", &blocks), (2 * i) % 2);
		made_by_task(&blocks);
		task_exits(task_func(PROG("heap"), "heap_take", &blocks), 0);
		blocks.leave = 1;
		task_exits(0, 0);
	}
	root_fin();
}

/* The owner has ended, but nobody has waited for it: its blocks are there still. */
static void owner_has_ended(void)
{
	root_init(2);
	for (int i = 0; i < 3; i++) {
		int owner;

		blocks = (struct blocks){ .leave = 1 };
		owner = task_func(PROG("heap"), "heap_make", &blocks);
		task_await_end(owner);
		made_by_task(&blocks);
		if (i == 0)
			take_in_root(&blocks);
		else
			task_exits(task_func(PROG("heap"), "heap_take", &blocks), 0);
		task_exits(owner, 0);
	}
	for (int i = 0; i < 1000; i++)
		free(malloc((size_t)i + 1));
	root_fin();
}

/* Blocks of a program that has no libpip can be freed and moved all the same. */
static void owner_is_a_plain_program(void)
{
	int in[2], out[2],
		saved[2] = { fcntl(0, F_DUPFD_CLOEXEC, 3), fcntl(1, F_DUPFD_CLOEXEC, 3) };
	FILE *addresses;

	root_init(1);
	check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	check(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
	task_main(PROG("plain"), "heap", NULL);
	check(dup2(saved[0], 0) == 0 && dup2(saved[1], 1) == 1);
	close(in[0]);
	close(out[1]);
	addresses = fdopen(out[0], "r");
	for (size_t i = 0; i < 100; i++) {
		unsigned char *block = NULL;

		check_int(fscanf(addresses, "%p", (void **)&block), 1);
		check_int(block[i * 100], 0x5a);
		check(malloc_usable_size(block) > i * 100);
		if (i % 2) {
			unsigned char *moved = realloc(block, 50000);

			check(moved && moved[i * 100] == 0x5a);
			block = moved;
		}
		free(block);
	}
	close(in[1]);
	task_exits(0, 0);
	fclose(addresses);
	root_fin();
}

static void errors(void)
{
	root_init(1);
	task_exits(task_func(PROG("heap"), "heap_errors", NULL), 0);
	root_fin();
}

/* Root and tasks, each freeing what the others have made, all at a time. */
static void market_of_all(void)
{
	struct proof proof;

	root_init(HEAP_TASKS);
	market.rounds = 20000;
	proof_begin(&proof);
	for (int i = 0; i < HEAP_TASKS; i++) {
		check_int(task_func(PROG("heap"), "heap_market", &market), i);
		proof_task(&proof, task_pid(i));
	}
	market_work(&market, 815);
	market.finished++;
	for (int i = 0; i < HEAP_TASKS; i++) {
		task_exits(i, 0);
		proof_collected(&proof);
	}
	proof_end(&proof, HEAP_TASKS);
	check_int(market.wrong, 0);
	for (int i = 0; i < HEAP_SLOTS; i++)
		check_ptr(market.slot[i], NULL);
	for (int i = 0; i < 1000; i++)
		free(malloc((size_t)i + 1));
	root_fin();
}

static void market_of_threads(void)
{
	root_init(HEAP_TASKS);
	market.rounds = 5000;
	for (int i = 0; i < HEAP_TASKS; i++)
		check_int(task_func(PROG("heap"), "heap_market_threads", &market), i);
	for (int i = 0; i < HEAP_TASKS; i++)
		task_exits(i, 0);
	check_int(market.wrong, 0);
	root_fin();
}

static long resident_kib(void)
{
	char *text = file_read("/proc/self/status");
	const char *line = strstr(text, "VmRSS:");
	long kib = -1;

	check(line && sscanf(line, "VmRSS: %ld", &kib) == 1);
	free(text);
	return kib;
}

/* What others free comes back to the allocator of its owner: 400 MB go through a few. */
static void freed_memory_is_used_again(void)
{
	enum {
		ROUNDS = 100000
	};
	long before;

	root_init(1);
	task_func(PROG("heap"), "heap_sink", &market);
	before = resident_kib();
	for (int i = 0; i < ROUNDS; i++) {
		void *block = malloc(4096), *empty = NULL;

		check(block != NULL);
		memset(block, 1, 4096);
		while (!atomic_compare_exchange_weak(&market.slot[0], &empty, block)) {
			empty = NULL;
			sched_yield();
		}
	}
	check(retry(market.slot[0] == NULL));
	market.slot[0] = (void *)-1;
	task_exits(0, 0);
	check(resident_kib() - before < 50L * 1024);
	root_fin();
}

static void freed_memory_is_used_again_in_task(void)
{
	long before, most = 0;
	int freed = 0;

	root_init(1);
	market.rounds = 100000;
	before = resident_kib();
	task_func(PROG("heap"), "heap_source", &market);
	while (freed < market.rounds) {
		void *block = atomic_exchange(&market.slot[0], NULL);

		if (!block) {
			check(pip_trywait(0, NULL) == ECHILD || freed == market.rounds);
			sched_yield(); /* there may be more of us than processors */
			continue;
		}
		free(block);
		if (++freed % 1000 == 0 && resident_kib() > most)
			most = resident_kib();
	}
	task_exits(0, 0);
	check(most - before < 50L * 1024);
	root_fin();
}

/* One task's mapping, touched by the root and another task. */
static void mappings(void)
{
	root_init(1);
	task_func(PROG("heap"), "heap_map", &blocks);
	check(retry(blocks.ready));
	memset(blocks.block[0], 0x5a, blocks.size[0]);
	blocks.leave = 1;
	task_exits(0, 0);
	root_fin();
}

/* Whatever a task had, it is all given back. */
static void given_back(void)
{
	static struct sheet sheet;
	long before = 0;

	root_init(2);
	for (int i = 0; i < 40; i++) {
		blocks = (struct blocks){ 0 };
		task_func(PROG("heap"), "heap_map", &blocks);
		check(retry(blocks.ready));
		memset(blocks.block[0], 0x5a, blocks.size[0]);
		if (i % 2) {
			check_int(pip_kill(i % 2, SIGKILL), 0);
			task_signaled(i % 2, SIGKILL);
		} else {
			blocks.leave = 1;
			task_exits(i % 2, 0);
		}
		if (i == 3) {
			sheet_take(&sheet);
			before = resident_kib();
		}
	}
	sheet_same(&sheet);
	check(resident_kib() - before < 8L * 1024);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(root_to_task),
	CASE(task_to_root),
	CASE(task_to_task),
	CASE(owner_has_ended),
	CASE_PROCESS(owner_is_a_plain_program),
	CASE(errors),
	CASE(market_of_all),
	CASE(market_of_threads),
	CASE(freed_memory_is_used_again),
	CASE(freed_memory_is_used_again_in_task),
	CASE(mappings),
	CASE(given_back),
};

int main(int argc, char **argv)
{
	if (HARNESS_ASAN)
		harness_skip("AddressSanitizer's malloc() and free() know nothing of other tasks");
	return harness_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
