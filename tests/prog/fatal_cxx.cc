// fatal_cxx.cc - a C++ program that comes to a bad end in functions with long names.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

static volatile int *volatile nowhere;

namespace deep
{
struct Thing {
	virtual ~Thing() = default;
	__attribute__((noinline)) virtual int method(const std::vector<std::string> &list)
	{
		return *nowhere + static_cast<int>(list.size());
	}
};

template <typename T> __attribute__((noinline)) int call(T &thing)
{
	return thing.method({ "one", "two" }) + 1;
}
} // namespace deep

int main(int argc, char **argv)
{
	deep::Thing thing;

	if (argc > 1 && std::strcmp(argv[1], "throw") == 0)
		throw std::runtime_error("nobody catches this");
	return deep::call(thing);
}
