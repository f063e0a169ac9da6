/*
 * waits.c - stays alive until it is told to go.  Arguments: two descriptors.  A byte is written to
 * the first once main() runs; the end of file on the second ends the program.
 */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte = 0;

	if (argc != 3 || write(atoi(argv[1]), &byte, 1) != 1)
		return EXIT_FAILURE;
	return read(atoi(argv[2]), &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
