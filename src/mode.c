/* mode.c - which mode a root runs its tasks in.  Entry function: mode_negotiate(). */
#include "mode.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include <pip/pip.h>

#include "log.h"
#include "shim.h"

enum wish {
	WISH_ANY,
	WISH_PROCESS,
	WISH_PRELOAD,
	WISH_PIPCLONE,
	WISH_THREAD,
	WISH_GOT,
	WISH_BAD
};

static enum wish wish_of_environment(const char *value)
{
	static const struct {
		const char *value;
		enum wish wish;
	} known[] = {
		{ "", WISH_ANY },
		{ PIP_ENV_MODE_PROCESS, WISH_PROCESS },
		{ PIP_ENV_MODE_PROCESS_PRELOAD, WISH_PRELOAD },
		{ PIP_ENV_MODE_PROCESS_PIPCLONE, WISH_PIPCLONE },
		{ PIP_ENV_MODE_PROCESS_GOT, WISH_GOT },
		{ PIP_ENV_MODE_THREAD, WISH_THREAD },
		{ PIP_ENV_MODE_PTHREAD, WISH_THREAD },
	};

	for (size_t i = 0; value && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(value, known[i].value) == 0)
			return known[i].wish;
	return value ? WISH_BAD : WISH_ANY;
}

static int have(enum wish wish, uint32_t *modep)
{
	switch (wish) {
	case WISH_ANY:
	case WISH_PROCESS:
		*modep = shim_is_preloaded() ? PIP_MODE_PROCESS_PRELOAD : PIP_MODE_PROCESS_PIPCLONE;
		return 0;
	case WISH_PIPCLONE:
		*modep = PIP_MODE_PROCESS_PIPCLONE;
		return 0;
	case WISH_PRELOAD:
		if (!shim_is_preloaded()) {
			log_err("mode process:preload needs libpip-preload.so in LD_PRELOAD; "
				"use PIP_MODE=process:pipclone or no PIP_MODE");
			return -EPERM;
		}
		*modep = PIP_MODE_PROCESS_PRELOAD;
		return 0;
	case WISH_THREAD:
		*modep = PIP_MODE_PTHREAD;
		return 0;
	case WISH_GOT: /* the same interception, put in by the root itself */
		*modep = PIP_MODE_PROCESS_PRELOAD;
		return 0;
	case WISH_BAD:
	default:
		return -EPERM;
	}
}

bool mode_intercepts(void)
{
	const char *value = getenv(PIP_ENV_MODE);

	switch (wish_of_environment(value)) {
	case WISH_ANY:
	case WISH_PROCESS:
	case WISH_PRELOAD:
	case WISH_GOT:
		return true;
	case WISH_THREAD:
		log_warn("PIP_MODE=%s is not possible under an unmodified launcher; "
			 "its children are ordinary processes",
			 value);
		return false;
	case WISH_BAD:
		log_warn("unknown environment setting PIP_MODE='%s'; "
			 "the launcher's children are ordinary processes",
			 value);
		return false;
	case WISH_PIPCLONE:
	default:
		return false;
	}
}

int mode_negotiate(int opts, uint32_t *modep)
{
	const char *value = getenv(PIP_ENV_MODE);
	enum wish env = wish_of_environment(value);
	uint32_t asked = (uint32_t)opts & PIP_MODE_MASK;

	switch (asked) {
	case 0:
	case PIP_MODE_PROCESS:
		if (env == WISH_BAD || (asked && env == WISH_THREAD)) {
			log_warn("unknown environment setting PIP_MODE='%s'", value);
			return -EPERM;
		}
		if (asked && env == WISH_GOT)
			return -EINVAL;
		return have(env, modep);
	case PIP_MODE_PROCESS_PRELOAD:
		if (env != WISH_ANY && env != WISH_PROCESS && env != WISH_PRELOAD)
			return -EPERM;
		return have(WISH_PRELOAD, modep);
	case PIP_MODE_PROCESS_PIPCLONE:
		if (env != WISH_ANY && env != WISH_PROCESS && env != WISH_PIPCLONE)
			return -EPERM;
		return have(WISH_PIPCLONE, modep);
	case PIP_MODE_PTHREAD:
		if (env != WISH_ANY && env != WISH_THREAD)
			return -EPERM;
		return have(WISH_THREAD, modep);
	case PIP_MODE_PROCESS_GOT_OBS:
		log_err("process:got mode is obsolete");
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

const char *mode_name(uint32_t mode)
{
	switch (mode) {
	case PIP_MODE_PTHREAD:
		return PIP_ENV_MODE_PTHREAD;
	case PIP_MODE_PROCESS_PRELOAD:
		return PIP_ENV_MODE_PROCESS_PRELOAD;
	case PIP_MODE_PROCESS_PIPCLONE:
		return PIP_ENV_MODE_PROCESS_PIPCLONE;
	default:
		return NULL;
	}
}

char mode_mark(uint32_t mode)
{
	switch (mode) {
	case PIP_MODE_PTHREAD:
		return '|';
	case PIP_MODE_PROCESS_PRELOAD:
		return ':';
	case PIP_MODE_PROCESS_PIPCLONE:
		return ';';
	default:
		return '?';
	}
}
