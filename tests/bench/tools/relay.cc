// The machine's limit for passing bytes on: read from one TCP socket, write to another, nothing
// else.
//   weir_bench_relay [GIGABYTES [BUFFER_BYTES]]
// Prints megabytes a CPU-second of the relaying process alone; source and sink are processes of
// their own.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

int Listen(sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(fd, 1) != 0 || getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return fd;
}

int Connect(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

void Drain(int listener, std::size_t buffer_bytes) {
  const int in = accept(listener, nullptr, nullptr);
  std::vector<char> buffer(buffer_bytes);
  while (read(in, buffer.data(), buffer.size()) > 0) {
  }
}

void Relay(int listener, const sockaddr_in& target, std::size_t buffer_bytes) {
  const int in = accept(listener, nullptr, nullptr);
  const int out = Connect(target);
  std::vector<char> buffer(buffer_bytes);
  double bytes = 0;
  ssize_t count = 0;
  while ((count = read(in, buffer.data(), buffer.size())) > 0) {
    bytes += static_cast<double>(count);
    for (ssize_t sent = 0; sent < count;) {
      const ssize_t written =
          write(out, buffer.data() + sent, static_cast<std::size_t>(count - sent));
      if (written < 0) {
        return;
      }
      sent += written;
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  std::printf("%.0f\n", bytes / 1e6 / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const double total = (argc > 1 ? std::atof(argv[1]) : 4) * 1e9;
  const std::size_t buffer_bytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 65536;
  sockaddr_in sink_address;
  sockaddr_in relay_address;
  const int sink_listener = Listen(sink_address);
  const int relay_listener = Listen(relay_address);
  if (fork() == 0) {
    Drain(sink_listener, buffer_bytes);
    return 0;
  }
  if (fork() == 0) {
    Relay(relay_listener, sink_address, buffer_bytes);
    return 0;
  }
  const int out = Connect(relay_address);
  const std::vector<char> buffer(buffer_bytes);
  for (double sent = 0; sent < total;) {
    const ssize_t written = write(out, buffer.data(), buffer.size());
    if (written < 0) {
      break;
    }
    sent += static_cast<double>(written);
  }
  close(out);
  while (wait(nullptr) > 0) {
  }
}
