// RequestHead is what stands before a request's body, parsed once, the same for HTTP/1 and HTTP/2.
//
// Clients send the same head again and again, so sessions keep the last few and hand out another
// reference to one that equals what came; what a handler derived from a head (its route) is kept in
// it, and a repeated head costs a comparison.
//
// Threads: a head, its references and its pool belong to one loop thread. The views are copied by
// whoever takes them elsewhere.
// Ownership: HeadRef counts; the last one returns the head, with its memory, to the pool.
// Invariants: field names are in lower case; a head never changes after Finish, what its readers
// noted in it apart.

#ifndef WEIR_NET_REQUEST_HEAD_H_
#define WEIR_NET_REQUEST_HEAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

enum class HttpMethod : std::uint8_t {
  kOther,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kOptions,
  kPatch
};

enum class HttpVersion : std::uint8_t { k10, k11, k2 };

class HeadPool;
class RequestHandler;

class RequestHead {
 public:
  enum class Pseudo : std::uint8_t { kMethod, kScheme, kAuthority, kPath };

  explicit RequestHead(HeadPool& pool) : pool_(pool) {}
  RequestHead(const RequestHead&) = delete;
  RequestHead& operator=(const RequestHead&) = delete;

  // Building. Names are given in lower case, except to AddFieldLowering.
  void AddField(std::string_view name, std::string_view value);
  void AddFieldLowering(std::string_view name, std::string_view value);
  void SetPseudo(Pseudo which, std::string_view value);
  bool HasPseudo(Pseudo which) const;
  // Sum of names and values so far and 32 for each field, as HTTP/2 counts a header list.
  std::size_t list_bytes() const { return list_bytes_; }
  // False when a field contradicts another or itself (two lengths, a length that is no number).
  [[nodiscard]] bool Finish(HttpVersion version);

  HttpVersion version() const { return version_; }
  HttpMethod method() const { return method_; }
  std::string_view method_name() const { return method_name_; }
  std::string_view scheme() const { return scheme_; }
  std::string_view authority() const { return authority_; }
  std::string_view target() const { return target_; }  // Path and query, as they came.
  std::string_view path() const { return path_; }      // Before the '?'.
  std::string_view query() const { return query_; }    // After it.
  std::span<const HeaderField> fields() const { return fields_; }
  std::optional<std::string_view> Find(std::string_view name) const;  // The first of that name.

  std::string_view content_type() const { return content_type_; }
  std::string_view content_encoding() const { return content_encoding_; }
  std::string_view grpc_encoding() const { return grpc_encoding_; }
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  std::optional<std::chrono::nanoseconds> grpc_timeout() const { return grpc_timeout_; }
  bool is_grpc() const { return is_grpc_; }  // By its content type.
  bool expects_continue() const { return expects_continue_; }
  bool chunked() const { return chunked_; }
  bool connection_close() const { return connection_close_; }
  bool connection_keep_alive() const { return connection_keep_alive_; }

  // Who answers it, as the session found out; null at first.
  RequestHandler* handler() const { return handler_; }
  void set_handler(RequestHandler* handler) const { handler_ = handler; }

  // A handler's note to itself, found again when the same head comes again; null at first.
  const void* route() const { return route_; }
  void set_route(const void* route) const { route_ = route; }

 private:
  friend class HeadRef;
  friend class HeadPool;
  struct Placed {
    std::uint32_t name_at, name_size, value_at, value_size;
  };

  Placed Place(std::string_view name, std::string_view value);
  void Reset();
  bool ReadKnownField(const HeaderField& field);
  bool ReadContentLength(std::string_view value);
  bool ReadTransferEncoding(std::string_view value);
  void ReadConnection(std::string_view value);

  HeadPool& pool_;
  std::uint32_t references_ = 0;

  std::string text_;  // Names and values, end to end.
  std::vector<Placed> placed_;
  Placed pseudo_[4] = {};
  bool has_pseudo_[4] = {};
  std::size_t list_bytes_ = 0;

  std::vector<HeaderField> fields_;
  std::string_view method_name_, scheme_, authority_, target_, path_, query_;
  std::string_view content_type_, content_encoding_, grpc_encoding_;
  std::optional<std::uint64_t> content_length_;
  std::optional<std::chrono::nanoseconds> grpc_timeout_;
  HttpVersion version_ = HttpVersion::k11;
  HttpMethod method_ = HttpMethod::kOther;
  bool is_grpc_ = false;
  bool expects_continue_ = false;
  bool chunked_ = false;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  mutable RequestHandler* handler_ = nullptr;
  mutable const void* route_ = nullptr;
};

class HeadRef {
 public:
  HeadRef() = default;
  explicit HeadRef(RequestHead* head) : head_(head) { Reference(); }
  HeadRef(const HeadRef& other) : head_(other.head_) { Reference(); }
  HeadRef(HeadRef&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  HeadRef& operator=(HeadRef other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  ~HeadRef() {
    if (head_ != nullptr && --head_->references_ == 0) {
      Return();
    }
  }

  explicit operator bool() const { return head_ != nullptr; }
  const RequestHead& operator*() const { return *head_; }
  const RequestHead* operator->() const { return head_; }

 private:
  void Reference() {
    if (head_ != nullptr) {
      ++head_->references_;
    }
  }
  void Return();

  RequestHead* head_ = nullptr;
};

// Heads that are not in use, with the memory they have grown. Outlives every head.
class HeadPool {
 public:
  HeadPool() = default;
  HeadPool(const HeadPool&) = delete;
  HeadPool& operator=(const HeadPool&) = delete;

  // An empty head; whoever finishes it wraps it in a HeadRef.
  std::unique_ptr<RequestHead> Take();
  void Return(std::unique_ptr<RequestHead> head);

 private:
  std::vector<std::unique_ptr<RequestHead>> free_;
};

// "100m" and the like. nullopt when it is not of that form.
std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);
// A field name made of token characters in lower case; a value without control characters.
bool IsLowerToken(std::string_view name);
bool IsToken(std::string_view name);
bool IsFieldValue(std::string_view value);

}  // namespace weir::net

#endif  // WEIR_NET_REQUEST_HEAD_H_
