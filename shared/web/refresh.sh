#!/bin/sh
# Fetches the browser libraries of the pages anew, from the npm registry, at the
# versions below, into static/lib:
#
#   shared/web/refresh.sh            fetch, and write static/lib/SHA256SUMS
#   shared/web/refresh.sh --check    fetch, and say whether static/lib differs
#
# Needs npm. Nothing is built: a file is taken as it was published, but for its
# source map's address and, where a module names another, that name.
set -eu

preact=11.2.0
htm=3.1.1
jsqr=1.4.0
uplot=1.6.32
axe=4.14.1 # for the browser tests alone: infra/webtest/testdata

cd "$(dirname "$0")"
lib=$PWD/static/lib
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
new=$work/lib
mkdir "$new"

# take NAME VERSION unpacks a package into $work/NAME and keeps its licence.
take() {
	(cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir "$1" && tar xzf "$1-$2.tgz" -C "$1" --strip-components 1)
	{ echo "$1 $2"; echo; cat "$work/$1/LICENSE"; } >"$new/$1.LICENSE"
}

take preact "$preact"
sed '/^\/\/# sourceMappingURL=/d' "$work/preact/dist/preact.mjs" >"$new/preact.js"
# The browser finds a module by its address, and "preact" is none.
sed -e 's|from"preact"|from"./preact.js"|' -e '/^\/\/# sourceMappingURL=/d' "$work/preact/hooks/dist/hooks.mjs" >"$new/hooks.js"

take htm "$htm"
cp "$work/htm/dist/htm.module.js" "$new/htm.js"

take jsqr "$jsqr"
cp "$work/jsqr/dist/jsQR.js" "$new/jsqr.js"

take uplot "$uplot"
{ cat "$work/uplot/dist/uPlot.iife.min.js"; echo; echo 'export default uPlot;'; } >"$new/uplot.js"
cp "$work/uplot/dist/uPlot.min.css" "$new/uplot.css"

(cd "$work" && npm pack --silent "axe-core@$axe" >/dev/null && tar xzf "axe-core-$axe.tgz" package/axe.min.js package/LICENSE)

(cd "$new" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
if [ "${1-}" = --check ]; then
	diff -r "$new" "$lib" && cmp "$work/package/axe.min.js" ../../infra/webtest/testdata/axe.min.js && echo "static/lib is as published"
else
	rm -rf "$lib" && cp -R "$new" "$lib"
	mkdir -p ../../infra/webtest/testdata
	cp "$work/package/axe.min.js" ../../infra/webtest/testdata/axe.min.js
	cp "$work/package/LICENSE" ../../infra/webtest/testdata/axe.LICENSE
	cat "$lib/SHA256SUMS"
fi
