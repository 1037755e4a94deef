#include "net/hpack.h"

#include <nghttp2/nghttp2.h>

#include <utility>

#include "weir/base/check.h"

namespace weir::net {
namespace {

// A block longer than this is not worth comparing with.
constexpr std::size_t kKnownBlockBytesMax = 2048;

bool SkipInteger(std::string_view& block, unsigned prefix_bits, std::uint64_t& value) {
  const unsigned mask = (1u << prefix_bits) - 1;
  value = static_cast<unsigned char>(block.front()) & mask;
  block.remove_prefix(1);
  if (value < mask) {
    return true;
  }
  for (unsigned shift = 0; shift < 28; shift += 7) {
    if (block.empty()) {
      return false;
    }
    const auto byte = static_cast<unsigned char>(block.front());
    block.remove_prefix(1);
    value += static_cast<std::uint64_t>(byte & 127) << shift;
    if ((byte & 128) == 0) {
      return true;
    }
  }
  return false;
}

bool SkipString(std::string_view& block) {
  std::uint64_t size = 0;
  if (block.empty() || !SkipInteger(block, 7, size) || size > block.size()) {
    return false;
  }
  block.remove_prefix(size);
  return true;
}

void AppendInteger(std::string& block, unsigned first, unsigned prefix_bits, std::uint64_t value) {
  const unsigned mask = (1u << prefix_bits) - 1;
  if (value < mask) {
    block.push_back(static_cast<char>(first | value));
    return;
  }
  block.push_back(static_cast<char>(first | mask));
  value -= mask;
  while (value >= 128) {
    block.push_back(static_cast<char>(value | 128));
    value >>= 7;
  }
  block.push_back(static_cast<char>(value));
}

void AppendString(std::string& block, std::string_view text) {
  AppendInteger(block, 0, 7, text.size());
  block.append(text);
}

// Index of a name in the static table, or 0. Only the names we send often.
unsigned StaticName(std::string_view name) {
  if (name == "content-type") return 31;
  if (name == "content-length") return 28;
  if (name == "date") return 33;
  if (name == "retry-after") return 53;
  if (name == "vary") return 59;
  if (name == "www-authenticate") return 61;
  return 0;
}

bool IsConnectionField(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "transfer-encoding" || name == "upgrade";
}

}  // namespace

BlockKind ClassifyBlock(std::string_view block) {
  BlockKind kind = BlockKind::kPure;
  while (!block.empty()) {
    const auto first = static_cast<unsigned char>(block.front());
    std::uint64_t value = 0;
    if ((first & 0x80) != 0) {
      if (!SkipInteger(block, 7, value)) return BlockKind::kBroken;
      continue;
    }
    if ((first & 0xe0) == 0x20) {
      if (!SkipInteger(block, 5, value)) return BlockKind::kBroken;
      kind = BlockKind::kChanging;
      continue;
    }
    const bool inserts = (first & 0x40) != 0;
    if (!SkipInteger(block, inserts ? 6 : 4, value) || (value == 0 && !SkipString(block)) ||
        !SkipString(block)) {
      return BlockKind::kBroken;
    }
    if (inserts) {
      kind = BlockKind::kChanging;
    }
  }
  return kind;
}

// The rules of RFC 9113, section 8.3, applied to one field after the other.
struct HeadDecoder::FieldCheck {
  RequestHead& head;
  bool regular_seen = false;
  bool malformed = false;

  void Add(std::string_view name, std::string_view value) {
    if (!name.empty() && name.front() == ':') {
      malformed = malformed || regular_seen || !AddPseudo(name, value);
      return;
    }
    regular_seen = true;
    if (!IsLowerToken(name) || !IsFieldValue(value) || IsConnectionField(name) ||
        (name == "te" && value != "trailers")) {
      malformed = true;
      return;
    }
    head.AddField(name, value);
  }

