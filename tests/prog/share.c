/* share.c - tasks that export and import addresses; share.h has their arguments. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "prog.h"
#include "share.h"

static void *untouched = &untouched;

START(share_import)
{
	struct import *i = arg;

	i->value = untouched;
	i->here = 1;
	i->rc = i->name ? pip_named_import(i->from, &i->value, "%s", i->name)
			: pip_named_import(i->from, &i->value, NULL);
	if (i->value == untouched)
		i->value = NULL;
	else
		EXPECT_INT(i->rc, 0);
	i->done = 1;
	return 0;
}

static struct import *interrupted;

static void handler(int signum)
{
	(void)signum;
	interrupted->handled++;
}

/* The same, with a signal handler that does not restart system calls. */
START(share_import_interrupted)
{
	struct sigaction sa = { .sa_handler = handler };

	interrupted = arg;
	EXPECT_INT(sigaction(SIGUSR1, &sa, NULL), 0);
	return share_import(arg);
}

START(share_exports)
{
	struct exports *e = arg;

	usleep((unsigned)e->delay_ms * 1000);
	for (int i = 0; i < 4 && e->name[i]; i++)
		EXPECT_INT(pip_named_export(e->value[i], "%s", e->name[i]), 0);
	if (e->anonymous)
		EXPECT_INT(pip_export(e->anonymous), 0);
	e->done = 1;
	WAIT_FOR(e->leave);
	return 0;
}

/* What an exporter may and may not do, whoever it is. */
START(share_rules)
{
	void *value = untouched;
	int here, other, me;

	(void)arg;
	EXPECT_INT(pip_get_pipid(&me), 0);
	/* Missing at home: nobody would ever end the wait. */
	EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &value, "name"), EDEADLK);
	EXPECT_INT(pip_named_import(me, &value, "name"), EDEADLK);
	EXPECT_INT(pip_named_tryimport(PIP_PIPID_MYSELF, &value, "name"), EDEADLK);
	EXPECT_INT(pip_named_tryimport(me, &value, NULL), EDEADLK);
	EXPECT(value == untouched);

	EXPECT_INT(pip_named_export(&here, "name"), 0);
	EXPECT_INT(pip_named_export(&other, "name"), EBUSY);
	EXPECT_INT(pip_named_export(&here, "%c%s", 'n', "ame"), EBUSY);
	EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &value, "name"), 0);
	EXPECT(value == &here);
	value = untouched;
	EXPECT_INT(pip_named_tryimport(me, &value, "n%s", "ame"), 0);
	EXPECT(value == &here);
	EXPECT_INT(pip_named_import(me, NULL, "name"), 0);
	EXPECT_INT(pip_named_tryimport(me, NULL, "name"), 0);

	/* NULL is an address as any other. */
	EXPECT_INT(pip_named_export(NULL, "null"), 0);
	EXPECT_INT(pip_named_export(NULL, "null"), EBUSY);
	EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &value, "null"), 0);
	EXPECT(value == NULL);

	/* The empty name is one name, however it is spelled. */
	EXPECT_INT(pip_named_export(&other, NULL), 0);
	EXPECT_INT(pip_named_export(&other, "%s", ""), EBUSY);
	EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &value, "%s", ""), 0);
	EXPECT(value == &other);
	value = untouched;
	EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &value, NULL), 0);
	EXPECT(value == &other);
	return 0;
}

/* Names that are long, and differ at their end or in their case. */
START(share_long_names)
{
	enum {
		LONG = 5000
	};
	static char name[LONG + 1];
	void *value = NULL;

	(void)arg;
	memset(name, 'x', LONG);
	for (int i = 0; i < 10; i++) {
		name[LONG - 1] = (char)('0' + i);
		EXPECT_INT(pip_named_export(name + i, "%s", name), 0);
	}
	for (int i = 0; i < 10; i++) {
		name[LONG - 1] = (char)('0' + i);
		EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &value, "%s", name), 0);
		EXPECT(value == name + i);
	}
	EXPECT_INT(pip_named_export(name, "name"), 0);
	EXPECT_INT(pip_named_export(name, "Name"), 0);
	EXPECT_INT(pip_named_export(name, "name "), 0);
	EXPECT_INT(pip_named_export(name, "nam"), 0);
	return 0;
}

/*
 * Each task of a ring gives its neighbour an address under each of many names, which hands it on as
 * its own: what comes round again is what went out.
 */
START(share_ring)
{
	static int home[RING_NAMES];
	int me, left;

	(void)arg;
	EXPECT_INT(pip_get_pipid(&me), 0);
	left = (me + RING_TASKS - 1) % RING_TASKS;
	for (int n = 0; n < RING_NAMES; n++) {
		void *value = NULL;

		/* Each starts some of them. */
		if (n % RING_TASKS == me)
			EXPECT_INT(pip_named_export(&home[n], "ring %d", n), 0);
		EXPECT_INT(pip_named_import(left, &value, "ring %d", n), 0);
		if (n % RING_TASKS == me)
			EXPECT(value == &home[n]);
		else
			EXPECT_INT(pip_named_export(value, "ring %d", n), 0);
	}
	/* What is exported must outlive those who read it. */
	EXPECT_INT(pip_named_export(NULL, "done"), 0);
	for (int i = 0; i < RING_TASKS; i++)
		EXPECT_INT(pip_named_import(i, NULL, "done"), 0);
	return 0;
}

/* The anonymous slot. */
START(share_anonymous)
{
	void *value = untouched;

	(void)arg;
	EXPECT_INT(pip_export(NULL), EINVAL);
	EXPECT_INT(pip_import(PIP_PIPID_MYSELF, &value), 0);
	EXPECT(value == NULL);
	EXPECT_INT(pip_export(&value), 0);
	EXPECT_INT(pip_export(&value), EBUSY);
	EXPECT_INT(pip_export(&untouched), EBUSY);
	EXPECT_INT(pip_export(NULL), EINVAL);
	EXPECT_INT(pip_import(PIP_PIPID_MYSELF, &value), 0);
	EXPECT(value == &value);
	return 0;
}

int main(void)
{
	return EXPECT_FAILED;
}
