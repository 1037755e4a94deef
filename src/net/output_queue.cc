#include "net/output_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "weir/base/check.h"

namespace weir::net {

void OutputQueue::AppendCopy(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  if (arena_ == nullptr) {
    arena_ = std::make_unique<std::array<char, kArenaBytes>>();
  }
  if (bytes.size() > kArenaBytes - arena_used_) {
    AppendSlice(Slice::Copy(bytes));
    return;
  }
  char* const place = arena_->data() + arena_used_;
  std::memcpy(place, bytes.data(), bytes.size());
  arena_used_ += bytes.size();
  bytes_ += bytes.size();
  if (segments_.size() > head_ && segments_.back().owner.empty() &&
      segments_.back().data + segments_.back().size == place) {
    segments_.back().size += bytes.size();
  } else {
    segments_.push_back({.data = place, .size = bytes.size(), .owner = Slice()});
  }
}

void OutputQueue::AppendSlice(Slice slice) {
  if (slice.empty()) {
    return;
  }
  bytes_ += slice.size();
  segments_.push_back({.data = slice.data(), .size = slice.size(), .owner = std::move(slice)});
}

std::size_t OutputQueue::Gather(std::span<iovec> vectors) const {
  const std::size_t count = std::min(vectors.size(), segments_.size() - head_);
  for (std::size_t i = 0; i < count; ++i) {
    const Segment& segment = segments_[head_ + i];
    vectors[i] = {.iov_base = const_cast<char*>(segment.data), .iov_len = segment.size};
  }
  return count;
}

std::string_view OutputQueue::Front(std::span<char> scratch) const {
  if (empty()) {
    return {};
  }
  const Segment& first = segments_[head_];
  if (first.size >= scratch.size() || head_ + 1 == segments_.size()) {
    return {first.data, std::min(first.size, scratch.size())};
  }
  std::size_t filled = 0;
  for (std::size_t i = head_; i < segments_.size() && filled < scratch.size(); ++i) {
    const std::size_t taken = std::min(segments_[i].size, scratch.size() - filled);
    std::memcpy(scratch.data() + filled, segments_[i].data, taken);
    filled += taken;
  }
  return {scratch.data(), filled};
}

void OutputQueue::Consume(std::size_t count) {
  WEIR_DCHECK(count <= bytes_);
  bytes_ -= count;
  while (count > 0) {
    Segment& segment = segments_[head_];
    const std::size_t taken = std::min(count, segment.size);
    segment.data += taken;
    segment.size -= taken;
    count -= taken;
    if (segment.size == 0) {
      segment.owner = Slice();
      ++head_;
    }
  }
  if (bytes_ == 0) {
    Clear();
  } else if (head_ >= 1024) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void OutputQueue::Clear() {
  segments_.clear();
  head_ = 0;
  bytes_ = 0;
  arena_used_ = 0;
}

}  // namespace weir::net
