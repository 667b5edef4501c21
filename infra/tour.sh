#!/usr/bin/env bash
# Walks the README's five minutes with curl, word for word, against a fresh house,
# so that what the README promises stays true: infra/tour.sh README.md
set -euo pipefail
cd "$(dirname "$0")/.."
readme=$1
work=$(mktemp -d)
go build -o "$work/local" ./infra/local
"$work/local" -addr 127.0.0.1:0 -demo=false -data "$work/data" >"$work/out" 2>"$work/log" &
house=$!
trap 'kill $house 2>/dev/null; wait $house 2>/dev/null; rm -rf "$work"' EXIT

for _ in $(seq 100); do
  GONGJI=$(sed -n 's/^listening on //p' "$work/out")
  [ -n "$GONGJI" ] && break
  sleep 0.1
done
[ -n "$GONGJI" ] || { echo "the house did not open:"; cat "$work/log"; exit 1; }
export GONGJI

awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' "$readme" >"$work/tour"
bash -euo pipefail "$work/tour" | tee "$work/answers"
for promise in '"fund_paid_fen":8711' '"shared_paid_fen":4449' '"cash_due_fen":2800' '"state":"settled"' '"ok":true'; do
  grep -q "$promise" "$work/answers" || { echo "$readme: the tour did not end with $promise"; exit 1; }
done
if grep -q '"kind":"\(malformed\|decided\|unknown\)"' "$work/answers"; then
  echo "$readme: a step of the tour was refused"; exit 1
fi
printf '\n%s: the tour ends as it says\n' "$readme"
