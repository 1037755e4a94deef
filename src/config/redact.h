// Redaction where no option table says what is a secret.
//
// Threads: pure functions.

#ifndef WEIR_SRC_CONFIG_REDACT_H_
#define WEIR_SRC_CONFIG_REDACT_H_

#include <string_view>

#include "weir/config/node.h"

namespace weir {

// Is there a word such as `password` or `token` in the text?
bool IsCalledLikeASecret(std::string_view text);

// `node` without the values of keys, at any depth, that are called like a secret.
ConfigNode RedactByName(const ConfigNode& node);

// The value of `key`: redacted as a whole when the key is called like a secret, else within.
ConfigNode RedactByName(std::string_view key, const ConfigNode& value);

}  // namespace weir

#endif  // WEIR_SRC_CONFIG_REDACT_H_
