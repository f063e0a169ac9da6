/* test_export.c - named exports and imports, the anonymous export, and that they never mix. */
#include <errno.h>
#include <pthread.h>

#include "root.h"
#include "../prog/api.h"
#include "../prog/share.h"

static int some, other;

/* An import started in a task. */
static int importer(struct import *i, int from, const char *name)
{
	memset(i, 0, sizeof(*i));
	i->from = from;
	i->name = name;
	return task_func(PROG("share"), "share_import", i);
}

/* It is waiting, as far as one can see. */
static void still_waits(struct import *i, int pipid)
{
	check(retry(i->here));
	check(retry(process_state(task_pid(pipid)) == 'S'));
	sleep_ms(50);
	check_int(i->done, 0);
	check(retry(process_state(task_pid(pipid)) == 'S'));
}

static void import_gives(struct import *i, int pipid, int rc, void *value)
{
	check(retry(i->done));
	check_int(i->rc, rc);
	check_ptr(i->value, value);
	task_exits(pipid, 0);
}

/* ---- Named ---- */

static void not_initialized(void)
{
	void *value = &some;

	for (int i = 0; i < 2; i++) {
		check_int(pip_named_export(&some, "name"), EPERM);
		check_int(pip_named_import(0, &value, "name"), EPERM);
		check_int(pip_named_import(PIP_PIPID_ANY, &value, "name"), EPERM);
		check_int(pip_named_tryimport(-123, &value, "name"), EPERM);
		check_int(pip_export(&some), EPERM);
		check_int(pip_export(NULL), EPERM);
		check_int(pip_import(0, &value), EPERM);
		check_ptr(value, &some);
		root_init(1);
		root_fin();
	}
}

static void bad_pipid(void)
{
	static const struct {
		int pipid, want;
	} bad[] = {
		{ PIP_PIPID_ANY, EINVAL }, { PIP_PIPID_NULL, EINVAL }, { -1, ERANGE },
		{ -123, ERANGE },          { PIP_MAGIC_NUM, ERANGE },  { 3, ERANGE },
		{ 100000, ERANGE },
	};
	void *value = &some;

	root_init(3);
	for (int i = 0; i < LENGTH(bad); i++) {
		check_int(pip_named_import(bad[i].pipid, &value, "name"), bad[i].want);
		check_int(pip_named_tryimport(bad[i].pipid, &value, "name"), bad[i].want);
		check_int(pip_import(bad[i].pipid, &value), bad[i].want);
		check_ptr(value, &some);
	}
	root_fin();
}

static void rules_in_root(void)
{
	void *value = &some;

	root_init(1);
	check_int(pip_named_import(PIP_PIPID_MYSELF, &value, "name"), EDEADLK);
	check_int(pip_named_import(PIP_PIPID_ROOT, &value, "name"), EDEADLK);
	check_int(pip_named_tryimport(PIP_PIPID_ROOT, &value, "name"), EDEADLK);
	check_ptr(value, &some);
	check_int(pip_named_export(&other, "name"), 0);
	check_int(pip_named_export(&other, "name"), EBUSY);
	check_int(pip_named_import(PIP_PIPID_ROOT, &value, "name"), 0);
	check_ptr(value, &other);
	check_int(pip_named_export(NULL, NULL), 0);
	check_int(pip_named_export(&some, "%s", ""), EBUSY);
	check_int(pip_named_import(PIP_PIPID_ROOT, &value, "%s", ""), 0);
	check_ptr(value, NULL);
	root_fin();
	/* The next root begins anew. */
	root_init(1);
	check_int(pip_named_tryimport(PIP_PIPID_ROOT, &value, "name"), EDEADLK);
	check_int(pip_named_export(&some, "name"), 0);
	root_fin();
}

/* Two tasks one after the other, which have the same names; so has the root. */
static void rules_in_task(void)
{
	root_init(2);
	check_int(pip_named_export(&some, "name"), 0);
	for (int i = 0; i < 3; i++)
		task_exits(task_func(PROG("share"), "share_rules", NULL), 0);
	root_fin();
}

static void long_names(void)
{
	root_init(1);
	for (int i = 0; i < 2; i++)
		task_exits(task_func(PROG("share"), "share_long_names", NULL), 0);
	root_fin();
}

