/* other.c - a library to put in the place of gone.c that lacks what its users need. */
int other_number(void);

int other_number(void)
{
	return 0;
}
