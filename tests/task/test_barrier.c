/* test_barrier.c - barriers and locks that tasks share, PiP's own and those of pthreads. */
#include <errno.h>
#include <pthread.h>

#include "root.h"
#include "../prog/meet.h"

#define TASKS 8

static struct meet meeting;

static void start_tasks(const char *function, int n)
{
	for (int i = 0; i < n; i++)
		check_int(task_func(PROG("meet"), function, &meeting), i);
}

static void end_tasks(int n)
{
	for (int i = 0; i < n; i++)
		task_exits(i, 0);
}

static void layout(void)
{
	check_int(sizeof(pip_barrier_t), 80);
	check_int(offsetof(pip_barrier_t, count_init), 0);
	check_int(offsetof(pip_barrier_t, count), 4);
	check_int(offsetof(pip_barrier_t, gsense), 8);
	check_int(offsetof(pip_barrier_t, semaphore), 16);
}

static void errors(void)
{
	pip_barrier_t barrier;

	check_int(pip_barrier_init(&barrier, 1), EPERM);
	check_int(pip_barrier_init(&barrier, 0), EPERM);
	root_init(1);
	check_int(pip_barrier_init(&barrier, 0), EINVAL);
	check_int(pip_barrier_init(&barrier, -1), EINVAL);
	check_int(pip_barrier_init(&barrier, 1), 0);
	task_exits(task_func(PROG("meet"), "meet_errors", NULL), 0);
	root_fin();
	check_int(pip_barrier_fin(&barrier), EPERM);
}

/* A barrier for one never waits; nobody asks whether the library is effective. */
static void alone(void)
{
	pip_barrier_t barrier;

	root_init(1);
	check_int(pip_barrier_init(&barrier, 1), 0);
	for (int i = 0; i < 1000; i++)
		check_int(pip_barrier_wait(&barrier), 0);
	check_int(pip_barrier_fin(&barrier), 0);
	root_fin();
	check_int(pip_barrier_wait(&barrier), 0);
}

/* The barrier lies among other things: nothing beside its 80 bytes is written. */
static void within_its_bytes(void)
{
	struct {
		unsigned char before[64];
		pip_barrier_t barrier;
		unsigned char after[64];
	} b;

	memset(&b, 0x5a, sizeof(b));
	root_init(1);
	check_int(pip_barrier_init(&b.barrier, 1), 0);
	for (int i = 0; i < 10; i++)
		check_int(pip_barrier_wait(&b.barrier), 0);
	check_int(pip_barrier_fin(&b.barrier), 0);
	for (int i = 0; i < 64; i++)
		check(b.before[i] == 0x5a && b.after[i] == 0x5a);
	root_fin();
}

static void tasks_only(void)
{
	root_init(TASKS);
	meeting = (struct meet){ .tasks = TASKS, .rounds = 2000, .barrier = &meeting.own };
	check_int(pip_barrier_init(&meeting.own, TASKS), 0);
	start_tasks("meet_barrier", TASKS);
	end_tasks(TASKS);
	check_int(meeting.wrong, 0);
	check_int(pip_barrier_fin(&meeting.own), 0);
	root_fin();
}

static void root_and_tasks(void)
{
	struct proof proof;

	root_init(TASKS);
	proof_begin(&proof);
	meeting = (struct meet){ .tasks = TASKS + 1, .rounds = 2000, .barrier = &meeting.own };
	check_int(pip_barrier_init(&meeting.own, TASKS + 1), 0);
	start_tasks("meet_barrier", TASKS);
	for (int i = 0; i < TASKS; i++)
		proof_task(&proof, task_pid(i));
	meet_rounds(&meeting);
	for (int i = 0; i < TASKS; i++) {
		task_exits(i, 0);
		proof_collected(&proof);
	}
	proof_end(&proof, TASKS);
	check_int(meeting.wrong, 0);
	check_int(pip_barrier_fin(&meeting.own), 0);
	root_fin();
}

/* Two barriers in turn, one of them on the heap. */
static void two_barriers(void)
{
	pip_barrier_t *second = malloc(sizeof(*second));

	root_init(TASKS);
	meeting = (struct meet){
		.tasks = TASKS + 1, .rounds = 1000, .barrier = &meeting.own, .second = second
	};
	check_int(pip_barrier_init(&meeting.own, TASKS + 1), 0);
	check_int(pip_barrier_init(second, TASKS + 1), 0);
	start_tasks("meet_barrier", TASKS);
	meet_rounds(&meeting);
	end_tasks(TASKS);
	check_int(meeting.wrong, 0);
	check_int(pip_barrier_fin(second), 0);
	free(second);
	root_fin();
}

/* With more participants than CPUs, and with two only. */
static void several_sizes(void)
{
	const int sizes[] = { 2, 3, MEET_MAX };

	root_init(MEET_MAX);
	for (int i = 0; i < LENGTH(sizes); i++) {
		meeting =
			(struct meet){ .tasks = sizes[i], .rounds = 300, .barrier = &meeting.own };
		check_int(pip_barrier_init(&meeting.own, sizes[i]), 0);
		for (int n = 0; n < sizes[i]; n++)
			task_func(PROG("meet"), "meet_barrier", &meeting);
		for (int n = 0; n < sizes[i]; n++) {
			int status;

			check_int(pip_wait_any(NULL, &status), 0);
			check_int(status, 0);
		}
		check_int(meeting.wrong, 0);
		check_int(pip_barrier_fin(&meeting.own), 0);
	}
	root_fin();
}

