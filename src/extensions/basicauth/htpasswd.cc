#include "extensions/basicauth/htpasswd.h"

#include <crypt.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>

#include "absl/strings/escaping.h"
#include "weir/base/status.h"
#include "weir/base/text.h"
#include "weir/base/watched_file.h"

namespace weir::extensions::basicauth {

namespace {

std::string Digest(const EVP_MD* type, std::initializer_list<std::string_view> parts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), type, nullptr);
  for (const std::string_view part : parts) {
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

// crypt's base 64 of the 16 bytes, in the order that MD5-crypt gives them.
std::string EncodeApr1(const std::string& digest) {
  constexpr std::string_view kAlphabet =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(digest[i]); };
  std::string text;
  const auto append = [&](std::uint32_t value, int characters) {
    for (int i = 0; i < characters; ++i, value >>= 6) {
      text += kAlphabet[value & 0x3f];
    }
  };
  constexpr std::size_t kTriples[][3] = {
      {0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
  for (const auto& [high, middle, low] : kTriples) {
    append(static_cast<std::uint32_t>(byte(high) << 16 | byte(middle) << 8 | byte(low)), 4);
  }
  append(byte(11), 2);
  return text;
}

// Apache's variant of MD5-crypt: the same thousand rounds under another name.
std::string Apr1(std::string_view password, std::string_view salt) {
  std::string seed(password);
  seed.append("$apr1$").append(salt);
  const std::string mixed = Digest(EVP_md5(), {password, salt, password});
  for (std::size_t left = password.size(); left > 0; left -= std::min<std::size_t>(16, left)) {
    seed.append(mixed, 0, std::min<std::size_t>(16, left));
  }
  for (std::size_t bits = password.size(); bits != 0; bits >>= 1) {
    seed += (bits & 1) != 0 || password.empty() ? '\0' : password[0];
  }
  std::string digest = Digest(EVP_md5(), {seed});
  for (int round = 0; round < 1000; ++round) {
    const bool is_odd = round % 2 != 0;
    digest = Digest(EVP_md5(), {is_odd ? password : digest, round % 3 != 0 ? salt : "",
                                round % 7 != 0 ? password : "", is_odd ? digest : password});
  }
  return EncodeApr1(digest);
}

bool CheckApr1(std::string_view hash, std::string_view password) {
  constexpr std::string_view kPrefix = "$apr1$";
  const std::string_view rest = hash.substr(kPrefix.size());
  const std::size_t salt_end = rest.find('$');
  if (salt_end == std::string_view::npos) {
    return false;
  }
  const std::string_view salt = rest.substr(0, std::min<std::size_t>(salt_end, 8));
  return EqualInConstantTime(Apr1(password, salt), rest.substr(salt_end + 1));
}

// {SHA} and {SSHA}: base64 of the digest, with the salt behind it.
bool CheckSha1(std::string_view encoded, std::string_view password) {
  constexpr std::size_t kDigestBytes = 20;
  std::string decoded;
  if (!absl::Base64Unescape(absl::string_view(encoded.data(), encoded.size()), &decoded) ||
      decoded.size() < kDigestBytes) {
    return false;
  }
  const std::string_view salt = std::string_view(decoded).substr(kDigestBytes);
  return EqualInConstantTime(Digest(EVP_sha1(), {password, salt}),
                             std::string_view(decoded).substr(0, kDigestBytes));
}

bool CheckCrypt(const std::string& hash, std::string_view password) {
  if (password.find('\0') != std::string_view::npos) {
    return false;  // crypt would read only what stands before it.
  }
  auto data = std::make_unique<crypt_data>();
  const char* computed = crypt_r(std::string(password).c_str(), hash.c_str(), data.get());
  return computed != nullptr && computed[0] != '*' && EqualInConstantTime(computed, hash);
}

}  // namespace

absl::StatusOr<Htpasswd> Htpasswd::Parse(std::string_view text) {
  Htpasswd parsed;
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = TrimSpace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == line.size()) {
      return InvalidArgument("line {} is not of the form user:hash", line_number);
    }
    parsed.hash_by_user_.insert_or_assign(std::string(line.substr(0, colon)),
                                          std::string(line.substr(colon + 1)));
  }
  return parsed;
}

bool Htpasswd::Check(std::string_view user, std::string_view password) const {
  const auto found = hash_by_user_.find(user);
  if (found == hash_by_user_.end()) {
    return false;
  }
  const std::string& hash = found->second;
  if (hash.starts_with("$apr1$")) {
    return CheckApr1(hash, password);
  }
  for (const std::string_view prefix :
       {"$2a$", "$2b$", "$2x$", "$2y$", "$1$", "$5$", "$6$", "$y$"}) {
    if (hash.starts_with(prefix)) {
      return CheckCrypt(hash, password);
    }
  }
  for (const std::string_view prefix : {"{SHA}", "{SSHA}"}) {
    if (hash.starts_with(prefix)) {
      return CheckSha1(std::string_view(hash).substr(prefix.size()), password);
    }
  }
  return EqualInConstantTime(hash, password);
}

}  // namespace weir::extensions::basicauth
