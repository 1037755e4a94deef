// Little-endian integers in strings: what the journal's formats are made of.
//
// Threads: pure functions; a ByteCursor belongs to one thread.

#ifndef WEIR_JOURNAL_BYTES_H_
#define WEIR_JOURNAL_BYTES_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::journal {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the formats are read and written in place");

template <std::integral T>
void Put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <std::integral T>
void PutAt(std::string& out, std::size_t offset, T value) {
  std::memcpy(out.data() + offset, &value, sizeof(value));
}

// REQUIRES: the value lies within `bytes`.
template <std::integral T>
T GetAt(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

// Takes values off the front; after one that is not there everything is zero and ok() is false.
class ByteCursor {
 public:
  explicit ByteCursor(std::string_view bytes) : bytes_(bytes) {}

  template <std::integral T>
  T Take() {
    const std::string_view bytes = TakeBytes(sizeof(T));
    return bytes.size() == sizeof(T) ? GetAt<T>(bytes, 0) : T{};
  }
  std::string_view TakeBytes(std::size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view front = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return front;
  }
  // A length in two bytes, and so many bytes.
  std::string TakeName() { return std::string(TakeBytes(Take<std::uint16_t>())); }

  bool ok() const { return ok_; }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

inline void PutName(std::string& out, std::string_view name) {
  Put(out, static_cast<std::uint16_t>(name.size()));
  out.append(name);
}

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_BYTES_H_
