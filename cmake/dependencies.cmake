# Every third-party library, found once. Only the folder named beside it may include its headers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)                # everywhere
find_package(fmt REQUIRED)                 # everywhere
find_package(spdlog REQUIRED)              # telemetry
find_package(prometheus-cpp REQUIRED)      # telemetry
find_package(yaml-cpp REQUIRED)            # config
find_package(OpenSSL REQUIRED)             # net, base hashing
find_package(CURL REQUIRED)                # net
find_package(Protobuf REQUIRED)            # proto
find_package(CLI11 REQUIRED)               # app
find_package(simdjson REQUIRED)            # wire, codec
find_package(GTest REQUIRED)               # tests
include(GoogleTest)

pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)  # net
pkg_check_modules(deflate REQUIRED IMPORTED_TARGET libdeflate)  # net
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)         # net
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)           # net
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)        # net, exporters/file
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)     # receivers/kafka, exporters/kafka
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)             # processors
pkg_check_modules(grpcpp REQUIRED IMPORTED_TARGET grpc++)       # net, tests
find_library(WEIR_SNAPPY snappy REQUIRED)                       # net