  bool AddPseudo(std::string_view name, std::string_view value) {
    RequestHead::Pseudo which;
    if (name == ":method") {
      which = RequestHead::Pseudo::kMethod;
    } else if (name == ":scheme") {
      which = RequestHead::Pseudo::kScheme;
    } else if (name == ":authority") {
      which = RequestHead::Pseudo::kAuthority;
    } else if (name == ":path") {
      which = RequestHead::Pseudo::kPath;
    } else {
      return false;
    }
    if (head.HasPseudo(which) || !IsFieldValue(value)) {
      return false;
    }
    if (which == RequestHead::Pseudo::kMethod && !IsToken(value)) {
      return false;
    }
    if (which == RequestHead::Pseudo::kPath &&
        (value.empty() || (value[0] != '/' && value != "*"))) {
      return false;
    }
    head.SetPseudo(which, value);
    return true;
  }
};

HeadDecoder::HeadDecoder(HeadPool& pool, std::size_t list_bytes_max)
    : pool_(pool), list_bytes_max_(list_bytes_max) {
  WEIR_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
}

HeadDecoder::~HeadDecoder() { nghttp2_hd_inflate_del(inflater_); }

HeadDecoder::Result HeadDecoder::DecodeRequest(std::string_view block) {
  for (const Known& known : known_) {
    if (known.block == block && known.head) {
      return {.head = known.head};
    }
  }
  Result result = Inflate(block);
  switch (ClassifyBlock(block)) {
    case BlockKind::kPure:
      if (result.fault == Fault::kNone) {
        Remember(block, result.head);
      }
      break;
    case BlockKind::kChanging:
    case BlockKind::kBroken:
      known_ = {};
      break;
  }
  return result;
}

void HeadDecoder::Remember(std::string_view block, const HeadRef& head) {
  if (block.size() <= kKnownBlockBytesMax) {
    known_[next_known_] = {std::string(block), head};
    next_known_ = (next_known_ + 1) % known_.size();
  }
}

HeadDecoder::Result HeadDecoder::Inflate(std::string_view block) {
  std::unique_ptr<RequestHead> head = pool_.Take();
  FieldCheck check{.head = *head};
  bool too_large = false;
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
    if (used < 0) {
      pool_.Return(std::move(head));
      return {.head = {}, .fault = Fault::kCompression};
    }
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0 && !too_large) {
      check.Add({reinterpret_cast<const char*>(field.name), field.namelen},
                {reinterpret_cast<const char*>(field.value), field.valuelen});
      too_large = head->list_bytes() > list_bytes_max_;
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(inflater_);
      break;
    }
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) {
      break;
    }
  }
  Fault fault = too_large ? Fault::kTooLarge : check.malformed ? Fault::kMalformed : Fault::kNone;
  using Pseudo = RequestHead::Pseudo;
  if (fault == Fault::kNone &&
      (!head->HasPseudo(Pseudo::kMethod) || !head->HasPseudo(Pseudo::kScheme) ||
       !head->HasPseudo(Pseudo::kPath) || !head->Finish(HttpVersion::k2))) {
    fault = Fault::kMalformed;
  }
  if (fault != Fault::kNone) {
    pool_.Return(std::move(head));
    return {.head = {}, .fault = fault};
  }
  return {.head = HeadRef(head.release())};
}

bool HeadDecoder::DecodeAndIgnore(std::string_view block) {
  if (ClassifyBlock(block) != BlockKind::kPure) {
    known_ = {};
  }
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
    if (used < 0) {
      return false;
    }
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(inflater_);
      return true;
    }
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) {
      return true;
    }
  }
}

void ResponseEncoder::SetPeerTableSize(std::uint32_t bytes) {
  // Our two entries need 135 bytes; the table we use is the default one or none at all.
  constexpr std::uint32_t kDefaultTableBytes = 4096;
  if (bytes < kDefaultTableBytes && may_index_) {
    may_index_ = head_indexed_ = trailers_indexed_ = false;
    size_update_pending_ = true;
  }
}

void ResponseEncoder::AppendPendingSizeUpdate(std::string& block) {
  if (size_update_pending_) {
    size_update_pending_ = false;
    block.push_back('\x20');  // The table's size is 0 from here on.
  }
}

void ResponseEncoder::AppendStatus(std::string& block, int status) {
  AppendPendingSizeUpdate(block);
  constexpr std::pair<int, char> kIndexed[] = {
      {200, '\x88'}, {204, '\x89'}, {206, '\x8a'}, {304, '\x8b'},
      {400, '\x8c'}, {404, '\x8d'}, {500, '\x8e'},
  };
  for (const auto& [known, byte] : kIndexed) {
    if (known == status) {
      block.push_back(byte);
      return;
    }
  }
  AppendInteger(block, 0, 4, 8);
  AppendString(block, std::to_string(status));
}

void ResponseEncoder::AppendField(std::string& block, std::string_view name,
                                  std::string_view value) {
  if (const unsigned index = StaticName(name); index != 0) {
    AppendInteger(block, 0, 4, index);
  } else {
    block.push_back('\0');
    AppendString(block, name);
  }
  AppendString(block, value);
}

// The first head inserts its content type and the first trailers insert their status, so in the end
// the trailers' entry is the newest (62) and the head's the one before it (63). Until both are in,
// an answer that comes between them has no fixed index, and is written in full.
void ResponseEncoder::AppendGrpcHead(std::string& block) {
  AppendStatus(block, 200);
  if (head_indexed_) {
    block.push_back(trailers_indexed_ ? '\xbf' : '\xbe');
    return;
  }
  if (!may_index_) {
    AppendField(block, "content-type", "application/grpc");
    return;
  }
  AppendInteger(block, 0x40, 6, StaticName("content-type"));
  AppendString(block, "application/grpc");
  head_indexed_ = true;
}

void ResponseEncoder::AppendGrpcOkTrailers(std::string& block) {
  if (trailers_indexed_) {
    block.push_back('\xbe');
    return;
  }
  AppendPendingSizeUpdate(block);
  if (!may_index_ || !head_indexed_) {
    AppendField(block, "grpc-status", "0");
    return;
  }
  block.push_back('\x40');
  AppendString(block, "grpc-status");
  AppendString(block, "0");
  trailers_indexed_ = true;
}

}  // namespace weir::net
