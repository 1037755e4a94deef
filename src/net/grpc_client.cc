#include "net/grpc_client.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "fmt/format.h"
#include "weir/base/check.h"

namespace weir::net {
namespace {

constexpr int kTriesMax = 5;
constexpr std::chrono::seconds kResolveInterval{1};
constexpr std::chrono::seconds kSweepInterval{1};

std::string TlsHost(const GrpcTarget& target) {
  return target.hosts.empty() ? "localhost" : target.hosts.front().host;
}

// gRPC allows eight digits and a unit.
std::string TimeoutText(std::chrono::nanoseconds left) {
  constexpr std::int64_t kDigitsMax = 99999999;
  const std::int64_t micros =
      std::max<std::int64_t>(std::chrono::ceil<std::chrono::microseconds>(left).count(), 1);
  if (micros <= kDigitsMax) {
    return fmt::format("{}u", micros);
  }
  if (micros / 1000 <= kDigitsMax) {
    return fmt::format("{}m", micros / 1000);
  }
  return fmt::format("{}S", std::min(micros / 1000000, kDigitsMax));
}

// The five bytes in front of a message.
Slice MessagePrefix(bool compressed, std::size_t size) {
  std::string prefix(5, '\0');
  prefix[0] = compressed ? 1 : 0;
  for (int i = 0; i < 4; ++i) {
    prefix[static_cast<std::size_t>(4 - i)] = static_cast<char>(size >> (8 * i));
  }
  return Slice::Copy(prefix);
}

std::string_view EncodingName(Compression compression) {
  return compression == Compression::kSnappyFramed ? "snappy"
         : compression == Compression::kZlib       ? "deflate"
         : compression == Compression::kNone       ? "identity"
                                                   : CompressionName(compression);
}

bool IsValidHeader(const std::pair<std::string, std::string>& header) {
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
  };
  return nghttp2_check_header_name(bytes(header.first), header.first.size()) != 0 &&
         nghttp2_check_header_value(bytes(header.second), header.second.size()) != 0;
}

}  // namespace

class GrpcClient::OpenCall final : public GrpcStream {
 public:
  OpenCall(GrpcClient& client, CallId id, GrpcRequest request, GrpcDone done)
      : GrpcStream(client.options_.response_bytes_max),
        client_(client),
        id_(id),
        request_(std::move(request)),
        done_(std::move(done)) {
    pieces.reserve(request_.message.size() + 1);
    pieces.push_back(
        MessagePrefix(request_.encoding != Compression::kNone, TotalBytes(request_.message)));
    for (Slice& piece : request_.message) {
      if (!piece.empty()) {
        pieces.push_back(std::move(piece));
      }
    }
    request_.message.clear();
  }

  void OnEnd(End end, std::uint32_t http2_error, const std::string& why) override {
    connection_ = nullptr;
    switch (end) {
      case End::kAnswered:
        client_.Finish(*this, response.Finish());
        return;
      case End::kReset:
        client_.Finish(*this, {.code = CodeFromHttp2Error(http2_error),
                               .message = fmt::format("the server reset the call: {}", why)});
        return;
      case End::kUnprocessed:
        if (++tries_ < kTriesMax) {
          client_.Dispatch(*this);
          return;
        }
        [[fallthrough]];
      case End::kLost:
        client_.Finish(*this, {.code = GrpcCode::kUnavailable, .message = why});
    }
  }

 private:
  friend class GrpcClient;

  GrpcClient& client_;
  const CallId id_;
  GrpcRequest request_;
  GrpcDone done_;
  GrpcConnection* connection_ = nullptr;  // While it is a stream there.
  EventLoop::TimerId timer_ = 0;
  TimePoint began_{};
  int tries_ = 0;
};

GrpcClient::GrpcClient(EventLoop& loop, GrpcClientOptions options)
    : loop_(loop),
      options_(std::move(options)),
      authority_(options_.authority.empty() ? options_.target.authority : options_.authority),
      connection_options_{.tls = options_.tls,
                          .tls_host = TlsHost(options_.target),
                          .connect_timeout = options_.connect_timeout,
                          .keepalive = options_.keepalive},
      random_(options_.seed != 0 ? options_.seed : std::random_device{}()) {}

GrpcClient::~GrpcClient() {
  alive_.reset();
  loop_.Cancel(resolve_timer_);
  loop_.Cancel(sweep_timer_);
  for (auto& [id, call] : calls_) {
    loop_.Cancel(call->timer_);
    if (call->connection_ != nullptr) {
      call->connection_->Cancel(*call);
    }
    finished_.emplace_back(
        std::move(call->done_),
        GrpcResponse{.code = GrpcCode::kCancelled, .message = "the client was shut down"});
  }
  subchannels_.clear();
  for (auto& [done, response] : finished_) {
    done(std::move(response));
  }
}

void GrpcClient::Connect() {
  if (subchannels_.empty()) {
    Resolve();
  }
}

