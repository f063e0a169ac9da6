/*
 * lends.c - lends its memory to others by XPMEM.  Arguments: two descriptors and a size.  To the
 * first it writes a struct loan; the end of file on the second ends the program.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lends.h"

int main(int argc, char **argv)
{
	size_t size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	static struct loan loan; /* it is lent for as long as the program runs */

	loan.memory = size ? malloc(size) : NULL;
	if (!loan.memory)
		return EXIT_FAILURE;
	memset(loan.memory, 1, size);
	loan.segid = xpmem_make(0, XPMEM_MAXADDR_SIZE, XPMEM_PERMIT_MODE, (void *)0600);
	if (loan.segid == -1 || write(atoi(argv[1]), &loan, sizeof(loan)) != sizeof(loan))
		return EXIT_FAILURE;
	return read(atoi(argv[2]), &loan, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
