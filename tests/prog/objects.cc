/*
 * objects.cc - C++ in tasks: exceptions, streams, threads, and objects that one task makes and
 * another deletes.
 */
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pip/pip.h>

namespace
{

struct global {
	std::string text = "made before main";
	~global()
	{
		std::cout << "global gone" << std::endl;
	}
} a_global;

thread_local std::string per_thread = "fresh";

/* Has pieces of its own on the heap. */
struct object {
	virtual ~object() = default;
	std::string name = std::string(100, 'n');
	std::vector<std::string> more =
		std::vector<std::string>(100, "something not very short at all");
	std::map<int, std::unique_ptr<int>> tree;
};

int language()
{
	std::ostringstream out;

	if (a_global.text != "made before main")
		return 1;
	for (int i = 0; i < 100; i++) {
		try {
			std::vector<int>().at(5);
			return 2;
		} catch (const std::out_of_range &) {
		}
		try {
			throw std::runtime_error("text");
		} catch (const std::exception &e) {
			if (e.what() != std::string("text"))
				return 3;
		}
	}
	std::atomic<int> sum{ 0 };
	std::vector<std::thread> threads;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&sum, i] {
			if (per_thread == "fresh")
				sum += i;
			per_thread = "used";
			try {
				throw i;
			} catch (int n) {
				sum += n;
			}
		});
	for (auto &thread : threads)
		thread.join();
	if (sum != 12 || per_thread != "fresh")
		return 4;
	out << 1.5 << ' ' << "text" << ' ' << 42;
	return out.str() == "1.5 text 42" ? 0 : 5;
}

} // namespace

/* Makes objects, exports them, and stays until they are gone. */
extern "C" int objects_make(void *);
extern "C" int objects_make(void *arg)
{
	auto *count = static_cast<std::atomic<int> *>(arg);

	for (int i = 0; i < 100; i++) {
		auto *made = new object;
		for (int n = 0; n < 20; n++)
			made->tree[n] = std::make_unique<int>(n);
		if (pip_named_export(made, "object %d", i))
			return 1;
	}
	while (*count < 100)
		std::this_thread::yield();
	return 0;
}

/* Deletes what another has made. */
extern "C" int objects_delete(void *);
extern "C" int objects_delete(void *arg)
{
	auto *count = static_cast<std::atomic<int> *>(arg);

	for (int i = 0; i < 100; i++) {
		void *made;
		if (pip_named_import(0, &made, "object %d", i))
			return 1;
		auto *object = static_cast<struct object *>(made);
		if (object->name.size() != 100 || object->more.size() != 100 ||
		    *object->tree[7] != 7)
			return 2;
		object->name += " and more";
		delete object;
		++*count;
	}
	return 0;
}

int main()
{
	return language();
}