static void from_root(void)
{
	struct import i;
	int pipid;

	root_init(1);
	check_int(pip_named_export(&some, "name %d", 1), 0);
	pipid = importer(&i, PIP_PIPID_ROOT, "name 1");
	import_gives(&i, pipid, 0, &some);
	check_int(pip_named_export(&other, NULL), 0);
	pipid = importer(&i, PIP_PIPID_ROOT, NULL);
	import_gives(&i, pipid, 0, &other);
	pipid = importer(&i, PIP_PIPID_ROOT, "");
	import_gives(&i, pipid, 0, &other);
	root_fin();
}

/* The task sleeps until the root exports just this name. */
static void waits_for_root(void)
{
	struct import i;
	int pipid;

	root_init(1);
	pipid = importer(&i, PIP_PIPID_ROOT, "late");
	still_waits(&i, pipid);
	check_int(pip_named_export(&other, "early"), 0);
	still_waits(&i, pipid);
	check_int(pip_named_export(&some, "late"), 0);
	import_gives(&i, pipid, 0, &some);
	root_fin();
}

static void waits_for_task(void)
{
	struct exports e = { .name = { "name" }, .value = { &some }, .delay_ms = 200 };
	void *value = NULL;
	double start;
	int pipid;

	root_init(1);
	start = now_seconds();
	pipid = task_func(PROG("share"), "share_exports", &e);
	check_int(pip_named_tryimport(pipid, &value, "name"), EAGAIN);
	check_ptr(value, NULL);
	check_int(pip_named_import(pipid, &value, "name"), 0);
	check(now_seconds() - start > 0.15);
	check_ptr(value, &some);
	e.leave = 1;
	task_exits(pipid, 0);
	root_fin();
}

/* From a PIPID that has not been spawned yet. */
static void waits_for_spawn(void)
{
	struct exports e = { .name = { "name" }, .value = { &some } };
	struct import i;
	int first, second;

	root_init(2);
	check_int(pip_named_tryimport(1, NULL, "name"), EAGAIN);
	first = importer(&i, 1, "name");
	check_int(first, 0);
	still_waits(&i, first);
	second = task_func(PROG("share"), "share_exports", &e);
	check_int(second, 1);
	import_gives(&i, first, 0, &some);
	e.leave = 1;
	task_exits(second, 0);
	root_fin();
}

/* One export wakes all who wait for it. */
static void wakes_all(void)
{
	enum {
		TASKS = 8
	};
	struct import i[TASKS];

	root_init(TASKS);
	for (int n = 0; n < TASKS; n++)
		check_int(importer(&i[n], PIP_PIPID_ROOT, n % 2 ? "odd" : "even"), n);
	for (int n = 0; n < TASKS; n++)
		still_waits(&i[n], n);
	check_int(pip_named_export(&some, "even"), 0);
	for (int n = 0; n < TASKS; n += 2)
		import_gives(&i[n], n, 0, &some);
	for (int n = 1; n < TASKS; n += 2)
		check_int(i[n].done, 0);
	check_int(pip_named_export(&other, "odd"), 0);
	for (int n = 1; n < TASKS; n += 2)
		import_gives(&i[n], n, 0, &other);
	root_fin();
}

static void names_are_per_exporter(void)
{
	struct exports e[2] = { { .name = { "name" }, .value = { &some } },
				{ .name = { "name", "more" }, .value = { &other, &e } } };
	void *value = NULL;

	root_init(2);
	check_int(pip_named_export(&value, "name"), 0);
	for (int i = 0; i < 2; i++)
		check_int(task_func(PROG("share"), "share_exports", &e[i]), i);
	for (int i = 0; i < 2; i++) {
		check_int(pip_named_import(i, &value, "name"), 0);
		check_ptr(value, i ? &other : &some);
	}
	check(retry(e[0].done));
	check_int(pip_named_tryimport(0, &value, "more"), EAGAIN);
	check_int(pip_named_import(1, &value, "more"), 0);
	check_ptr(value, &e);
	check_int(pip_named_import(PIP_PIPID_ROOT, &value, "name"), 0);
	check_ptr(value, &value);
	for (int i = 0; i < 2; i++) {
		e[i].leave = 1;
		task_exits(i, 0);
	}
	root_fin();
}

