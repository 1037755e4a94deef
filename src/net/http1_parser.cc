#include "net/http1_parser.h"

#include <algorithm>
#include <cstring>

namespace weir::net {
namespace {

constexpr int kBadRequest = 400;
// Of extensions and trailers in one body.
constexpr std::uint32_t kFramingBytesMax = 16 * 1024;
constexpr std::uint8_t kSizeDigitsMax = 15;

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsTarget(std::string_view target) {
  return !target.empty() && std::all_of(target.begin(), target.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
}

// Splits "http://host/path" as clients of a proxy send it.
bool SetTarget(std::string_view target, RequestHead& head) {
  using Pseudo = RequestHead::Pseudo;
  if (target.front() == '/' || target == "*") {
    head.SetPseudo(Pseudo::kPath, target);
    return true;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() &&
        EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      const std::size_t slash = target.find_first_of("/?");
      head.SetPseudo(Pseudo::kAuthority, target.substr(0, slash));
      head.SetPseudo(Pseudo::kPath, slash == std::string_view::npos ? std::string_view("/")
                                                                    : target.substr(slash));
      return slash == std::string_view::npos || target[slash] == '/';
    }
  }
  return false;
}

int ParseRequestLine(std::string_view line, RequestHead& head, HttpVersion& version) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) {
    return kBadRequest;
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view protocol = line.substr(last + 1);
  if (!IsToken(method) || !IsTarget(target)) {
    return kBadRequest;
  }
  if (protocol == "HTTP/1.1") {
    version = HttpVersion::k11;
  } else if (protocol == "HTTP/1.0") {
    version = HttpVersion::k10;
  } else {
    return protocol.starts_with("HTTP/") ? 505 : kBadRequest;
  }
  if (method == "CONNECT") {
    return 501;
  }
  head.SetPseudo(RequestHead::Pseudo::kMethod, method);
  return SetTarget(target, head) ? 0 : kBadRequest;
}

}  // namespace

std::size_t FindHttp1HeadEnd(std::string_view bytes, std::size_t from) {
  const std::size_t found = bytes.find("\r\n\r\n", from);
  return found == std::string_view::npos ? found : found + 4;
}

int ParseHttp1Head(std::string_view text, std::size_t list_bytes_max, RequestHead& head) {
  HttpVersion version = HttpVersion::k11;
  if (const int status = ParseRequestLine(TakeLine(text), head, version); status != 0) {
    return status;
  }
  bool has_host = false;
  for (std::string_view line = TakeLine(text); !line.empty(); line = TakeLine(text)) {
    const std::size_t colon = line.find(':');
    // A line that starts with a blank goes on from the one before; nobody needs that any more.
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return kBadRequest;
    }
    const std::string_view value = TrimBlanks(line.substr(colon + 1));
    if (!IsFieldValue(value)) {
      return kBadRequest;
    }
    if (EqualsIgnoringCase(line.substr(0, colon), "host")) {
      if (has_host) {
        return kBadRequest;
      }
      has_host = true;
    }
    head.AddFieldLowering(line.substr(0, colon), value);
    if (head.list_bytes() > list_bytes_max) {
      return 431;
    }
  }
  if (version == HttpVersion::k11 && !has_host) {
    return kBadRequest;
  }
  if (!head.Finish(version)) {
    return kBadRequest;
  }
  if (head.chunked() && (head.content_length().has_value() || version == HttpVersion::k10)) {
    return kBadRequest;
  }
  return 0;
}

ChunkReader::Step ChunkReader::Read(std::span<const char> bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (state_ == State::kData) {
      const std::size_t count =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - used));
      left_ -= count;
      if (left_ == 0) {
        state_ = State::kDataReturn;
      }
      return {Event::kData, used + count, bytes.subspan(used, count)};
    }
    if (!ReadFraming(bytes[used])) {
      return {Event::kBad, used, {}};
    }
    ++used;
    if (ended_) {
      *this = ChunkReader();
      return {Event::kEnd, used, {}};
    }
  }
  return {Event::kMore, used, {}};
}

bool ChunkReader::ReadSizeDigit(char c) {
  std::uint64_t digit = 0;
  if (c >= '0' && c <= '9') {
    digit = static_cast<std::uint64_t>(c - '0');
  } else if (c >= 'a' && c <= 'f') {
    digit = static_cast<std::uint64_t>(c - 'a' + 10);
  } else if (c >= 'A' && c <= 'F') {
    digit = static_cast<std::uint64_t>(c - 'A' + 10);
  } else {
    return false;
  }
  left_ = left_ << 4 | digit;
  return ++digits_ <= kSizeDigitsMax;
}

bool ChunkReader::ReadFraming(char c) {
  switch (state_) {
    case State::kSize:
      if (c == '\r' && digits_ > 0) {
        state_ = State::kSizeLineFeed;
        return true;
      }
      if ((c == ';' || c == ' ' || c == '\t') && digits_ > 0) {
        state_ = State::kExtension;
        return true;
      }
      return ReadSizeDigit(c);
    case State::kExtension:
      state_ = c == '\r' ? State::kSizeLineFeed : State::kExtension;
      return c != '\n' && ++framing_bytes_ <= kFramingBytesMax;
    case State::kSizeLineFeed:
      state_ = left_ == 0 ? State::kTrailerStart : State::kData;
      digits_ = 0;
      return c == '\n';
    case State::kDataReturn:
      state_ = State::kDataLineFeed;
      return c == '\r';
    case State::kDataLineFeed:
      state_ = State::kSize;
      return c == '\n';
    case State::kTrailerStart:
      state_ = c == '\r' ? State::kEndLineFeed : State::kTrailer;
      return c != '\n' && ++framing_bytes_ <= kFramingBytesMax;
    case State::kTrailer:
      state_ = c == '\r' ? State::kTrailerLineFeed : State::kTrailer;
      return c != '\n' && ++framing_bytes_ <= kFramingBytesMax;
    case State::kTrailerLineFeed:
      state_ = State::kTrailerStart;
      return c == '\n';
    case State::kEndLineFeed:
      ended_ = true;
      return c == '\n';
    case State::kData:
      break;
  }
  return false;
}

}  // namespace weir::net
