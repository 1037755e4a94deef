#include "extensions/basicauth/htpasswd.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir::extensions::basicauth {
namespace {

struct HashCase {
  std::string_view name;
  std::string_view hash;  // Of "myPassword", or of `password`.
  std::string_view password = "myPassword";
};

// Made with htpasswd, openssl passwd and mkpasswd.
const HashCase kHashes[] = {
    {"apr1", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"},
    {"sha", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="},
    {"plain", "myPassword"},
    {"crypt_md5", "$1$saltsalt$2vnaRpHa6Jxjz5n83ok8Z0"},
    {"crypt_sha256", "$5$saltsalt$OJSxPe6LHaPuWqFjBl/xMCCyk7DWOlte4cPNgCdIbwD"},
    {"crypt_sha512",
     "$6$saltsalt$REpTllT9/S/"
     "gg33eAxbXKSVehttBRbY4OJ0jTp669YREedbYCJp8tD90LctevwvdnnuZN0qTJQVuUqDzHImPf1"},
    {"bcrypt", "$2b$04$abcdefghijklmnopqrstuuN2f4ZDSoR8/TAG80qUYDM9bRnmRm0Zy"},
    {"ssha", "{SSHA}kL3+/tIbZ86DOhMac+F4u8lG275zYWx0"},
    {"apr1_long", "$apr1$abcdefgh$AaK/FVm2z4lOI9DSq69901",
     "a password that is longer than sixteen bytes"},
    {"apr1_empty", "$apr1$abcdefgh$L.PT565ESX4Tp2bqNs7Ie.", ""},
};

TEST(HtpasswdTest, ChecksEveryKindOfHash) {
  for (const HashCase& c : kHashes) {
    const auto parsed = Htpasswd::Parse("user:" + std::string(c.hash));
    ASSERT_TRUE(parsed.ok()) << c.name;
    EXPECT_TRUE(parsed->Check("user", c.password)) << c.name;
    EXPECT_FALSE(parsed->Check("user", std::string(c.password) + "x")) << c.name;
    EXPECT_FALSE(parsed->Check("user", "wrong")) << c.name;
    EXPECT_FALSE(parsed->Check("other", c.password)) << c.name;
  }
}

TEST(HtpasswdTest, ReadsLinesAsHtpasswdWritesThem) {
  const auto parsed = Htpasswd::Parse("# staff\r\n\n  a:1\r\nb:with:colon\na:2");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->size(), 2u);
  EXPECT_TRUE(parsed->Check("a", "2"));  // The later line wins.
  EXPECT_FALSE(parsed->Check("a", "1"));
  EXPECT_TRUE(parsed->Check("b", "with:colon"));
}

TEST(HtpasswdTest, AnErrorNamesTheLineAndNotItsContent) {
  for (const char* text : {"ok:x\nsecretword", "ok:x\n:secretword", "ok:x\nsecretword:"}) {
    const auto parsed = Htpasswd::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(std::string(parsed.status().message()), ::testing::HasSubstr("line 2"));
    EXPECT_THAT(std::string(parsed.status().message()),
                ::testing::Not(::testing::HasSubstr("secretword")));
  }
}

// Guarantees: hashes that are cut off or of no known form let nobody in and crash nothing.
TEST(HtpasswdTest, BrokenHashesLetNobodyIn) {
  for (const char* hash : {"$apr1$", "$apr1$salt", "$2y$", "$2y$10$short", "$6$", "{SHA}",
                           "{SHA}!!!", "{SHA}AAAA", "{SSHA}AAAA", "$1$"}) {
    const auto parsed = Htpasswd::Parse("user:" + std::string(hash));
    ASSERT_TRUE(parsed.ok());
    for (const std::string_view password :
         {std::string_view(""), std::string_view("x"), std::string_view("a\0b", 3)}) {
      EXPECT_FALSE(parsed->Check("user", password)) << hash;
    }
  }
}

TEST(HtpasswdTest, ANulEndsNoPassword) {
  const auto parsed = Htpasswd::Parse("user:$1$saltsalt$2vnaRpHa6Jxjz5n83ok8Z0");
  ASSERT_TRUE(parsed.ok());
  EXPECT_FALSE(parsed->Check("user", std::string_view("myPassword\0x", 12)));
}

}  // namespace
}  // namespace weir::extensions::basicauth
