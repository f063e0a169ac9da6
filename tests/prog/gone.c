/* gone.c - a library that a copy of needs_gone.c elsewhere does not find. */
int gone_number(void);

int gone_number(void)
{
	return 0;
}
