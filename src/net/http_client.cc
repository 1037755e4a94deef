#include "net/http_client.h"

#include <sys/epoll.h>

#include <algorithm>

#include "net/curl_transfer.h"
#include "weir/base/check.h"

namespace weir::net {

std::string_view HttpClientResponse::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

class HttpClient::Impl {
 public:
  Impl(EventLoop& loop, HttpClientOptions options);
  ~Impl();

  void Send(HttpClientRequest request, HttpDone done);
  std::size_t open_requests() const { return open_.size(); }

 private:
  struct Open {
    std::unique_ptr<CurlTransfer> transfer;
    HttpDone done;
  };
  // libcurl's interest in one socket.
  class Socket final : public FdHandler {
   public:
    Socket(Impl& client, int fd) : client_(client), fd_(fd) {}
    void OnEvents(std::uint32_t events) override { client_.OnSocket(fd_, events); }

   private:
    Impl& client_;
    const int fd_;
  };

  static int OnSocketInterest(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int OnTimer(CURLM* multi, long millis, void* self);
  void OnSocket(int fd, std::uint32_t events);
  void CollectFinished();
  void Finish(HttpDone done, HttpClientResponse response);

  EventLoop& loop_;
  const HttpClientOptions options_;
  CURLM* const multi_;
  CURLSH* const share_;  // Cookies.
  std::unordered_map<int, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> dropped_sockets_;  // May be speaking still.
  EventLoop::TimerId timer_ = 0;
  std::unordered_map<CURL*, Open> open_;
  std::vector<std::pair<HttpDone, HttpClientResponse>> finished_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // Deferred tasks hold it weakly.
};

HttpClient::Impl::Impl(EventLoop& loop, HttpClientOptions options)
    : loop_(loop),
      options_(std::move(options)),
      multi_((InitializeCurl(), curl_multi_init())),
      share_(curl_share_init()) {
  WEIR_CHECK(multi_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocketInterest);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  if (options_.idle_connections_max > 0) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                      static_cast<long>(options_.idle_connections_max));
  }
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(options_.host_connections_max));
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
}

HttpClient::Impl::~Impl() {
  alive_.reset();
  for (auto& [easy, open] : open_) {
    curl_multi_remove_handle(multi_, easy);
    finished_.emplace_back(std::move(open.done),
                           HttpClientResponse{.failure = HttpClientResponse::Failure::kCancelled,
                                              .error = "the client was shut down"});
  }
  open_.clear();
  curl_multi_cleanup(multi_);
  curl_share_cleanup(share_);
  loop_.Cancel(timer_);
  for (const auto& [fd, socket] : sockets_) {
    loop_.Unwatch(fd);
  }
  for (auto& [done, response] : finished_) {
    done(std::move(response));
  }
}

void HttpClient::Impl::Send(HttpClientRequest request, HttpDone done) {
  const auto left = request.deadline == TimePoint::max() ? std::chrono::nanoseconds(0)
                                                         : request.deadline - loop_.Now();
  if (left < std::chrono::nanoseconds(0)) {
    Finish(std::move(done),
           {.failure = HttpClientResponse::Failure::kTimeout, .error = "the deadline has passed"});
    return;
  }
  auto transfer = std::make_unique<CurlTransfer>(options_.tls, std::move(request));
  transfer->PreparePost(left);
  CURL* const easy = transfer->easy();
  curl_easy_setopt(
      easy, CURLOPT_HTTP_VERSION,
      static_cast<long>(options_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, options_.keep_alive ? 0L : 1L);
  curl_easy_setopt(
      easy, CURLOPT_MAXAGE_CONN,
      static_cast<long>(std::chrono::ceil<std::chrono::seconds>(options_.idle_timeout).count()));
  if (!options_.proxy_url.empty()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy_url.c_str());
  }
  if (options_.upload_buffer_bytes > 0) {
    curl_easy_setopt(
        easy, CURLOPT_UPLOAD_BUFFERSIZE,
        static_cast<long>(std::clamp<std::uint32_t>(options_.upload_buffer_bytes, 16384, 2097152)));
  }
  if (options_.cookies) {
    curl_easy_setopt(easy, CURLOPT_SHARE, share_);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");  // Keeps cookies, reads no file.
  }
  open_.emplace(easy, Open{.transfer = std::move(transfer), .done = std::move(done)});
  WEIR_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
}

int HttpClient::Impl::OnSocketInterest(CURL*, curl_socket_t fd, int what, void* self, void*) {
  Impl& client = *static_cast<Impl*>(self);
  const auto found = client.sockets_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (found != client.sockets_.end()) {
      client.loop_.Unwatch(fd);
      if (client.dropped_sockets_.empty()) {
        client.loop_.Defer([&client, alive = std::weak_ptr<bool>(client.alive_)] {
          if (alive.lock() != nullptr) {
            client.dropped_sockets_.clear();
          }
        });
      }
      client.dropped_sockets_.push_back(std::move(found->second));
      client.sockets_.erase(found);
    }
    return 0;
  }
  const std::uint32_t events =
      (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
  if (found != client.sockets_.end()) {
    client.loop_.Rewatch(fd, events, *found->second);
  } else {
    const auto& socket =
        client.sockets_.emplace(fd, std::make_unique<Socket>(client, fd)).first->second;
    client.loop_.Watch(fd, events, *socket);
  }
  return 0;
}

int HttpClient::Impl::OnTimer(CURLM*, long millis, void* self) {
  Impl& client = *static_cast<Impl*>(self);
  client.loop_.Cancel(std::exchange(client.timer_, 0));
  if (millis >= 0) {
    client.timer_ = client.loop_.ScheduleAfter(std::chrono::milliseconds(millis), [&client] {
      client.timer_ = 0;
      client.OnSocket(CURL_SOCKET_TIMEOUT, 0);
    });
  }
  return 0;
}

void HttpClient::Impl::OnSocket(int fd, std::uint32_t events) {
  const int mask = ((events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                   ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
  int running = 0;
  curl_multi_socket_action(multi_, fd, mask, &running);
  CollectFinished();
}

void HttpClient::Impl::CollectFinished() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    CURL* const easy = message->easy_handle;
    const CURLcode result = message->data.result;
    curl_multi_remove_handle(multi_, easy);
    const auto found = open_.find(easy);
    WEIR_CHECK(found != open_.end());
    Open open = std::move(found->second);
    open_.erase(found);
    Finish(std::move(open.done), open.transfer->Finish(result));
  }
}

// Answers are handed over in a task of their own: `done` may then do anything, such as send again
// or destroy the client, although libcurl may be on the stack here.
void HttpClient::Impl::Finish(HttpDone done, HttpClientResponse response) {
  if (finished_.empty()) {
    loop_.Defer([this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.lock() != nullptr) {
        for (auto& [callback, answer] : std::exchange(finished_, {})) {
          callback(std::move(answer));
        }
      }
    });
  }
  finished_.emplace_back(std::move(done), std::move(response));
}

HttpClient::HttpClient(EventLoop& loop, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
HttpClient::~HttpClient() = default;

void HttpClient::Send(HttpClientRequest request, HttpDone done) {
  impl_->Send(std::move(request), std::move(done));
}

std::size_t HttpClient::open_requests() const { return impl_->open_requests(); }

}  // namespace weir::net
