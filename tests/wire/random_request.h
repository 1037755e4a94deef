// Random requests from a seed, in three grades: as protobuf writes them, legal but as no encoder in
// use writes them (overlong varints, unknown fields and groups, singular messages in two parts,
// members of a oneof that are overridden), and broken.
//
// Threads: one thread.

#ifndef WEIR_TESTS_WIRE_RANDOM_REQUEST_H_
#define WEIR_TESTS_WIRE_RANDOM_REQUEST_H_

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "weir/wire/signal.h"

namespace weir::wire::testing {

class RandomRequest {
 public:
  explicit RandomRequest(std::uint64_t seed) : random_(seed) {}

  // A request with any of its fields set.
  std::string Make(Signal signal);
  // The same request, as `bytes` of another form: what a decoder reads from it may differ from what
  // it reads from `bytes`, but it is legal protobuf.
  std::string Distort(Signal signal, std::string_view bytes);
  // `bytes` with a few of them cut, changed or added.
  std::string Break(std::string bytes);

  // REQUIRES: limit > 0.
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  bool OneIn(std::uint64_t times) { return Below(times) == 0; }

 private:
  using Descriptor = google::protobuf::Descriptor;
  using FieldDescriptor = google::protobuf::FieldDescriptor;

  std::string Text();
  void Fill(google::protobuf::Message& message, int levels_left);
  void SetField(google::protobuf::Message& message, const FieldDescriptor& field, int levels_left);
  void AppendVarint(std::uint64_t value, int bytes_max, std::string& out);
  void AppendUnknown(int levels_left, std::string& out);
  std::string DistortMessage(const Descriptor* type, std::string_view bytes, int levels_left);
  void DistortLength(const FieldDescriptor* field, std::uint32_t tag, std::string_view value,
                     int levels_left, std::string& out);

  std::mt19937_64 random_;
};

}  // namespace weir::wire::testing

#endif  // WEIR_TESTS_WIRE_RANDOM_REQUEST_H_
