#include "load/payloads.h"

namespace weir::load {

Payloads::Payloads(const LoadOptions& options, std::uint64_t started)
    : options_(options), random_(options.seed), stamp_(random_.Next()) {
  stamp_.started = started;
}

SampleShape Payloads::Shape(Signal signal, std::uint32_t items, std::uint32_t service) const {
  return {.signal = signal,
          .items = items,
          .item_bytes = options_.item_bytes,
          .numbered = options_.numbered,
          .service = service};
}

const RequestTemplate& Payloads::Template(Signal signal) {
  std::vector<RequestTemplate>& variants = templates_[SignalIndex(signal)];
  const auto variant = static_cast<std::uint32_t>(turn_ / options_.signals.size() % kVariants);
  while (variants.size() <= variant) {
    variants.emplace_back(
        Shape(signal, options_.items_per_request, static_cast<std::uint32_t>(variants.size())),
        random_);
  }
  return variants[variant];
}

Payload Payloads::Next(std::uint32_t items, std::uint64_t now) {
  const Signal signal = options_.signals[turn_ % options_.signals.size()];
  stamp_.now = now;
  Payload payload{.signal = signal, .items = items, .first_sequence = stamp_.next_sequence};
  if (items == options_.items_per_request) {
    payload.bytes = Template(signal).Make(stamp_);
  } else {
    payload.bytes = RequestTemplate(Shape(signal, items, 0), random_).Make(stamp_);
  }
  ++turn_;
  return payload;
}

}  // namespace weir::load
