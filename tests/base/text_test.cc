#include "weir/base/text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(AsciiLowerTest, TouchesAsciiLettersOnly) {
  EXPECT_EQ(AsciiLower("X-Tenant_Z.9"), "x-tenant_z.9");
  EXPECT_EQ(AsciiLower("@[`{"), "@[`{");
  EXPECT_EQ(AsciiLower("\xC3\x84"), "\xC3\x84");
  EXPECT_EQ(AsciiLower(""), "");
}

TEST(EqualInConstantTimeTest, ComparesWholeTexts) {
  EXPECT_TRUE(EqualInConstantTime("secret", "secret"));
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_FALSE(EqualInConstantTime("secret", "secreT"));
  EXPECT_FALSE(EqualInConstantTime("secret", "secre"));
}

}  // namespace
}  // namespace weir
