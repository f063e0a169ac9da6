/* needs_gone.c - a program that cannot be loaded without its library, gone.c. */
int gone_number(void);

int main(void)
{
	return gone_number();
}
