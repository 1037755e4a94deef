// Takes OTLP from a collector under measurement, answers success, and counts: requests, bytes,
// items.
//   weir_bench_sink PORT
// One thread and one port for OTLP/gRPC (HTTP/2 without TLS), OTLP/HTTP over HTTP/1.1 and over
// HTTP/2. It costs little, because it shares the machine with what it measures. GET /stats over
// HTTP/1.1 tells the counts as JSON.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "otlp_count.h"

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0";
constexpr std::size_t kGrpcPrefixBytes = 5;

struct Counts {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::uint64_t items = 0;
  std::uint64_t malformed = 0;
} g_counts;

void CountRequest(std::string_view path, std::string_view body, bool gzip) {
  std::string inflated;
  ++g_counts.requests;
  g_counts.bytes += body.size();
  if (gzip) {
    if (!Gunzip(body, inflated)) {
      ++g_counts.malformed;
      return;
    }
    body = inflated;
  }
  const bool metrics = path.find("etrics") != std::string_view::npos;
  if (!CountItems(body, metrics, g_counts.items)) {
    ++g_counts.malformed;
  }
}

std::string Stats() {
  char text[256];
  std::snprintf(text, sizeof text,
                "{\"requests\": %llu, \"bytes\": %llu, \"items\": %llu, \"malformed\": %llu}\n",
                static_cast<unsigned long long>(g_counts.requests),
                static_cast<unsigned long long>(g_counts.bytes),
                static_cast<unsigned long long>(g_counts.items),
                static_cast<unsigned long long>(g_counts.malformed));
  return text;
}

struct Stream {
  std::string path;
  std::string body;
  bool grpc = false;
  bool gzip = false;
};

struct Connection {
  int fd = -1;
  std::string
      in;  // What HTTP/1.1 has not consumed yet, or the first bytes before the protocol is known.
  std::string out;  // What the socket has not taken yet.
  nghttp2_session* session = nullptr;
  std::unordered_map<std::int32_t, Stream> streams;

  ~Connection() {
    nghttp2_session_del(session);
    close(fd);
  }
};

// ---- HTTP/2

nghttp2_nv Header(std::string_view name, std::string_view value) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
          value.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

// The empty response message of a gRPC call, then its trailers.
ssize_t ReadGrpcAnswer(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t,
                       std::uint32_t* flags, nghttp2_data_source*, void*) {
  std::memset(buffer, 0, kGrpcPrefixBytes);
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  const nghttp2_nv trailers[] = {Header("grpc-status", "0")};
  nghttp2_submit_trailer(session, id, trailers, 1);
  return kGrpcPrefixBytes;
}

int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name_data,
             std::size_t name_length, const std::uint8_t* value_data, std::size_t value_length,
             std::uint8_t, void* user) {
  Stream& stream = static_cast<Connection*>(user)->streams[frame->hd.stream_id];
  const std::string_view name(reinterpret_cast<const char*>(name_data), name_length);
  const std::string_view value(reinterpret_cast<const char*>(value_data), value_length);
  if (name == ":path") {
    stream.path = value;
  } else if (name == "content-type") {
    stream.grpc = value.starts_with("application/grpc");
  } else if (name == "content-encoding") {
    stream.gzip = value == "gzip";
  }
  return 0;
}

int OnData(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
           std::size_t size, void* user) {
  Stream& stream = static_cast<Connection*>(user)->streams[id];
  stream.body.append(reinterpret_cast<const char*>(data), size);
  if (stream.grpc && stream.body.size() >= kGrpcPrefixBytes) {
    std::uint32_t length = 0;
    std::memcpy(&length, stream.body.data() + 1, sizeof length);
    stream.body.reserve(kGrpcPrefixBytes + ntohl(length));
  }
  return 0;
}

int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  const bool body = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (!body || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
    return 0;
  }
  Stream& stream = static_cast<Connection*>(user)->streams[frame->hd.stream_id];
  if (stream.grpc && stream.body.size() >= kGrpcPrefixBytes) {
    const bool compressed = stream.body[0] != 0;
    CountRequest(stream.path, std::string_view(stream.body).substr(kGrpcPrefixBytes), compressed);
  } else {
    CountRequest(stream.path, stream.body, stream.gzip);
  }
  if (stream.grpc) {
    const nghttp2_nv headers[] = {Header(":status", "200"),
                                  Header("content-type", "application/grpc")};
    nghttp2_data_provider provider{};
    provider.read_callback = ReadGrpcAnswer;
    nghttp2_submit_response(session, frame->hd.stream_id, headers, 2, &provider);
  } else {
    const nghttp2_nv headers[] = {Header(":status", "200"),
                                  Header("content-type", "application/x-protobuf"),
                                  Header("content-length", "0")};
    nghttp2_submit_response(session, frame->hd.stream_id, headers, 3, nullptr);
  }
  return 0;
}

int OnClose(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
  static_cast<Connection*>(user)->streams.erase(id);
  return 0;
}

