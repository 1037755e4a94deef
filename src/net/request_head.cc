#include "net/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "weir/base/check.h"

namespace weir::net {
namespace {

// Heads kept for reuse, and the text beyond which one is not worth keeping.
constexpr std::size_t kPooledHeadsMax = 64;
constexpr std::size_t kPooledTextBytesMax = 16 * 1024;

constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

HttpMethod ParseMethod(std::string_view name) {
  if (name == "POST") return HttpMethod::kPost;
  if (name == "GET") return HttpMethod::kGet;
  if (name == "OPTIONS") return HttpMethod::kOptions;
  if (name == "HEAD") return HttpMethod::kHead;
  if (name == "PUT") return HttpMethod::kPut;
  if (name == "DELETE") return HttpMethod::kDelete;
  if (name == "PATCH") return HttpMethod::kPatch;
  return HttpMethod::kOther;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsGrpcContentType(std::string_view type) {
  constexpr std::string_view kGrpc = "application/grpc";
  return type.starts_with(kGrpc) &&
         (type.size() == kGrpc.size() || type[kGrpc.size()] == '+' || type[kGrpc.size()] == ';');
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsToken(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return kTokenCharacters[static_cast<unsigned char>(c)];
  });
}

bool IsLowerToken(std::string_view name) {
  return IsToken(name) &&
         std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool IsFieldValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) {
    return std::nullopt;
  }
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  if (text.front() == '-') {
    return std::nullopt;
  }
  if (const auto [at, error] = std::from_chars(text.data(), end, count);
      error != std::errc() || at != end) {
    return std::nullopt;
  }
  std::int64_t unit_ns = 0;
  switch (text.back()) {
    case 'H':
      unit_ns = 3'600'000'000'000;
      break;
    case 'M':
      unit_ns = 60'000'000'000;
      break;
    case 'S':
      unit_ns = 1'000'000'000;
      break;
    case 'm':
      unit_ns = 1'000'000;
      break;
    case 'u':
      unit_ns = 1'000;
      break;
    case 'n':
      unit_ns = 1;
      break;
    default:
      return std::nullopt;
  }
  // 99999999 hours do not fit; such a deadline is as good as the farthest one that does.
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  return std::chrono::nanoseconds(count > kMax / unit_ns ? kMax : count * unit_ns);
}

RequestHead::Placed RequestHead::Place(std::string_view name, std::string_view value) {
  Placed placed;
  placed.name_at = static_cast<std::uint32_t>(text_.size());
  placed.name_size = static_cast<std::uint32_t>(name.size());
  text_.append(name);
  placed.value_at = static_cast<std::uint32_t>(text_.size());
  placed.value_size = static_cast<std::uint32_t>(value.size());
  text_.append(value);
  return placed;
}

void RequestHead::AddField(std::string_view name, std::string_view value) {
  list_bytes_ += name.size() + value.size() + 32;
  placed_.push_back(Place(name, value));
}

void RequestHead::AddFieldLowering(std::string_view name, std::string_view value) {
  AddField(name, value);
  const Placed& placed = placed_.back();
  char* const at = text_.data() + placed.name_at;
  std::transform(at, at + placed.name_size, at, Lower);
}

void RequestHead::SetPseudo(Pseudo which, std::string_view value) {
  list_bytes_ += value.size() + 32 + 7;
  const auto index = static_cast<std::size_t>(which);
  pseudo_[index] = Place({}, value);
  has_pseudo_[index] = true;
}

bool RequestHead::HasPseudo(Pseudo which) const {
  return has_pseudo_[static_cast<std::size_t>(which)];
}

bool RequestHead::Finish(HttpVersion version) {
  version_ = version;
  const std::string_view text = text_;
  const auto pseudo = [&](Pseudo which) {
    const Placed& placed = pseudo_[static_cast<std::size_t>(which)];
    return HasPseudo(which) ? text.substr(placed.value_at, placed.value_size) : std::string_view();
  };
  method_name_ = pseudo(Pseudo::kMethod);
  method_ = ParseMethod(method_name_);
  scheme_ = pseudo(Pseudo::kScheme);
  authority_ = pseudo(Pseudo::kAuthority);
  target_ = pseudo(Pseudo::kPath);
  const std::size_t question = target_.find('?');
  path_ = target_.substr(0, question);
  query_ = question == std::string_view::npos ? std::string_view() : target_.substr(question + 1);

  fields_.clear();
  fields_.reserve(placed_.size());
  for (const Placed& placed : placed_) {
    fields_.push_back({text.substr(placed.name_at, placed.name_size),
                       text.substr(placed.value_at, placed.value_size)});
    if (!ReadKnownField(fields_.back())) {
      return false;
    }
  }
  is_grpc_ = IsGrpcContentType(content_type_);
  return true;
}

bool RequestHead::ReadKnownField(const HeaderField& field) {
  switch (field.name.size()) {
    case 4:
      if (field.name == "host" && authority_.empty()) authority_ = field.value;
      break;
    case 6:
      if (field.name == "expect") {
        expects_continue_ = EqualsIgnoringCase(field.value, "100-continue");
      }
      break;
    case 10:
      if (field.name == "connection") ReadConnection(field.value);
      break;
    case 12:
      if (field.name == "content-type") content_type_ = field.value;
      if (field.name == "grpc-timeout") grpc_timeout_ = ParseGrpcTimeout(field.value);
      break;
    case 13:
      if (field.name == "grpc-encoding") grpc_encoding_ = field.value;
      break;
    case 14:
      if (field.name == "content-length") return ReadContentLength(field.value);
      break;
    case 16:
      if (field.name == "content-encoding") content_encoding_ = field.value;
      break;
    case 17:
      if (field.name == "transfer-encoding") return ReadTransferEncoding(field.value);
      break;
    default:
      break;
  }
  return true;
}

bool RequestHead::ReadContentLength(std::string_view value) {
  std::uint64_t length = 0;
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, length);
  if (value.empty() || error != std::errc() || at != end) {
    return false;
  }
  // Two different lengths are how requests are smuggled past a proxy.
  if (content_length_.has_value() && *content_length_ != length) {
    return false;
  }
  content_length_ = length;
  return true;
}

