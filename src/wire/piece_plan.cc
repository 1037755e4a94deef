#include "wire/piece_plan.h"

#include <cstring>
#include <utility>

#include "weir/base/check.h"
#include "weir/wire/varint.h"

namespace weir::wire::internal {

std::size_t Container::OpenSize() const {
  WEIR_DCHECK(tag < 0x80);
  return 1 + kLengthBytesMax + own_size;
}

std::size_t PiecePlan::OpenSize(const Container* parent) const {
  std::size_t size = 0;
  for (const Container* container = parent; container != nullptr; container = container->parent) {
    // What is open is `at_` and its ancestors.
    const Container* open = at_;
    while (open != nullptr && open->depth > container->depth) {
      open = open->parent;
    }
    if (open == container) {
      break;
    }
    size += container->OpenSize();
  }
  return size;
}

void PiecePlan::MoveTo(const Container* target) {
  std::vector<const Container*> to_open;
  for (const Container* container = target;; container = container->parent) {
    const int depth = container == nullptr ? 0 : container->depth;
    while (at_ != nullptr && at_->depth > depth) {
      steps_.emplace_back(nullptr, std::string_view());
      at_ = at_->parent;
    }
    if (at_ == container) {
      break;
    }
    to_open.push_back(container);
  }
  for (auto it = to_open.rbegin(); it != to_open.rend(); ++it) {
    steps_.emplace_back(*it, std::string_view());
    size_max_ += (*it)->OpenSize();
    at_ = *it;
  }
}

void PiecePlan::Add(const Container* parent, std::string_view field, std::uint64_t items) {
  if (parent != at_) {
    MoveTo(parent);
  }
  items_ += items;
  size_max_ += field.size();
  if (!steps_.empty()) {
    std::string_view& last = steps_.back().run;
    if (last.data() != nullptr && last.data() + last.size() == field.data()) {
      last = {last.data(), last.size() + field.size()};
      return;
    }
  }
  steps_.emplace_back(nullptr, field);
}

std::size_t PiecePlan::ResolveSizes() {
  MoveTo(nullptr);
  // Backwards, a container's body is complete when its open step is met.
  std::vector<std::size_t> bodies = {0};
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (step->open != nullptr) {
      step->body_size = bodies.back() + step->open->own_size;
      bodies.pop_back();
      bodies.back() += 1 + VarintSize(step->body_size) + step->body_size;
    } else if (step->run.data() != nullptr) {
      bodies.back() += step->run.size();
    } else {
      bodies.push_back(0);
    }
  }
  WEIR_CHECK(bodies.size() == 1);
  return bodies.back();
}

char* PiecePlan::WriteSteps(char* out) const {
  const auto copy = [&out](std::string_view bytes) {
    std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
  };
  for (const Step& step : steps_) {
    if (step.open != nullptr) {
      *out++ = static_cast<char>(step.open->tag);
      out = WriteVarint(out, step.body_size);
      for (const std::string_view run : step.open->own) {
        copy(run);
      }
    } else if (step.run.data() != nullptr) {
      copy(step.run);
    }
  }
  return out;
}

Slice PiecePlan::Write(const Slice& request, MemoryBudget* budget) {
  if (steps_.empty()) {
    return Slice();
  }
  if (steps_.size() == 1) {
    const std::string_view run = steps_.front().run;
    return request.Sub(static_cast<std::size_t>(run.data() - request.data()), run.size());
  }
  const std::size_t size = ResolveSizes();
  MutableBuffer buffer = MutableBuffer::Allocate(size, budget);
  const char* const written_end = WriteSteps(buffer.data());
  WEIR_CHECK(written_end == buffer.data() + size);
  return std::move(buffer).Freeze(size);
}

}  // namespace weir::wire::internal