void GrpcClient::Resolve() {
  if (lookup_ != nullptr || resolve_timer_ != 0) {
    return;
  }
  const TimePoint now = loop_.Now();
  if (resolved_at_.has_value() && now - *resolved_at_ < kResolveInterval) {
    resolve_timer_ = loop_.ScheduleAt(*resolved_at_ + kResolveInterval, [this] {
      resolve_timer_ = 0;
      Resolve();
    });
    return;
  }
  resolved_at_ = now;
  if (options_.target.unix_path.empty()) {
    lookup_ = NameLookup::Begin(
        loop_, options_.target.hosts,
        [this](absl::StatusOr<Addresses> addresses) { OnResolved(std::move(addresses)); });
    return;
  }
  absl::StatusOr<SocketAddress> address = UnixAddress(options_.target.unix_path);
  if (address.ok()) {
    UseAddresses({*address});
  } else {
    OnResolved(address.status());
  }
}

void GrpcClient::OnResolved(absl::StatusOr<Addresses> addresses) {
  lookup_.reset();
  if (addresses.ok() && !addresses->empty()) {
    resolve_failures_ = 0;
    UseAddresses(*std::move(addresses));
    return;
  }
  // Old addresses are better than none; a connection that fails on them asks again.
  if (subchannels_.empty()) {
    last_error_ =
        addresses.ok() ? "the name has no address" : std::string(addresses.status().message());
    resolve_timer_ = loop_.ScheduleAfter(BackoffDelay(++resolve_failures_), [this] {
      resolve_timer_ = 0;
      Resolve();
    });
    FailWaiting();
  }
}

GrpcSubchannel& GrpcClient::AddSubchannel(Addresses addresses) {
  GrpcSubchannel::Owner& self = *this;
  subchannels_.push_back(
      std::make_unique<GrpcSubchannel>(loop_, connection_options_, std::move(addresses), self));
  return *subchannels_.back();
}

void GrpcClient::UseAddresses(Addresses addresses) {
  if (options_.balancer == GrpcBalancer::kPickFirst) {
    if (subchannels_.empty()) {
      AddSubchannel(std::move(addresses)).Connect();
    } else {
      subchannels_.front()->SetAddresses(std::move(addresses));
    }
    return;
  }
  addresses.resize(std::min(addresses.size(), options_.addresses_max));
  for (const auto& subchannel : subchannels_) {
    if (std::find(addresses.begin(), addresses.end(), subchannel->addresses().front()) ==
        addresses.end()) {
      subchannel->Retire();
    }
  }
  for (const SocketAddress& address : addresses) {
    const bool known =
        std::any_of(subchannels_.begin(), subchannels_.end(), [&](const auto& subchannel) {
          return !subchannel->retired() && subchannel->addresses().front() == address;
        });
    if (!known) {
      AddSubchannel({address}).Connect();
    }
  }
  SweepRetired();
}

void GrpcClient::SweepRetired() {
  loop_.Cancel(std::exchange(sweep_timer_, 0));
  std::erase_if(subchannels_, [](const auto& subchannel) {
    return subchannel->retired() && !subchannel->has_streams();
  });
  if (std::any_of(subchannels_.begin(), subchannels_.end(),
                  [](const auto& subchannel) { return subchannel->retired(); })) {
    sweep_timer_ = loop_.ScheduleAfter(kSweepInterval, [this] {
      sweep_timer_ = 0;
      SweepRetired();
    });
  }
}

std::chrono::nanoseconds GrpcClient::BackoffDelay(int failures) {
  const double base = static_cast<double>(options_.backoff_min.count()) *
                      std::pow(options_.backoff_factor, std::max(failures, 1) - 1);
  std::uniform_real_distribution<double> jitter(1 - options_.backoff_jitter,
                                                1 + options_.backoff_jitter);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(
      std::min(base, static_cast<double>(options_.backoff_max.count())) * jitter(random_)));
}

void GrpcClient::OnSubchannelChanged() {
  switch (readiness()) {
    case Readiness::kReady:
      DispatchWaiting();
      return;
    case Readiness::kConnecting:
      return;
    case Readiness::kFailing:
      for (const auto& subchannel : subchannels_) {
        if (!subchannel->retired()) {
          last_error_ = subchannel->last_error();
        }
      }
      FailWaiting();
  }
}

GrpcClient::Readiness GrpcClient::readiness() const {
  bool connecting = lookup_ != nullptr && subchannels_.empty();
  for (const auto& subchannel : subchannels_) {
    if (subchannel->ready_connection() != nullptr) {
      return Readiness::kReady;
    }
    connecting = connecting || (!subchannel->retired() &&
                                subchannel->state() == GrpcSubchannel::State::kConnecting);
  }
  return connecting ? Readiness::kConnecting : Readiness::kFailing;
}

