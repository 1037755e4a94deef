// Unary gRPC calls over HTTP/2 connections of our own, on the caller's event loop: no thread, and
// no copy between the slices of a request and the socket.
//
// What a gRPC channel does is done here: names are resolved (off the loop) and resolved again after
// a failure, connections are made again with backoff, calls are spread over them (round_robin) or
// kept on one (pick_first), calls that a server has surely not seen are sent again, and every call
// ends by its deadline.
//
// Threads: the loop's thread, construction and destruction included.
// Ownership: the loop outlives the client. A request's slices are held until it has ended.
// Loss: `done` is called exactly once for every call, never from within Call; the destructor calls
// what is open with CANCELLED.

#ifndef WEIR_NET_GRPC_CLIENT_H_
#define WEIR_NET_GRPC_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "net/address.h"
#include "net/compression.h"
#include "net/grpc_connection.h"
#include "net/grpc_response.h"
#include "net/grpc_subchannel.h"
#include "net/grpc_target.h"
#include "net/tls.h"
#include "weir/base/event_loop.h"

namespace weir::net {

struct GrpcRequest {
  std::string path;  // "/package.Service/Method".
  // The serialized message, compressed by `encoding` as a whole.
  std::vector<Slice> message;
  Compression encoding = Compression::kNone;
  // Keys in lower case; values of -bin keys are base64 already.
  std::vector<std::pair<std::string, std::string>> metadata;
  TimePoint deadline = TimePoint::max();
};

using GrpcDone = absl::AnyInvocable<void(GrpcResponse)>;

enum class GrpcBalancer : std::uint8_t { kRoundRobin, kPickFirst };

struct GrpcClientOptions {
  GrpcTarget target;
  std::shared_ptr<TlsContext> tls;  // Null: clear text. Offer "h2" by ALPN.
  std::string authority;            // Empty: the target's.
  std::string user_agent = "weir";
  GrpcBalancer balancer = GrpcBalancer::kRoundRobin;
  // A call waits for a connection until its deadline, also while connecting keeps failing.
  bool wait_for_ready = false;
  std::optional<GrpcKeepalive> keepalive;
  std::size_t response_bytes_max = std::size_t{4} << 20;
  std::size_t addresses_max = 100;  // Connections of round_robin, at most.

  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(20);
  std::chrono::nanoseconds backoff_min = std::chrono::seconds(1);
  std::chrono::nanoseconds backoff_max = std::chrono::seconds(120);
  double backoff_factor = 1.6;
  double backoff_jitter = 0.2;
  std::uint32_t seed = 0;  // Of the jitter; 0 takes one from the system.
};

class GrpcClient : private GrpcSubchannel::Owner {
 public:
  using CallId = std::uint64_t;

  GrpcClient(EventLoop& loop, GrpcClientOptions options);
  ~GrpcClient() override;
  GrpcClient(const GrpcClient&) = delete;
  GrpcClient& operator=(const GrpcClient&) = delete;

  // Begins to connect, so that the first call need not wait for it.
  void Connect();
  CallId Call(GrpcRequest request, GrpcDone done);
  void Cancel(CallId id);  // `done` gets CANCELLED; no-op when it has ended.

  std::size_t open_calls() const { return calls_.size(); }
  std::size_t ready_connections() const;

 private:
  class OpenCall;
  enum class Readiness { kReady, kConnecting, kFailing };

  // GrpcSubchannel::Owner
  void OnSubchannelChanged() override;
  void OnAddressesStale() override { Resolve(); }
  std::chrono::nanoseconds BackoffDelay(int failures) override;

  void Resolve();
  void OnResolved(absl::StatusOr<Addresses> addresses);
  void UseAddresses(Addresses addresses);
  GrpcSubchannel& AddSubchannel(Addresses addresses);
  void SweepRetired();  // Those whose last call has ended.

  GrpcConnection* PickReady();
  Readiness readiness() const;
  void Dispatch(OpenCall& call);
  void DispatchWaiting();
  void FailWaiting();
  void OnDeadline(CallId id);
  void Finish(OpenCall& call, GrpcResponse response);
  GrpcStream::Headers BuildHeaders(const GrpcRequest& request) const;

  EventLoop& loop_;
  const GrpcClientOptions options_;
  const std::string authority_;
  const GrpcConnectionOptions connection_options_;
  std::minstd_rand random_;

  std::unique_ptr<NameLookup> lookup_;
  EventLoop::TimerId resolve_timer_ = 0;
  EventLoop::TimerId sweep_timer_ = 0;
  int resolve_failures_ = 0;
  std::optional<TimePoint> resolved_at_;
  std::string last_error_ = "not connected yet";

  std::vector<std::unique_ptr<GrpcSubchannel>> subchannels_;
  std::size_t next_subchannel_ = 0;

  CallId last_call_ = 0;
  std::unordered_map<CallId, std::unique_ptr<OpenCall>> calls_;
  std::vector<CallId> waiting_;  // For a connection, oldest first; those that ended are skipped.
  std::vector<std::pair<GrpcDone, GrpcResponse>> finished_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // Deferred tasks hold it weakly.
};

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_CLIENT_H_
