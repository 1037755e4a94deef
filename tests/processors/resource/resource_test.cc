#include "gtest/gtest.h"
#include "processors/resource/config.h"
#include "processors/resource/factory.h"
#include "tests/processors/otlp_text.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace weir::processors::resource {
namespace {

using testing::ItemsOf;
using testing::Request;
using testing::ResourceAttributesOf;
using testkit::Harness;
using testkit::MakeBatch;
using testkit::RecordingOutput;
using wire::Writer;
namespace otlp = wire::otlp;

std::string Processed(std::string_view attributes, Signal signal, const std::string& request,
                      Harness& harness) {
  auto processor =
      Factory().create(Harness::Yaml("attributes: " + std::string(attributes)),
                       "processors::resource", harness.ForProcessor("resource", signal));
  EXPECT_TRUE(processor.ok()) << processor.status();
  RecordingOutput output;
  (*processor)->Process(MakeBatch(signal, request, 1), output);
  return output.payload();
}

std::string OneItem() {
  return Request([](Writer& writer) { writer.String(otlp::kScopeItems, "*\x02hi"); });
}

TEST(Resource, EditsTheResourceOfEverySignal) {
  for (const Signal signal : kSignals) {
    Harness harness;
    const std::string out = Processed(
        "[{key: env, value: prod, action: upsert}, "
        "{key: service.name, action: delete}]",
        signal, OneItem(), harness);
    EXPECT_EQ(ResourceAttributesOf(out), "env=s:prod|");
    EXPECT_EQ(ItemsOf(out), ItemsOf(OneItem()));
  }
}

TEST(Resource, LeavesTheBytesAloneWhenNothingChanges) {
  Harness harness;
  EXPECT_EQ(Processed("[{key: env, action: delete}]", Signal::kTraces, OneItem(), harness),
            OneItem());
}

// Scenario: a resource in two pieces behind its scopes, and a group without one; both are legal.
TEST(Resource, MergesPiecesAndAddsWhatIsMissing) {
  Writer writer;
  {
    auto group = writer.Open(otlp::kRequestResources);
    {
      auto scope = writer.Open(otlp::kResourceScopes);
      writer.String(otlp::kScopeItems, "*\x02hi");
    }
    for (const std::string_view key : {"a", "b"}) {
      auto piece = writer.Open(otlp::kResourceResource);
      writer.StringAttribute(otlp::kResourceAttributes, key, "v");
    }
  }
  {
    auto group = writer.Open(otlp::kRequestResources);
    auto scope = writer.Open(otlp::kResourceScopes);
    writer.String(otlp::kScopeItems, "*\x02hi");
  }
  Harness harness;
  const std::string out = Processed(
      "[{key: a, from_attribute: b, action: upsert}, "
      "{key: c, value: 1, action: insert}]",
      Signal::kTraces, std::string(writer.view()), harness);
  EXPECT_EQ(ResourceAttributesOf(out), "a=s:v b=s:v c=i:1|c=i:1|");
  EXPECT_EQ(ItemsOf(out).size(), 2U);
}

TEST(Resource, DropsTheItemsOfAMalformedResource) {
  Writer writer;
  {
    auto group = writer.Open(otlp::kRequestResources);
    {
      auto resource = writer.Open(otlp::kResourceResource);
      writer.Bytes(otlp::kResourceAttributes, "\x0a\x7f");
    }
    auto scope = writer.Open(otlp::kResourceScopes);
    writer.String(otlp::kScopeItems, "*\x02hi");
  }
  Harness harness;
  EXPECT_EQ(Processed("[{key: a, value: 1, action: insert}]", Signal::kTraces,
                      std::string(writer.view()), harness),
            "");
  EXPECT_EQ(
      harness.books().Books().dropped_by_reason[static_cast<std::size_t>(DropReason::kMalformed)],
      1U);
}

TEST(ResourceConfig, NeedsAnAction) {
  ConfigErrors errors;
  ReadConfig<Config>(Harness::Yaml("{}"), "processors::resource", errors);
  EXPECT_EQ(errors.error_count(), 1U);
}

}  // namespace
}  // namespace weir::processors::resource
