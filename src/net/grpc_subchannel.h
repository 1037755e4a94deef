// A place in a gRPC client for one connection at a time: it tries its addresses in order, waits
// with backoff after all have failed, and replaces a connection that the peer drains while the old
// one's calls go on.
//
// Threads: the loop's thread.
// Ownership: owns its connections. The owner outlives it; it is called from tasks of their own.

#ifndef WEIR_NET_GRPC_SUBCHANNEL_H_
#define WEIR_NET_GRPC_SUBCHANNEL_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/grpc_connection.h"

namespace weir::net {

class GrpcSubchannel final : private GrpcConnection::Listener {
 public:
  enum class State { kConnecting, kReady, kBackoff };

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnSubchannelChanged() = 0;
    virtual void OnAddressesStale() = 0;
    // How long after the beginning of a failed attempt the next one may begin.
    virtual std::chrono::nanoseconds BackoffDelay(int failures) = 0;
  };

  // REQUIRES: addresses is not empty.
  GrpcSubchannel(EventLoop& loop, const GrpcConnectionOptions& options, Addresses addresses,
                 Owner& owner);
  ~GrpcSubchannel() override;

  void Connect();
  // For the next attempt; at once when waiting and an address is new.
  void SetAddresses(Addresses addresses);
  const Addresses& addresses() const { return addresses_; }

  State state() const;
  GrpcConnection* ready_connection() const;
  const std::string& last_error() const { return last_error_; }

  // Takes no new calls from now on.
  void Retire();
  bool retired() const { return retired_; }
  bool has_streams() const;

 private:
  void OnConnectionReady(GrpcConnection& connection) override;
  void OnConnectionDraining(GrpcConnection& connection, bool too_many_pings) override;
  void OnConnectionClosed(GrpcConnection& connection, const absl::Status& why) override;
  void BeginAttempt();
  void TryNextAddress();
  void BeginAttemptAt(TimePoint when);

  EventLoop& loop_;
  GrpcConnectionOptions options_;
  Addresses addresses_;
  Owner& owner_;

  State state_ = State::kConnecting;
  std::size_t next_address_ = 0;
  int failures_ = 0;
  TimePoint attempt_began_{};
  EventLoop::TimerId timer_ = 0;
  std::unique_ptr<GrpcConnection> connection_;
  std::vector<std::unique_ptr<GrpcConnection>> draining_;
  std::string last_error_ = "not connected yet";
  bool retired_ = false;
};

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_SUBCHANNEL_H_
