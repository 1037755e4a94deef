#include "net/header_list.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HeaderListTest, SetReplacesEveryHeaderOfTheNameInAnyCase) {
  HeaderList headers = {{"X-A", "1"}, {"b", "2"}, {"x-a", "3"}};
  SetHeader(headers, "X-a", "4");
  EXPECT_THAT(headers, ElementsAre(Pair("b", "2"), Pair("x-a", "4")));
  EXPECT_TRUE(HasHeader(headers, "X-A"));
  RemoveHeader(headers, "X-A");
  RemoveHeader(headers, "x-none");
  EXPECT_FALSE(HasHeader(headers, "x-a"));
  EXPECT_THAT(headers, ElementsAre(Pair("b", "2")));
}

}  // namespace
}  // namespace weir::net