static void in_tasks_memory(void)
{
	root_init(TASKS);
	meeting = (struct meet){ .tasks = TASKS, .rounds = 500 };
	start_tasks("meet_at_tasks", TASKS);
	end_tasks(TASKS);
	root_fin();
}

static bool all_sleep(int n)
{
	for (int i = 0; i < n; i++)
		if (process_state(task_pid(i)) != 'S')
			return false;
	return true;
}

/* Who waits sleeps, and nobody may finish with the barrier meanwhile. */
static void waiters(void)
{
	long cpu = 0;

	root_init(TASKS);
	meeting = (struct meet){ .tasks = TASKS + 1, .rounds = 1, .barrier = &meeting.own };
	check_int(pip_barrier_init(&meeting.own, TASKS + 1), 0);
	start_tasks("meet_barrier", TASKS);
	check(retry(meeting.next == TASKS && all_sleep(TASKS)));
	check_int(pip_barrier_fin(&meeting.own), EBUSY);
	for (int i = 0; i < TASKS; i++)
		cpu -= process_cpu_ms(task_pid(i));
	sleep_ms(500);
	for (int i = 0; i < TASKS; i++)
		cpu += process_cpu_ms(task_pid(i));
	check(cpu < 100);
	check(all_sleep(TASKS));
	meet_rounds(&meeting);
	end_tasks(TASKS);
	check_int(meeting.wrong, 0);
	check_int(pip_barrier_fin(&meeting.own), 0);
	root_fin();
}

static void pthread_objects(void)
{
	root_init(TASKS);
	meeting = (struct meet){ .rounds = 500 };
	check_int(pthread_mutex_init(&meeting.mutex, NULL), 0);
	check_int(pthread_barrier_init(&meeting.pthread_barrier, NULL, TASKS + 1), 0);
	start_tasks("meet_pthread", TASKS);
	for (int i = 0; i < meeting.rounds; i++) {
		int rc = pthread_barrier_wait(&meeting.pthread_barrier);

		check(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
		check_int(pthread_mutex_lock(&meeting.mutex), 0);
		meeting.counter++;
		check_int(pthread_mutex_unlock(&meeting.mutex), 0);
	}
	end_tasks(TASKS);
	check_int(meeting.counter, 500L * (TASKS + 1));
	root_fin();
}

static void pthread_conditions(void)
{
	root_init(TASKS);
	meeting = (struct meet){ 0 };
	check_int(pthread_mutex_init(&meeting.mutex, NULL), 0);
	check_int(pthread_cond_init(&meeting.cond, NULL), 0);
	check_int(sem_init(&meeting.semaphore, 0, 0), 0);
	start_tasks("meet_cond", TASKS);
	check(retry(meeting.next == TASKS));
	check_int(pthread_mutex_lock(&meeting.mutex), 0);
	meeting.late = 1;
	check_int(pthread_cond_broadcast(&meeting.cond), 0);
	check_int(pthread_mutex_unlock(&meeting.mutex), 0);
	for (int i = 0; i < TASKS; i++)
		check_int(sem_wait(&meeting.semaphore), 0);
	check_int(meeting.counter, TASKS);
	end_tasks(TASKS);
	root_fin();
}

static void library_locks(void)
{
	enum {
		ROUNDS = 5000
	};

	/* Before and after they do nothing. */
	pip_libc_lock();
	pip_libc_unlock();
	pip_universal_lock();
	pip_universal_unlock();
	root_init(TASKS);
	meeting = (struct meet){ .rounds = ROUNDS };
	start_tasks("meet_locks", TASKS);
	for (int i = 0; i < ROUNDS; i++) {
		pip_libc_lock();
		pip_libc_lock();
		meeting.counter++;
		pip_libc_unlock();
		pip_libc_unlock();
		pip_universal_lock();
		meeting.late++;
		pip_universal_unlock();
	}
	end_tasks(TASKS);
	check_int(meeting.counter, (long)ROUNDS * (TASKS + 1));
	check_int(meeting.late, (long)ROUNDS * (TASKS + 1));
	root_fin();
	pip_universal_lock();
	pip_universal_unlock();
}

/* A task that is killed leaves no lock held. */
static void locks_of_the_dead(void)
{
	root_init(1);
	for (int i = 0; i < 3; i++) {
		meeting = (struct meet){ 0 };
		start_tasks("meet_hold_locks", 1);
		check(retry(meeting.next == 1));
		check_int(pip_kill(0, SIGKILL), 0);
		task_signaled(0, SIGKILL);
		pip_libc_lock();
		pip_universal_lock();
		pip_universal_unlock();
		pip_libc_unlock();
	}
	root_fin();
}

static void atomic_words(void)
{
	enum {
		ROUNDS = 20000
	};

	root_init(4);
	meeting = (struct meet){ .rounds = ROUNDS };
	start_tasks("meet_spin", 4);
	end_tasks(4);
	check_int(meeting.late, 4L * ROUNDS);
	check_int(meeting.counter, 8L * ROUNDS);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(layout),          CASE(errors),
	CASE(alone),           CASE(within_its_bytes),
	CASE(tasks_only),      CASE(root_and_tasks),
	CASE(two_barriers),    CASE_PRIVATE(several_sizes),
	CASE(in_tasks_memory), CASE(waiters),
	CASE(pthread_objects), CASE(pthread_conditions),
	CASE(library_locks),   CASE(locks_of_the_dead),
	CASE(atomic_words),
};

TEST_MAIN(tests)
