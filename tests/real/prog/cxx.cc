/*
 * cxx.cc - C++ that leans on its runtime: exceptions through many frames and out of threads,
 * thread_local objects with destructors, futures, call_once, dynamic_cast, locale, streams.
 */
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

namespace {

struct Counted {
	static std::mutex lock;
	static int made, gone;
	int value = 5;
	Counted()
	{
		std::lock_guard<std::mutex> hold(lock);
		made++;
	}
	~Counted()
	{
		std::lock_guard<std::mutex> hold(lock);
		gone++;
	}
};

std::mutex Counted::lock;
int Counted::made, Counted::gone;

thread_local Counted counted;
thread_local std::string name = "unnamed";

struct Early {
	std::map<std::string, int> m{ { "one", 1 }, { "two", 2 } };
	~Early()
	{
		std::cout << "static destructor, " << m.size() << std::endl;
	}
} early;

struct Base {
	virtual ~Base() = default;
	virtual int f(int x) = 0;
};

struct Derived : Base {
	std::vector<int> seen;
	int f(int x) override
	{
		seen.push_back(x);
		return x * 2;
	}
};

int dive(int depth)
{
	Counted here;
	if (depth == 0)
		throw std::out_of_range("bottom");
	return dive(depth - 1) + here.value;
}

void exceptions()
{
	int caught = 0;
	for (int i = 0; i < 200; i++) {
		try {
			dive(i % 50);
		} catch (const std::logic_error &e) {
			caught += std::string(e.what()).size();
		}
	}
	try {
		try {
			throw 7;
		} catch (int) {
			std::throw_with_nested(std::runtime_error("outer"));
		}
	} catch (const std::runtime_error &e) {
		try {
			std::rethrow_if_nested(e);
		} catch (int n) {
			std::cout << e.what() << " around " << n << "\n";
		}
	}
	std::cout << "caught " << caught << "\n";
}

void threads()
{
	std::vector<std::thread> pool;
	std::vector<std::string> names(8);
	std::vector<std::exception_ptr> errors(8);
	std::once_flag once;
	int onces = 0;

	for (int i = 0; i < 8; i++)
		pool.emplace_back([&, i] {
			name += std::to_string(i);
			counted.value += i;
			std::call_once(once, [&] { onces++; });
			names[i] = name + ":" + std::to_string(counted.value);
			try {
				dive(20 + i);
			} catch (...) {
				errors[i] = std::current_exception();
			}
		});
	for (auto &t : pool)
		t.join();
	for (int i = 0; i < 8; i++) {
		try {
			std::rethrow_exception(errors[i]);
		} catch (const std::out_of_range &e) {
			std::cout << names[i] << " " << e.what() << "\n";
		}
	}
	std::cout << "once " << onces << ", here " << name << " " << counted.value << "\n";
}

void futures()
{
	auto f = std::async(std::launch::async, [] {
		std::vector<long> v(10000);
		std::iota(v.begin(), v.end(), 1);
		return std::accumulate(v.begin(), v.end(), 0L);
	});
	auto g = std::async(std::launch::async, []() -> int { throw std::bad_alloc(); });
	std::deque<int> queue;
	std::mutex lock;
	std::condition_variable news;
	long sum = 0;
	std::thread consumer([&] {
		for (;;) {
			std::unique_lock<std::mutex> hold(lock);
			news.wait(hold, [&] { return !queue.empty(); });
			int x = queue.front();
			queue.pop_front();
			if (x < 0)
				return;
			sum += x;
		}
	});
	for (int i = 0; i < 1000; i++) {
		std::lock_guard<std::mutex> hold(lock);
		queue.push_back(i == 999 ? -1 : i);
		news.notify_one();
	}
	consumer.join();
	std::cout << "future " << f.get() << ", queue " << sum << "\n";
	try {
		g.get();
	} catch (const std::bad_alloc &e) {
		std::cout << "future threw " << typeid(e).name() << "\n";
	}
}

} // namespace

int main()
{
	std::unique_ptr<Base> b(new Derived);
	std::ostringstream out;

	exceptions();
	threads();
	futures();
	for (int i = 0; i < 100; i++)
		b->f(i);
	out << std::setw(12) << std::setfill('.') << std::fixed << std::setprecision(3)
	    << 3.14159 << " " << std::hex << std::showbase << 255;
	std::cout << out.str() << " " << dynamic_cast<Derived &>(*b).seen.size() << "\n";
	std::string all, word;
	while (std::cin >> word)
		all += word.substr(0, 1);
	std::sort(all.begin(), all.end());
	std::cout << "stdin " << all << "\n";
	std::cout << "made " << Counted::made << ", left " << Counted::made - Counted::gone
		  << std::endl;
	std::cerr << "to stderr" << std::endl;
	return 9;
}
