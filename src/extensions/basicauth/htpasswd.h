// Htpasswd checks names and passwords against lines of `user:hash`.
//
//   hash = "$2a$..." | "$2b$..." | "$2y$..."      bcrypt
//        | "$5$..." | "$6$..." | "$1$..."         crypt's SHA-256, SHA-512, MD5
//        | "$apr1$" salt "$" text                 Apache's MD5
//        | "{SHA}" base64 | "{SSHA}" base64       SHA-1, without and with salt
//        | password                               as it is
//
// Threads: constant after Parse; Check is for any thread. It may take as long as the hash is meant
// to take (bcrypt: tens of milliseconds).

#ifndef WEIR_EXTENSIONS_BASICAUTH_HTPASSWD_H_
#define WEIR_EXTENSIONS_BASICAUTH_HTPASSWD_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weir::extensions::basicauth {

class Htpasswd {
 public:
  // Later lines win over earlier ones; empty lines and those that begin with '#' are skipped. An
  // error names the line, never its content.
  static absl::StatusOr<Htpasswd> Parse(std::string_view text);

  bool Knows(std::string_view user) const { return hash_by_user_.contains(user); }
  bool Check(std::string_view user, std::string_view password) const;
  std::size_t size() const { return hash_by_user_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> hash_by_user_;
};

}  // namespace weir::extensions::basicauth

#endif  // WEIR_EXTENSIONS_BASICAUTH_HTPASSWD_H_