std::size_t GrpcClient::ready_connections() const {
  return static_cast<std::size_t>(std::count_if(
      subchannels_.begin(), subchannels_.end(),
      [](const auto& subchannel) { return subchannel->ready_connection() != nullptr; }));
}

GrpcConnection* GrpcClient::PickReady() {
  for (std::size_t i = 0; i < subchannels_.size(); ++i) {
    next_subchannel_ = (next_subchannel_ + 1) % subchannels_.size();
    if (GrpcConnection* const ready = subchannels_[next_subchannel_]->ready_connection()) {
      return ready;
    }
  }
  return nullptr;
}

GrpcStream::Headers GrpcClient::BuildHeaders(const GrpcRequest& request) const {
  GrpcStream::Headers headers = {{":method", "POST"},
                                 {":scheme", options_.tls == nullptr ? "http" : "https"},
                                 {":path", request.path},
                                 {":authority", authority_},
                                 {"te", "trailers"},
                                 {"content-type", "application/grpc"},
                                 {"user-agent", options_.user_agent},
                                 {"grpc-accept-encoding", "identity,gzip"}};
  if (request.encoding != Compression::kNone) {
    headers.emplace_back("grpc-encoding", EncodingName(request.encoding));
  }
  if (request.deadline != TimePoint::max()) {
    headers.emplace_back("grpc-timeout", TimeoutText(request.deadline - loop_.Now()));
  }
  headers.insert(headers.end(), request.metadata.begin(), request.metadata.end());
  return headers;
}

GrpcClient::CallId GrpcClient::Call(GrpcRequest request, GrpcDone done) {
  const CallId id = ++last_call_;
  OpenCall& call =
      *calls_
           .emplace(id, std::make_unique<OpenCall>(*this, id, std::move(request), std::move(done)))
           .first->second;
  for (const auto& header : call.request_.metadata) {
    if (!IsValidHeader(header)) {
      Finish(call, {.code = GrpcCode::kInternal,
                    .message = fmt::format("metadata \"{}\" can't be sent", header.first)});
      return id;
    }
  }
  if (call.request_.deadline != TimePoint::max()) {
    call.timer_ = loop_.ScheduleAt(call.request_.deadline, [this, id] { OnDeadline(id); });
  }
  if (subchannels_.empty()) {
    Connect();
  }
  Dispatch(call);
  return id;
}

void GrpcClient::Dispatch(OpenCall& call) {
  if (GrpcConnection* const connection = PickReady()) {
    call.connection_ = connection;
    call.began_ = loop_.Now();
    call.headers = BuildHeaders(call.request_);
    connection->Begin(call);
    return;
  }
  if (options_.wait_for_ready || readiness() == Readiness::kConnecting) {
    waiting_.push_back(call.id_);
    return;
  }
  Finish(call, {.code = GrpcCode::kUnavailable, .message = last_error_});
}

void GrpcClient::DispatchWaiting() {
  for (const CallId id : std::exchange(waiting_, {})) {
    if (const auto found = calls_.find(id); found != calls_.end()) {
      Dispatch(*found->second);
    }
  }
}

void GrpcClient::FailWaiting() {
  if (options_.wait_for_ready) {
    return;
  }
  for (const CallId id : std::exchange(waiting_, {})) {
    if (const auto found = calls_.find(id); found != calls_.end()) {
      Finish(*found->second, {.code = GrpcCode::kUnavailable, .message = last_error_});
    }
  }
}

void GrpcClient::OnDeadline(CallId id) {
  OpenCall& call = *calls_.at(id);
  call.timer_ = 0;
  std::string message = "no connection in time: " + last_error_;
  if (GrpcConnection* const connection = std::exchange(call.connection_, nullptr)) {
    message = "no answer in time";
    connection->Cancel(call);
    // Silence since the call began may mean that the peer is gone and nobody has told us.
    if (connection->last_read() <= call.began_) {
      connection->Probe();
    }
  }
  Finish(call, {.code = GrpcCode::kDeadlineExceeded, .message = std::move(message)});
}

void GrpcClient::Cancel(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) {
    return;
  }
  OpenCall& call = *found->second;
  if (GrpcConnection* const connection = std::exchange(call.connection_, nullptr)) {
    connection->Cancel(call);
  }
  Finish(call, {.code = GrpcCode::kCancelled, .message = "cancelled"});
}

// Answers are handed over in a task of their own: `done` may then do anything, such as call again
// or destroy the client, although we may be deep inside a session here.
void GrpcClient::Finish(OpenCall& call, GrpcResponse response) {
  loop_.Cancel(std::exchange(call.timer_, 0));
  if (finished_.empty()) {
    loop_.Defer([this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.lock() != nullptr) {
        for (auto& [done, answer] : std::exchange(finished_, {})) {
          done(std::move(answer));
        }
      }
    });
  }
  finished_.emplace_back(std::move(call.done_), std::move(response));
  calls_.erase(call.id_);
}

}  // namespace weir::net
