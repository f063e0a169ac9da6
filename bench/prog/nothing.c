/* nothing.c - a program that does nothing: what remains is what it costs to start and end one. */
int main(void)
{
	return 0;
}
