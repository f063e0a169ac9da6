#!/bin/bash
# test_redis.sh - a server as a task, with clients that are tasks.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check()
. "$(dirname "$0")/real.sh"

socket=$work/redis.sock

# start COMMAND... - a server, with the watchdog as its parent.
start() {
	timeout -k 5 "$limit" "$@" --port 0 --unixsocket "$socket" --dir "$work" --save '' \
		--appendonly no --io-threads 2 >server.log 2>&1 &
	watchdog=$!
	for _ in $(seq 200); do
		if [ "$(redis-cli -s "$socket" ping 2>/dev/null)" = PONG ]; then
			server=$(redis-cli -s "$socket" info server |
				sed -n 's/^process_id:\([0-9]*\).*/\1/p')
			return
		fi
		sleep 0.05
	done
	cat server.log
	kill "$watchdog"
	return 1
}

# Waits for the server's end; the status is the server's.
ended() {
	wait "$watchdog"
	local status=$?
	tail -n 3 server.log
	return "$status"
}

# The same commands each time; what tells of time or memory is left out.
commands() {
	cat <<-'END'
		flushall
		set greeting hello
		append greeting " world"
		get greeting
		incrby counter 41
		incr counter
		rpush list a b c
		lrange list 0 -1
		eval "local s = 0 for i = 1, 1000 do s = s + i end return s" 0
		debug populate 20000
		dbsize
		hset hash f 1 g 2
		hgetall hash
		wrong command
		multi
		incr counter
		exec
		save
		bgsave
		debug digest
	END
}

talk() {
	commands | redis-cli -s "$socket"
	for _ in $(seq 100); do
		redis-cli -s "$socket" info persistence |
			grep -q rdb_bgsave_in_progress:0 && break
		sleep 0.05
	done
	redis-cli -s "$socket" info persistence | tr -d '\r' | grep rdb_last_bgsave_status
}

# session COMMAND... - a server's life; what it said is in the file "said".
session() {
	start "$@" || return
	talk >said
	kill -TERM "$server"
	ended
}

server_case() {
	session redis-server || return
	mv said ordinary
	session "$PIP_EXEC" redis-server || return
	equal "dialogue" ordinary said && grep -q 'bye bye' server.log &&
		redis-check-rdb dump.rdb
}

# Two benchmarks and a client at once; then a client ends the server.
all_tasks() {
	start "$PIP_EXEC" redis-server || return
	task -n 2 redis-benchmark -s "$socket" -q -n 4000 -c 10 -P 4 -t set,get,lpush,mset --csv : \
		redis-cli -s "$socket" -r 200 incr calls >out
	local status=$? counter length
	counter=$(redis-cli -s "$socket" get calls)
	length=$(redis-cli -s "$socket" llen mylist)
	task redis-cli -s "$socket" shutdown nosave || status=1
	ended || status=1
	cat out
	echo "status $status, counter $counter, list $length"
	[ "$status $counter $length $(grep -c '"SET"' out)" = "0 200 8000 2" ]
}

if usable "redis" redis-server redis-cli redis-benchmark; then
	check "redis: a server as a task, with forks, Lua and threads" server_case
	check "redis: server, benchmarks and clients, all of them tasks" all_tasks
fi

finish
