#!/usr/bin/env bash
# Builds the OpenTelemetry Collector, the peer to measure against, with its own builder from Go modules.
#   build_collector.sh core|contrib     prints the path of the binary; a second run of the same manifest builds nothing
# The manifests lie in collector/. Binaries are kept in ${WEIR_BENCH_CACHE:-~/.cache/weir-bench}.
set -euo pipefail

kind=${1:?core or contrib}
here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/collector/$kind.yaml
[ -f "$manifest" ] || { echo "no manifest $manifest" >&2; exit 2; }
cache=${WEIR_BENCH_CACHE:-~/.cache/weir-bench}
go=${WEIR_TEST_CACHE:-~/.cache/weir-tests}/bin/go
[ -x "$go" ] || go=go
version=v$(sed -n 's/^dist:.*version: \([0-9.]*\).*/\1/p' "$manifest")
binary=$cache/otelcol-$kind-$(sha256sum "$manifest" | cut -c 1-12)

if [ ! -x "$binary" ]; then
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false
  mkdir -p "$cache"
  cd "$cache"
  {
    GOBIN=$cache/builder-$version "$go" install "go.opentelemetry.io/collector/cmd/builder@$version"
    # The builder's own tidy step stops at modules that only tests of dependencies need; -e goes on.
    PATH=$(dirname "$go"):$PATH "$cache/builder-$version/builder" --config "$manifest" \
      --skip-compilation --skip-strict-versioning || true
    cd "$cache/$kind-src"
    "$go" mod tidy -e
    "$go" build -trimpath -ldflags="-s -w" -o "$binary.new" .
  } >"$cache/$kind.log" 2>&1 || { tail -n 20 "$cache/$kind.log" >&2; exit 1; }
  mv "$binary.new" "$binary"
fi
echo "$binary"