bool RequestHead::ReadTransferEncoding(std::string_view value) {
  // Nothing but one plain "chunked" is understood, and it may come once.
  if (chunked_ || !EqualsIgnoringCase(value, "chunked")) {
    return false;
  }
  chunked_ = true;
  return true;
}

void RequestHead::ReadConnection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = Trim(value.substr(0, comma));
    connection_close_ = connection_close_ || EqualsIgnoringCase(option, "close");
    connection_keep_alive_ = connection_keep_alive_ || EqualsIgnoringCase(option, "keep-alive");
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
}

std::optional<std::string_view> RequestHead::Find(std::string_view name) const {
  for (const HeaderField& field : fields_) {
    if (field.name == name) {
      return field.value;
    }
  }
  return std::nullopt;
}

void RequestHead::Reset() {
  text_.clear();
  placed_.clear();
  std::fill(std::begin(has_pseudo_), std::end(has_pseudo_), false);
  list_bytes_ = 0;
  fields_.clear();
  method_name_ = scheme_ = authority_ = target_ = path_ = query_ = {};
  content_type_ = content_encoding_ = grpc_encoding_ = {};
  content_length_.reset();
  grpc_timeout_.reset();
  method_ = HttpMethod::kOther;
  is_grpc_ = expects_continue_ = chunked_ = connection_close_ = connection_keep_alive_ = false;
  handler_ = nullptr;
  route_ = nullptr;
}

void HeadRef::Return() {
  HeadPool& pool = head_->pool_;
  pool.Return(std::unique_ptr<RequestHead>(head_));
}

std::unique_ptr<RequestHead> HeadPool::Take() {
  if (free_.empty()) {
    return std::make_unique<RequestHead>(*this);
  }
  std::unique_ptr<RequestHead> head = std::move(free_.back());
  free_.pop_back();
  return head;
}

void HeadPool::Return(std::unique_ptr<RequestHead> head) {
  WEIR_DCHECK(head->references_ == 0);
  if (free_.size() < kPooledHeadsMax && head->text_.capacity() <= kPooledTextBytesMax) {
    head->Reset();
    free_.push_back(std::move(head));
  }
}

}  // namespace weir::net
