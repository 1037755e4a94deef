// What OpenSSL reads and writes a socket through. Its own way raises SIGPIPE when the peer is gone.

#ifndef WEIR_NET_SOCKET_BIO_H_
#define WEIR_NET_SOCKET_BIO_H_

typedef struct bio_st BIO;

namespace weir::net {

// Doesn't own the descriptor.
BIO* NewSocketBio(int fd);

}  // namespace weir::net

#endif  // WEIR_NET_SOCKET_BIO_H_
