/*
 * replay.c - feeds every file of a folder to a fuzz target, without libFuzzer: what fuzzing has
 * found once stays tested in every build.  Usage: replay_TARGET FOLDER.  Prints TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The buffer is exactly as long as the input, so that a sanitizer sees a read beyond it. */
static void replay(FILE *file)
{
	uint8_t *data;
	long size;

	if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
		perror("replay");
		exit(1);
	}
	rewind(file);
	data = malloc((size_t)size);
	if ((!data && size != 0) || fread(data, 1, (size_t)size, file) != (size_t)size) {
		fprintf(stderr, "replay: cannot read the input\n");
		exit(1);
	}
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
}

int main(int argc, char **argv)
{
	struct dirent **entry;
	char path[4096];
	int n, done = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	n = scandir(argv[1], &entry, NULL, alphasort);
	if (n < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 0; i < n; free(entry[i++])) {
		FILE *file;

		if (entry[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry[i]->d_name);
		file = fopen(path, "rb");
		if (!file) {
			perror(path);
			return 1;
		}
		/* Named before, so that a crash shows whose it is. */
		printf("# %s\n", entry[i]->d_name);
		fflush(stdout);
		replay(file);
		fclose(file);
		printf("ok %d - %s\n", ++done, entry[i]->d_name);
	}
	free(entry);
	printf("1..%d\n", done);
	return done == 0;
}
