#include "net/socket_bio.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "weir/base/check.h"

namespace weir::net {
namespace {

int Descriptor(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool IsTemporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int Read(BIO* bio, char* into, std::size_t size, std::size_t* read) {
  BIO_clear_retry_flags(bio);
  const ssize_t result = ::recv(Descriptor(bio), into, size, 0);
  if (result > 0) {
    *read = static_cast<std::size_t>(result);
    return 1;
  }
  *read = 0;
  if (result == 0) {
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  } else if (IsTemporary(errno)) {
    BIO_set_retry_read(bio);
  }
  return 0;
}

int Write(BIO* bio, const char* from, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  const ssize_t result = ::send(Descriptor(bio), from, size, MSG_NOSIGNAL);
  if (result >= 0) {
    *written = static_cast<std::size_t>(result);
    return 1;
  }
  *written = 0;
  if (IsTemporary(errno)) {
    BIO_set_retry_write(bio);
  }
  return 0;
}

long Control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* SocketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir socket");
    WEIR_CHECK(made != nullptr);
    BIO_meth_set_read_ex(made, Read);
    BIO_meth_set_write_ex(made, Write);
    BIO_meth_set_ctrl(made, Control);
    return made;
  }();
  return method;
}

}  // namespace

BIO* NewSocketBio(int fd) {
  BIO* const bio = BIO_new(SocketMethod());
  WEIR_CHECK(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace weir::net
