#include "weir/wire/rewriter.h"

#include <algorithm>
#include <cstring>

#include "wire/scanner_walk.h"

namespace weir::wire {
namespace {

char* CopyBytes(char* out, const char* from, std::size_t size) {
  if (size > 0) {
    std::memcpy(out, from, size);
  }
  return out + size;
}

char* CopyBytes(char* out, std::string_view bytes) {
  return CopyBytes(out, bytes.data(), bytes.size());
}

const char* EndOf(std::string_view bytes) { return bytes.data() + bytes.size(); }

// Room for a length that may turn out larger than what it was; where it does not suffice, the
// contents are moved.
int ReservedLengthBytes(std::size_t length) {
  return static_cast<int>(VarintSize(length + length / 4 + 64));
}

}  // namespace

void Edit::Replace(std::string_view field, std::string_view fields) {
  patches_.push_back({field, replacements_.size(), fields.size()});
  replacements_.Raw(fields);
}

bool Edit::SetBytes(std::string_view message, FieldNumber number, std::string_view value) {
  FieldReader fields(message);
  while (fields.Next()) {
    if (fields.Is(number, WireType::kLength)) {
      Cut(fields.field());
    }
  }
  if (!value.empty()) {
    appended_.Bytes(number, value);
  }
  return !fields.malformed();
}

void Edit::Clear() {
  patches_.clear();
  stable_.clear();
  if (replacements_.size() > 0) {
    replacements_.Clear();
  }
  if (appended_.size() > 0) {
    appended_.Clear();
  }
}

std::size_t Edit::SizeOf(std::string_view message) {
  std::size_t size = message.size() + appended_.size();
  const char* last = message.data();
  bool sorted = true;
  for (const Patch& patch : patches_) {
    size = size - patch.field.size() + patch.text_size;
    sorted = sorted && patch.field.data() >= last;
    last = patch.field.data();
  }
  if (!sorted) {
    std::sort(patches_.begin(), patches_.end(),
              [](const Patch& a, const Patch& b) { return a.field.data() < b.field.data(); });
  }
  for (const std::string_view fields : stable_) {
    size += fields.size();
  }
  return size;
}

char* Edit::Write(std::string_view message, char* out) const {
  const char* run = message.data();
  for (const Patch& patch : patches_) {
    WEIR_DCHECK(patch.field.data() >= run);
    out = CopyBytes(out, run, static_cast<std::size_t>(patch.field.data() - run));
    out = CopyBytes(out, replacements_.view().substr(patch.text_offset, patch.text_size));
    run = EndOf(patch.field);
  }
  out = CopyBytes(out, run, static_cast<std::size_t>(EndOf(message) - run));
  for (const std::string_view fields : stable_) {
    out = CopyBytes(out, fields);
  }
  return CopyBytes(out, appended_.view());
}

void Rewriter::Begin(Signal signal, const Slice& request) {
  signal_ = signal;
  input_begin_ = request.data();
  input_end_ = EndOf(request.view());
  run_ = input_begin_;
  size_ = 0;
  depth_ = 0;
  dropped_ = 0;
  malformed_ = 0;
  changed_ = false;
}

RewriteResult Rewriter::End(const Slice& request) {
  RewriteResult result{
      .payload = {}, .dropped = dropped_, .malformed = malformed_, .changed = changed_};
  if (!changed_) {
    result.payload = request;
    return result;
  }
  CopyRun(input_end_);
  const double growth = static_cast<double>(size_) / static_cast<double>(request.size());
  growth_ = growth > growth_ ? growth : growth_ + (growth - growth_) / 64;
  if (size_ < buffer_.capacity() / 2) {
    // The charge is for the whole allocation: what sampling leaves gets one of its own size.
    result.payload = Slice::Copy({buffer_.data(), size_}, budget_);
    buffer_ = MutableBuffer();
  } else {
    result.payload = std::move(buffer_).Freeze(size_);
  }
  return result;
}

void Rewriter::Enter(std::string_view field, std::string_view contents) {
  WEIR_DCHECK(depth_ < kDepthMax);
  levels_[depth_++] = {.field_begin = field.data(),
                       .contents = contents.data(),
                       .end = EndOf(field),
                       .output_begin = 0,
                       .output_contents = 0,
                       .open = false,
                       .kept = false,
                       .removed = false};
}

void Rewriter::Leave() {
  Level& level = levels_[--depth_];
  if (level.open) {
    CloseLevel(level);
  }
  if (depth_ > 0) {
    levels_[depth_ - 1].kept |= level.kept;
    levels_[depth_ - 1].removed |= level.removed;
  }
}

// Writes the heads of the levels that are not in the output yet, up to the innermost one.
void Rewriter::OpenLevels() {
  changed_ = true;
  for (std::size_t i = 0; i < depth_; ++i) {
    Level& level = levels_[i];
    if (level.open) {
      continue;
    }
    CopyRun(level.field_begin);
    level.open = true;
    level.output_begin = size_;
    const std::uint32_t tag = ReadTag(level.field_begin, level.end).value;
    char* out = WriteVarint(Room(kTagBytesMax + kLengthBytesMax), tag);
    out += ReservedLengthBytes(static_cast<std::size_t>(level.end - level.contents));
    size_ = static_cast<std::size_t>(out - buffer_.data());
    level.output_contents = size_;
    run_ = level.contents;
  }
}

void Rewriter::CloseLevel(Level& level) {
  if (level.removed && !level.kept) {
    size_ = level.output_begin;
    run_ = level.end;
    return;
  }
  CopyRun(level.end);
  const std::size_t length = size_ - level.output_contents;
  int reserved = ReservedLengthBytes(static_cast<std::size_t>(level.end - level.contents));
  const int needed = static_cast<int>(VarintSize(length));
  if (needed > reserved) [[unlikely]] {
    const auto wider = static_cast<std::size_t>(needed - reserved);
    Room(wider);
    char* contents = buffer_.data() + level.output_contents;
    std::memmove(contents + wider, contents, length);
    size_ += wider;
    level.output_contents += wider;
    reserved = needed;
  }
  WritePaddedVarint(buffer_.data() + level.output_contents - reserved, length, reserved);
}

bool Rewriter::Admit(Verdict verdict, std::string_view field, std::string_view contents,
                     Group group) {
  using internal::Message;
  if (verdict == Verdict::kKeep || verdict == Verdict::kEdit) {
    return true;
  }
  if (verdict == Verdict::kSkip) {
    Keep();
    return false;
  }
  constexpr Message kItemGroups[] = {Message::kResourceOutline, Message::kScopeOutline};
  constexpr Message kPointGroups[] = {Message::kResourceMetricsOutline,
                                      Message::kScopeMetricsOutline, Message::kMetricOutline};
  const auto index = static_cast<std::size_t>(group);
  const Message message = signal_ == Signal::kMetrics ? kPointGroups[index] : kItemGroups[index];
  const std::uint64_t items = internal::WalkMessage(message, contents).items;
  (verdict == Verdict::kDrop ? dropped_ : malformed_) += items;
  Remove(field.data(), EndOf(field));
  if (depth_ > 0) {
    levels_[depth_ - 1].removed = true;
  }
  return false;
}

void Rewriter::Remove(const char* begin, const char* end) {
  OpenLevels();
  CopyRun(begin);
  run_ = end;
}

void Rewriter::RemoveItem(std::string_view field, Verdict verdict) {
  ++(verdict == Verdict::kDrop ? dropped_ : malformed_);
  Remove(field.data(), EndOf(field));
  levels_[depth_ - 1].removed = true;
}

void Rewriter::RemoveBroken(const char* at, const char* end) {
  ++malformed_;
  Remove(at, end);
  if (depth_ > 0) {
    levels_[depth_ - 1].removed = true;
  }
}

void Rewriter::WriteHead(std::uint32_t tag, std::string_view message) {
  OpenLevels();
  WEIR_DCHECK(run_ == levels_[depth_ - 1].contents);
  const std::size_t size = edit_.SizeOf(message);
  char* out = Room(kTagBytesMax + kLengthBytesMax + size);
  out = WriteVarint(WriteVarint(out, tag), size);
  size_ = static_cast<std::size_t>(edit_.Write(message, out) - buffer_.data());
}

void Rewriter::WriteEdited(std::string_view field, std::string_view contents) {
  OpenLevels();
  CopyRun(field.data());
  const std::size_t size = edit_.SizeOf(contents);
  char* out = Room(kTagBytesMax + kLengthBytesMax + size);
  out = WriteVarint(WriteVarint(out, ReadTag(field.data(), EndOf(field)).value), size);
  size_ = static_cast<std::size_t>(edit_.Write(contents, out) - buffer_.data());
  run_ = EndOf(field);
  Keep();
}

char* Rewriter::Room(std::size_t bytes) {
  if (bytes > buffer_.capacity() - size_) [[unlikely]] {
    const auto input = static_cast<std::size_t>(input_end_ - input_begin_);
    const auto expected = static_cast<std::size_t>(static_cast<double>(input) * growth_);
    const std::size_t capacity =
        std::max({size_ + bytes, buffer_.capacity() + buffer_.capacity() / 2, expected + 64});
    MutableBuffer larger = MutableBuffer::Allocate(capacity, budget_);
    CopyBytes(larger.data(), buffer_.data(), size_);
    buffer_ = std::move(larger);
  }
  return buffer_.data() + size_;
}

void Rewriter::CopyRun(const char* until) {
  const auto size = static_cast<std::size_t>(until - run_);
  CopyBytes(Room(size), run_, size);
  size_ += size;
  run_ = until;
}

}  // namespace weir::wire
