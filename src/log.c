/* log.c - messages to the user.  Entry functions: log_err(), log_warn(), log_info(). */
#include "log.h"

#include <errno.h>
#include <pip/pip.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "embryo/thread.h"
#include "self.h"
#include "space.h"

/* R root, T<n> task n, - none, * a slot that is not in use. */
static int name_of(char *buf, size_t size, const struct task *t)
{
	if (!t)
		return snprintf(buf, size, "-");
	if (t->root_slot == t->slot)
		return snprintf(buf, size, "R");
	if (atomic_load(&t->state) != TASK_LIVE && atomic_load(&t->state) != TASK_CLAIMED)
		return snprintf(buf, size, "*");
	return snprintf(buf, size, "T%d", t->pipid);
}

/* Whose kernel thread this is: in a hook it is not the one whose code runs. */
static const struct task *thread_owner(void)
{
	const struct task *t = self_task();
	pid_t pid = sys_getpid();

	if (t && t->mode == PIP_MODE_PTHREAD && task_is_mine(t)) {
		const struct task *owner = thread_task(t->space);

		return owner ? owner : &t->space->task[t->root_slot];
	}
	if (!t || task_is_mine(t))
		return t;
	for (uint32_t i = 0; i < atomic_load(&t->space->nslots); i++)
		if (atomic_load(&t->space->task[i].pid) == pid)
			return &t->space->task[i];
	return NULL;
}

size_t log_id(char *buf, size_t size)
{
	char thread[16], code[16];
	int n;

	name_of(thread, sizeof(thread), thread_owner());
	name_of(code, sizeof(code), self_task());
	n = snprintf(buf, size, "%d(%s):%s", sys_gettid(), thread, code);
	return n < 0 || (size_t)n >= size ? 0 : size - (size_t)n;
}

size_t log_format(char buf[LOG_MAX], const char *level, const char *format, va_list ap)
{
	char id[64];
	int n, m;

	log_id(id, sizeof(id));
	n = snprintf(buf, LOG_MAX - 1, "%s[%s] ", level, id);
	m = vsnprintf(buf + n, LOG_MAX - 1 - (size_t)n, format, ap);
	if (m < 0)
		m = 0;
	n = n + m < LOG_MAX - 2 ? n + m : LOG_MAX - 2;
	buf[n++] = '\n';
	buf[n] = '\0';
	return (size_t)n;
}

static bool quiet(void)
{
	const struct task *t = self_task();

	return t ? t->quiet : getenv("PIP_QUIET") != NULL;
}

__attribute__((format(printf, 2, 0))) static void say(const char *level, const char *format,
						      va_list ap)
{
	int saved = errno;
	char buf[LOG_MAX];

	if (!quiet()) {
		size_t n = log_format(buf, level, format, ap);

		sys_write(STDERR_FILENO, buf, n);
	}
	errno = saved;
}

#define SAY(function, level)                                                                       \
	void function(const char *format, ...)                                                     \
	{                                                                                          \
		va_list ap;                                                                        \
		va_start(ap, format);                                                              \
		say(level, format, ap);                                                            \
		va_end(ap);                                                                        \
	}

SAY(log_info, "PiP-INFO")
SAY(log_warn, "PiP-WARN")
SAY(log_err, "PiP-ERR")
