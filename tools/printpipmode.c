/* printpipmode.c - prints the mode that a root has in this environment.  Entry function: main(). */
#include <stdio.h>
#include <string.h>

#include <pip/pip.h>

int main(int argc, char **argv)
{
	int err;

	if (argc > 1) {
		fprintf(stderr, "Usage: %s\n", argv[0]);
		return 2;
	}
	err = pip_init(NULL, NULL, NULL, 0);
	if (err) {
		fprintf(stderr, "pip_init() fails (%s)\n", strerror(err));
		return err;
	}
	puts(pip_get_mode_str());
	pip_fin();
	return fflush(stdout) ? 1 : 0;
}
