// Listener is a server's share of one loop: its listening socket, the connections accepted there,
// and the tick that watches over their timeouts.
//
// Threads: the loop's, apart from construction, destruction and `context().counters`.
// Ownership: owns its connections; a connection that finished is destroyed at the end of the turn.

#ifndef WEIR_NET_LISTENER_H_
#define WEIR_NET_LISTENER_H_

#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "net/server_connection.h"
#include "net/socket_address.h"

namespace weir::net {

class Listener final : public FdHandler, public ConnectionOwner {
 public:
  Listener(const ServerOptions& options, EventLoop& loop, IncompleteBytes& incomplete,
           ListenSocket socket, std::shared_ptr<TlsContext> tls, std::size_t connections_max);
  ~Listener();

  ServerContext& context() { return context_; }
  const ServerContext& context() const { return context_; }

  void StartAccepting();
  // No new connections, no new requests.
  void StartDrain();
  void AbortAll();
  void Retire();  // The last call on the loop: nothing is left there that knows of us.
  // Ready once StartDrain was called and the last connection has gone. REQUIRES: taken once.
  std::future<void> drained() { return drained_.get_future(); }

  void OnEvents(std::uint32_t events) override;
  void OnDirty(ServerConnection& connection) override;
  std::span<char> read_buffer() override {
    return {read_buffer_.get(), context_.options.read_buffer_bytes};
  }

 private:
  void Accept(int fd, PeerInfo peer);
  void WatchSocket(bool watch);
  void FlushDirty();
  void ScheduleTick();
  void Tick();
  void NoticeDrained();

  ServerContext context_;
  ListenSocket socket_;
  const std::shared_ptr<TlsContext> tls_;
  const std::size_t connections_max_;
  const std::chrono::nanoseconds tick_;
  const std::unique_ptr<char[]> read_buffer_;  // Its pages cost nothing until they are used.

  bool watching_ = false;
  bool draining_ = false;
  bool drained_told_ = false;
  EventLoop::TimerId timer_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<ServerConnection>> connections_;
  std::vector<ServerConnection*> dirty_;
  std::promise<void> drained_;
};

}  // namespace weir::net

#endif  // WEIR_NET_LISTENER_H_
