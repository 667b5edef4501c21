#!/bin/sh
# Serves the functions as Lambda would, on this machine, with the SAM CLI:
#
#   infra/sam-local.sh          build, start all of it, serve http://127.0.0.1:3000
#
# What runs: DynamoDB Local in a container; the local house over the same table,
# which fills it and is the issuer of tokens; and `sam local start-api`, which starts
# a container for each function that is asked. Ctrl-C ends all of it.
#
# Needs Docker (or an engine that answers to `docker`), Go, make and curl; the SAM CLI
# if it is on the PATH, else the one that infra/lint-template.sh fetches. Docker pulls
# two images once: amazon/dynamodb-local and SAM's emulator of provided.al2023.
#
# GONGJI_HOST is by which address containers reach this machine: unset, the gateway of
# their network, as on Linux; with Docker Desktop set it to host.docker.internal.
set -eu
cd "$(dirname "$0")/.."

network=gongji
house_port=${GONGJI_HOUSE_PORT:-8180}
data=$PWD/.data/sam

die() {
	echo "sam-local: $*" >&2
	exit 1
}

for tool in docker go make curl; do
	command -v "$tool" >/dev/null || die "needs $tool"
done
docker info >/dev/null 2>&1 || die "the container engine does not answer: is it running, and may you use it?"
sam=$(command -v sam) || {
	infra/lint-template.sh >&2
	sam=$(find "$PWD/.cache" -path '*/sam-cli-*/bin/sam' | head -n 1)
}

# The functions run on this machine's processor, whatever the template deploys to.
case $(go env GOARCH) in
arm64) architecture=arm64 ;;
amd64) architecture=x86_64 ;;
*) die "Lambda has no processor like this machine's ($(go env GOARCH))" ;;
esac

docker network inspect "$network" >/dev/null 2>&1 || docker network create "$network" >/dev/null
gateway=$(docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' "$network")
listen=${gateway:?the network has no gateway}
host=${GONGJI_HOST:-$gateway}
[ "$host" = "$gateway" ] || listen=127.0.0.1 # Docker Desktop forwards to loopback

house=
cleanup() {
	[ -z "$house" ] || kill "$house" 2>/dev/null || :
	docker rm --force "$network-dynamodb" >/dev/null 2>&1 || :
}
trap cleanup EXIT
trap 'exit 130' INT TERM

docker rm --force "$network-dynamodb" >/dev/null 2>&1 || :
docker run --detach --name "$network-dynamodb" --network "$network" --network-alias dynamodb \
	--publish 127.0.0.1:8000:8000 amazon/dynamodb-local -jar DynamoDBLocal.jar -inMemory -sharedDb >/dev/null
tries=0
until curl --silent --output /dev/null http://127.0.0.1:8000/; do # any status: it is up
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || die "DynamoDB Local does not answer"
	sleep 1
done

# The house and the functions have the keys of infra/env.json, which are for made-up
# people. The house makes the table.
mkdir -p "$data"
chmod 700 "$data"
(umask 077 && sed -n 's/^ *"GONGJI_KEYS_DOCUMENT": *"\(.*\)"$/\1/p' infra/env.json | sed 's/\\"/"/g' >"$data/keys.json")
go build -o "$data/house" ./infra/local
"$data/house" -addr "$listen:$house_port" -allow-remote -data "$data" -dynamodb http://127.0.0.1:8000 >"$data/house.log" 2>&1 &
house=$!
tries=0
until curl --silent --fail --output /dev/null "http://$listen:$house_port/healthz"; do
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || die "the house did not start: $data/house.log"
	kill -0 "$house" 2>/dev/null || die "the house ended: $data/house.log"
	sleep 1
done

# `sam local` runs no JWT authorizer: the functions verify every token themselves, with
# the issuer's keys from where containers reach it.
issuer=http://$listen:$house_port/oidc
sed "s|\"Parameters\": {|&\n    \"GONGJI_ISSUER\": \"$issuer\",\n    \"GONGJI_JWKS_URL\": \"http://$host:$house_port/oidc/jwks\",|" infra/env.json >"$data/env.json"

GOARCH=$(go env GOARCH) "$sam" build --parameter-overrides "Architecture=$architecture"
cat <<END

Serving on http://127.0.0.1:3000; the first answer of each function takes its time. A token, and who it is for:

  token=\$(curl -s -d '{"person_no":"DEMO01"}' http://$listen:$house_port/dev/token | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -H "Authorization: Bearer \$token" http://127.0.0.1:3000/v1/me

END
"$sam" local start-api --env-vars "$data/env.json" --docker-network "$network" --warm-containers LAZY \
	--parameter-overrides "Architecture=$architecture" "Issuer=https://issuer.invalid"