/* A handler that runs meanwhile does not end the import. */
static void signals_do_not_end_it(void)
{
	struct import i = { .from = PIP_PIPID_ROOT, .name = "name" };
	int pipid;

	root_init(1);
	pipid = task_func(PROG("share"), "share_import_interrupted", &i);
	still_waits(&i, pipid);
	for (int n = 1; n <= 20; n++) {
		check_int(pip_kill(pipid, SIGUSR1), 0);
		check(retry(i.handled == n));
	}
	still_waits(&i, pipid);
	check_int(pip_named_export(&some, "name"), 0);
	import_gives(&i, pipid, 0, &some);
	root_fin();
}

static void ring(void)
{
	root_init(RING_TASKS);
	for (int i = 0; i < RING_TASKS; i++)
		check_int(task_func(PROG("share"), "share_ring", NULL), i);
	for (int i = 0; i < RING_TASKS; i++)
		task_exits(i, 0);
	root_fin();
}

/* Names of tasks that have gone do not pile up. */
static void balance(void)
{
	static struct sheet sheet;

	root_init(2);
	for (int round = 0; round < 60; round++) {
		task_exits(task_func(PROG("share"), "share_long_names", NULL), 0);
		if (round == 4)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

/* ---- The exporter's end ---- */

/* Somebody waits for a name when the exporter ends this way; nobody collects it yet. */
static void cancelled_by(int signum)
{
	struct exports e = { .name = { "name" }, .value = { &some } };
	void *value = &other;
	int exporter, waiter;
	struct import i;

	root_init(2);
	exporter = task_func(PROG("share"), "share_exports", &e);
	waiter = importer(&i, exporter, "never");
	still_waits(&i, waiter);
	check(retry(e.done));
	if (signum)
		check_int(pip_kill(exporter, signum), 0);
	else
		e.leave = 1;
	import_gives(&i, waiter, ECANCELED, NULL);

	/* What has been exported stays, what has not never comes. */
	check_int(pip_named_import(exporter, &value, "never"), ECANCELED);
	check_int(pip_named_tryimport(exporter, &value, "never"), ECANCELED);
	check_ptr(value, &other);
	check_int(pip_named_import(exporter, &value, "name"), 0);
	check_ptr(value, &some);
	task_collect(exporter);
	value = &other;
	check_int(pip_named_import(exporter, &value, "never"), ECANCELED);
	check_int(pip_named_tryimport(exporter, &value, "never"), ECANCELED);
	check_ptr(value, &other);
	check_int(pip_named_tryimport(exporter, &value, "name"), 0);
	check_ptr(value, &some);
	root_fin();
}

static void cancelled_by_exit(void)
{
	cancelled_by(0);
}

static void cancelled_by_sigkill(void)
{
	cancelled_by(SIGKILL);
}

static void cancelled_by_sigterm(void)
{
	cancelled_by(SIGTERM);
}

/* A program that knows nothing of PiP ends, by itself, while somebody waits for it. */
static void cancelled_by_plain_task(void)
{
	struct import i;

	root_init(2);
	check_int(task_main("/bin/sleep", "0.3", NULL), 0);
	check_int(importer(&i, 0, "never"), 1);
	import_gives(&i, 1, ECANCELED, NULL);
	task_exits(0, 0);
	check_int(task_main(PROG("plain"), "_exit", "0", NULL), 0);
	check_int(importer(&i, 0, "never"), 1);
	import_gives(&i, 1, ECANCELED, NULL);
	task_exits(0, 0);
	root_fin();
}

static void *kill_later(void *arg)
{
	sleep_ms(200);
	task_kill(*(int *)arg, SIGKILL);
	return NULL;
}

/* The root itself waits, and the exporter is killed by somebody else. */
static void cancelled_in_root(void)
{
	struct exports e = { .name = { "name" }, .value = { &some } };
	void *value = &other;
	pthread_t killer;
	int exporter;

	root_init(1);
	exporter = task_func(PROG("share"), "share_exports", &e);
	check_int(pthread_create(&killer, NULL, kill_later, &exporter), 0);
	check_int(pip_named_import(exporter, &value, "never"), ECANCELED);
	check_ptr(value, &other);
	check_int(pthread_join(killer, NULL), 0);
	task_signaled(exporter, SIGKILL);
	root_fin();
}

/* The next task of that PIPID starts with no names. */
static void next_incarnation(void)
{
	struct exports e = { .name = { "name", "first" },
			     .value = { &some, &some },
			     .anonymous = &some },
		       f = { .name = { "name" }, .value = { &other } };
	void *value = NULL;

	root_init(1);
	e.leave = 1;
	task_func(PROG("share"), "share_exports", &e);
	task_exits(0, 0);
	check_int(pip_named_import(0, &value, "name"), 0);
	check_ptr(value, &some);

	f.delay_ms = 200;
	task_func(PROG("share"), "share_exports", &f);
	value = NULL;
	check_int(pip_named_tryimport(0, &value, "first"), EAGAIN);
	check_int(pip_named_tryimport(0, &value, "name"), EAGAIN);
	check_ptr(value, NULL);
	check_int(pip_named_import(0, &value, "name"), 0);
	check_ptr(value, &other);
	check_int(pip_named_tryimport(0, &value, "first"), EAGAIN);
	check_int(pip_import(0, &value), 0);
	check_ptr(value, NULL);
	f.leave = 1;
	task_exits(0, 0);
	root_fin();
}

/* ---- Anonymous ---- */

static void anonymous(void)
{
	struct exports e = { .anonymous = &some };
	void *value = &other;

	root_init(2);
	check_int(pip_import(1, &value), ESRCH);
	check_ptr(value, &other);
	check_int(pip_export(NULL), EINVAL);
	check_int(pip_import(PIP_PIPID_ROOT, &value), 0);
	check_ptr(value, NULL);
	check_int(pip_export(&other), 0);
	check_int(pip_export(&other), EBUSY);
	check_int(pip_import(PIP_PIPID_ROOT, &value), 0);
	check_ptr(value, &other);

	e.delay_ms = 100;
	task_func(PROG("share"), "share_exports", &e);
	check_int(pip_import(0, &value), 0);
	check_ptr(value, NULL);
	check(retry(e.done));
	check_int(pip_import(0, &value), 0);
	check_ptr(value, &some);
	e.leave = 1;
	task_exits(0, 0);
	value = &other;
	check_int(pip_import(0, &value), ESRCH);
	check_ptr(value, &other);
	root_fin();
}

static void anonymous_in_task(void)
{
	root_init(1);
	for (int i = 0; i < 2; i++)
		task_exits(task_func(PROG("share"), "share_anonymous", NULL), 0);
	root_fin();
}

/* root_exp, the anonymous export and the empty name are three things. */
static void never_mixed(void)
{
	void *exp = &exp, *value = NULL;

	check_int(pip_init(NULL, NULL, &exp, 0), 0);
	check_int(pip_import(PIP_PIPID_ROOT, &value), 0);
	check_ptr(value, NULL);
	check_int(pip_named_tryimport(PIP_PIPID_ROOT, &value, NULL), EDEADLK);
	check_int(pip_export(&some), 0);
	check_int(pip_named_tryimport(PIP_PIPID_ROOT, &value, NULL), EDEADLK);
	check_int(pip_named_export(&other, NULL), 0);
	check_int(pip_import(PIP_PIPID_ROOT, &value), 0);
	check_ptr(value, &some);
	check_int(pip_named_import(PIP_PIPID_ROOT, &value, NULL), 0);
	check_ptr(value, &other);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(not_initialized),
	CASE(bad_pipid),
	CASE(rules_in_root),
	CASE(rules_in_task),
	CASE(long_names),
	CASE(from_root),
	CASE(waits_for_root),
	CASE(waits_for_task),
	CASE(waits_for_spawn),
	CASE(wakes_all),
	CASE(names_are_per_exporter),
	CASE(signals_do_not_end_it),
	CASE(ring),
	CASE(balance),
	CASE(cancelled_by_exit),
	CASE(cancelled_by_sigkill),
	CASE(cancelled_by_sigterm),
	CASE(cancelled_by_plain_task),
	CASE(cancelled_in_root),
	CASE(next_incarnation),
	CASE(anonymous),
	CASE(anonymous_in_task),
	CASE(never_mixed),
};

TEST_MAIN(tests)
