/* small.c - the least program: something to be damaged. */
int main(void)
{
	return 0;
}