void StartHttp2(Connection& connection) {
  static nghttp2_session_callbacks* const callbacks = [] {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, OnClose);
    return made;
  }();
  nghttp2_session_server_new(&connection.session, callbacks, &connection);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000},
                                             {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 8 << 20},
                                             {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1 << 20}};
  nghttp2_submit_settings(connection.session, NGHTTP2_FLAG_NONE, settings, 3);
  nghttp2_session_set_local_window_size(connection.session, NGHTTP2_FLAG_NONE, 0, 64 << 20);
}

// ---- HTTP/1.1

std::string_view HeaderValue(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      std::string_view value = line.substr(name.size() + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      return value;
    }
  }
  return {};
}

// Reads a chunked body that starts at `at`. False while it is incomplete.
bool ReadChunks(std::string_view in, std::size_t& at, std::string& body) {
  for (;;) {
    const std::size_t line = in.find("\r\n", at);
    if (line == std::string_view::npos) {
      return false;
    }
    const std::size_t size =
        std::strtoul(std::string(in.substr(at, line - at)).c_str(), nullptr, 16);
    if (in.size() < line + 2 + size + 2) {
      return false;
    }
    body.append(in.substr(line + 2, size));
    at = line + 2 + size + 2;
    if (size == 0) {
      return true;
    }
  }
}

// Handles one request at the front of `in`; false while it is incomplete.
bool HandleHttp1(Connection& connection) {
  const std::string_view in = connection.in;
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return false;
  }
  const std::string_view head = in.substr(0, end);
  const std::size_t path_at = head.find(' ') + 1;
  const std::string_view path = head.substr(path_at, head.find(' ', path_at) - path_at);
  std::size_t at = end + 4;
  std::string chunks;
  std::string_view body;
  const std::string length_text(HeaderValue(head, "content-length"));
  const std::size_t length = std::strtoul(length_text.c_str(), nullptr, 10);
  const bool chunked = HeaderValue(head, "transfer-encoding") == "chunked";
  const bool whole = chunked ? ReadChunks(in, at, chunks) : in.size() >= at + length;
  if (!whole) {
    if (in.size() == at && !HeaderValue(head, "expect").empty()) {
      connection.out += "HTTP/1.1 100 Continue\r\n\r\n";
    } else {
      connection.in.reserve(at + length);
    }
    return false;
  }
  if (chunked) {
    body = chunks;
  } else {
    body = in.substr(at, length);
    at += length;
  }
  std::string answer;
  if (path == "/stats") {
    answer = Stats();
  } else {
    CountRequest(path, body, HeaderValue(head, "content-encoding") == "gzip");
  }
  connection.out += "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: " +
                    std::to_string(answer.size()) + "\r\n\r\n" + answer;
  connection.in.erase(0, at);
  return true;
}

// ---- sockets

bool Consume(Connection& connection, const char* data, std::size_t size) {
  if (connection.session == nullptr) {
    connection.in.append(data, size);
    const std::string_view in = connection.in;
    if (in.size() < kPreface.size() && kPreface.starts_with(in)) {
      return true;
    }
    if (!in.starts_with(kPreface)) {
      while (HandleHttp1(connection)) {
      }
      return true;
    }
    StartHttp2(connection);
    const std::string first = std::move(connection.in);
    return nghttp2_session_mem_recv(connection.session,
                                    reinterpret_cast<const std::uint8_t*>(first.data()),
                                    first.size()) >= 0;
  }
  return nghttp2_session_mem_recv(connection.session, reinterpret_cast<const std::uint8_t*>(data),
                                  size) >= 0;
}

void Flush(Connection& connection) {
  const std::uint8_t* data = nullptr;
  for (ssize_t size = 1; connection.session != nullptr && size > 0;) {
    size = nghttp2_session_mem_send(connection.session, &data);
    if (size > 0) {
      connection.out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
  }
  while (!connection.out.empty()) {
    const ssize_t written = write(connection.fd, connection.out.data(), connection.out.size());
    if (written <= 0) {
      return;
    }
    connection.out.erase(0, static_cast<std::size_t>(written));
  }
}

// Reads all that the socket has. False when the connection is over.
bool Serve(Connection& connection) {
  static char buffer[1 << 18];
  bool open = true;
  for (;;) {
    const ssize_t size = read(connection.fd, buffer, sizeof buffer);
    if (size == 0 || (size < 0 && errno != EAGAIN)) {
      open = false;
    }
    if (size <= 0 || !(open = Consume(connection, buffer, static_cast<std::size_t>(size)))) {
      break;
    }
  }
  Flush(connection);
  return open;
}

int Listen(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 128) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return fd;
}

void Watch(int epoll, int fd, std::uint32_t events, void* data) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  const int listener = Listen(std::atoi(argv[1]));
  const int epoll = epoll_create1(0);
  Watch(epoll, listener, EPOLLIN, nullptr);
  epoll_event events[64];
  for (;;) {
    const int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connection = std::make_unique<Connection>().release();  // Freed below when it is over.
        connection->fd = fd;
        Watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET, connection);
      } else if (!Serve(*connection)) {
        delete connection;
      }
    }
  }
}
