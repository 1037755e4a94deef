// What a reload does to a running service: what lives on, what is made anew, that nothing is
// refused or lost while it happens, and that a failure changes nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/service/service_fixture.h"

namespace weir::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string Traces(const std::string& processors, const std::string& more = "",
                   const std::string& exporters = "fake") {
  return "receivers: {fake: {port: 1}, fake/2: {port: 2}}\n"
         "processors: {keep: {size: 100}, pass: {label: a}, pass/2: {}, merge: {size: 4}}\n"
         "exporters: {fake: {}, fake/2: {}}\n" +
         more + "service: {pipelines: {traces: {receivers: [fake], processors: [" + processors +
         "], exporters: [" + exporters + "]}}}\n";
}

class ReloadTest : public ServiceFixture {
 protected:
  World& world_ = World::Get();

  // Ends the service, which flushes what is kept.
  void ExpectAllOf(Producers& producers, const std::string& exporter = "fake") {
    producers.Stop();
    EXPECT_EQ(service_->Shutdown(), 0U);
    EXPECT_TRUE(world_.WaitForDelivered(exporter, producers.sent.load()));
    EXPECT_EQ(producers.refused.load(), 0U);
    std::vector<std::string> got = world_.delivered(exporter);
    std::ranges::sort(got);
    EXPECT_EQ(std::ranges::unique(got).begin(), got.end()) << "something arrived twice";
    EXPECT_EQ(got.size(), producers.sent.load());
  }
};

TEST_F(ReloadTest, NothingChanges) {
  Start(Traces("pass, keep"));
  EXPECT_EQ(Offer("a"), Admission::kAccepted);
  const auto diff = Reload(Traces("pass, keep"));
  ASSERT_TRUE(diff.ok());
  EXPECT_TRUE(diff->empty());
  for (const char* each : {"receiver fake", "processor keep", "processor pass", "exporter fake"}) {
    EXPECT_EQ(world_.made(each), 1) << each;
  }
  EXPECT_THAT(world_.delivered("fake"), ElementsAre());  // Still kept.
}

// Guarantees: the neighbour of a changed processor keeps what it holds; the changed one is flushed.
TEST_F(ReloadTest, AStatefulProcessorOutlivesItsNeighbour) {
  Start(Traces("pass, keep"));
  EXPECT_EQ(Offer("a"), Admission::kAccepted);
  std::string changed = Traces("pass, keep");
  changed.replace(changed.find("label: a"), 8, "label: b");
  MustReload(changed);
  EXPECT_EQ(world_.made("processor pass"), 2);
  EXPECT_EQ(world_.made("processor keep"), 1);
  EXPECT_EQ(Offer("b"), Admission::kAccepted);
  EXPECT_THAT(world_.delivered("fake"), ElementsAre());
  changed.replace(changed.find("size: 100"), 9, "size: 50");
  MustReload(changed);
  EXPECT_EQ(world_.made("processor keep"), 2);
  EXPECT_TRUE(world_.WaitForDelivered("fake", 2));
  EXPECT_THAT(world_.delivered("fake"), ElementsAre("a", "b"));
}

// Scenario: processors come, go and change places under load.
TEST_F(ReloadTest, ChangedProcessorsUnderLoad) {
  Start(Traces("pass, keep"));
  Producers producers("fake");
  for (const char* processors : {"keep, pass", "pass/2, keep, pass", "merge", "", "pass, merge",
                                 "merge, keep", "keep, merge", "keep, pass, pass/2", "pass"}) {
    producers.WaitForMore(500);
    MustReload(Traces(processors));
  }
  producers.WaitForMore(500);
  ExpectAllOf(producers);
  EXPECT_EQ(world_.made("receiver fake"), 1);
  EXPECT_EQ(world_.made("exporter fake"), 1);
  RecordProperty("slowest_offer_ns", std::to_string(producers.slowest_ns.load()));
  EXPECT_LT(producers.slowest_ns.load(), 100'000'000);
}

TEST_F(ReloadTest, LanesOfTheirOwnUnderLoad) {
  const auto lanes = [](const std::string& count, const std::string& label) {
    std::string text = Traces("pass, keep");
    text.replace(text.find("label: a"), 8, "label: " + label);
    if (!count.empty()) {
      text.replace(text.find("receivers: [fake]"), 17, "lanes: " + count + ", receivers: [fake]");
    }
    return text;
  };
  Start(lanes("2", "a"));
  Producers producers("fake");
  for (const auto& [count, label] : std::vector<std::pair<std::string, std::string>>{
           {"2", "b"}, {"3", "b"}, {"", "b"}, {"1", "c"}, {"2", "c"}}) {
    producers.WaitForMore(500);
    MustReload(lanes(count, label));
  }
  producers.WaitForMore(500);
  ExpectAllOf(producers);
  EXPECT_EQ(world_.made("receiver fake"), 1);
}

// Guarantees: an exporter that is changed sends what it holds while its successor takes what comes;
// the others do not notice.
TEST_F(ReloadTest, AnExporterDrainsBesideItsSuccessor) {
  const std::string old_text = Traces("keep", "", "fake, fake/2");
  Start(old_text);
  world_.HoldBack(true);
  std::string keeps_nothing = old_text;
  keeps_nothing.replace(keeps_nothing.find("size: 100"), 9, "size: 1");
  MustReload(keeps_nothing);
  EXPECT_EQ(Offer("a"), Admission::kAccepted);
  std::string next = keeps_nothing;
  next.replace(next.find("fake: {}, fake/2"), 16, "fake: {label: new}, fake/2");
  MustReload(next);
  EXPECT_EQ(service_->graph().retired(), 1U);
  EXPECT_EQ(Offer("b"), Admission::kAccepted);
  world_.HoldBack(false);
  EXPECT_TRUE(world_.WaitForDelivered("new", 1));
  EXPECT_TRUE(world_.WaitForDelivered("fake", 1));
  EXPECT_TRUE(world_.WaitForDelivered("fake/2", 2));
  EXPECT_THAT(world_.delivered("fake"), ElementsAre("a"));
  EXPECT_THAT(world_.delivered("new"), ElementsAre("b"));
  EXPECT_EQ(world_.made("exporter fake/2"), 1);
}

TEST_F(ReloadTest, ExportersUnderLoad) {
  Start(Traces("pass", "", "fake"));
  Producers producers("fake");
  for (const char* exporters : {"fake, fake/2", "fake/2, fake", "fake"}) {
    producers.WaitForMore(500);
    MustReload(Traces("pass", "", exporters));
  }
  producers.WaitForMore(500);
  ExpectAllOf(producers);
}

// Guarantees: a pipeline that comes or goes never shuts the door of the receiver it shares.
TEST_F(ReloadTest, PipelinesComeAndGoUnderLoad) {
  const std::string two =
      "receivers: {fake: {}}\nprocessors: {keep: {size: 7}, pass: {}}\n"
      "exporters: {fake: {}, fake/2: {}}\n"
      "service: {pipelines: {"
      "traces: {receivers: [fake], processors: [pass], exporters: [fake]}, "
      "traces/2: {receivers: [fake], processors: [keep], exporters: [fake/2]}}}\n";
  const std::string one =
      "receivers: {fake: {}}\nprocessors: {keep: {size: 7}, pass: {}}\n"
      "exporters: {fake: {}, fake/2: {}}\n"
      "service: {pipelines: {"
      "traces: {receivers: [fake], processors: [pass], exporters: [fake]}}}\n";
  Start(one);
  Producers producers("fake");
  for (const std::string& text : {two, one, two, one}) {
    producers.WaitForMore(500);
    MustReload(text);
  }
  producers.WaitForMore(500);
  ExpectAllOf(producers);
  EXPECT_EQ(world_.made("receiver fake"), 1);
}

TEST_F(ReloadTest, ConnectorsUnderLoad) {
  const auto through = [](const std::string& connector, const std::string& behind) {
    return "receivers: {fake: {}}\nprocessors: {keep: {size: 7}, pass: {}}\n"
           "connectors: {over: {label: " +
           connector +
           "}}\nexporters: {fake: {}}\n"
           "service: {pipelines: {"
           "traces: {receivers: [fake], processors: [pass], exporters: [over]}, "
           "traces/2: {receivers: [over], processors: [" +
           behind + "], exporters: [fake]}}}\n";
  };
  const std::string without =
      "receivers: {fake: {}}\nprocessors: {keep: {size: 7}, pass: {}}\nexporters: {fake: {}}\n"
      "service: {pipelines: {traces: {receivers: [fake], processors: [pass], exporters: "
      "[fake]}}}\n";
  Start(through("a", "keep"));
  Producers producers("fake");
  for (const std::string& text :
       {through("b", "keep"), through("b", "pass"), without, through("b", "keep, pass"), without}) {
    producers.WaitForMore(500);
    MustReload(text);
  }
  producers.WaitForMore(500);
  ExpectAllOf(producers);
}

// Guarantees: receivers may exchange their ports in one reload; those that stay are not touched.
TEST_F(ReloadTest, ReceiversExchangeTheirPorts) {
  const auto ports = [](int one, int two) {
    return fmt::format(
        "receivers: {{fake: {{port: {}}}, fake/2: {{port: {}}}, fake/3: {{port: 9}}}}\n"
        "exporters: {{fake: {{}}}}\n"
        "service: {{pipelines: {{traces: {{receivers: [fake, fake/2, fake/3], exporters: "
        "[fake]}}}}}}\n",
        one, two);
  };
  Start(ports(1, 2));
  MustReload(ports(2, 1));
  for (const char* receiver : {"fake", "fake/2", "fake/3"}) {
    EXPECT_EQ(Offer(receiver, Signal::kTraces, receiver), Admission::kAccepted);
  }
  EXPECT_TRUE(world_.WaitForDelivered("fake", 3));
  EXPECT_EQ(world_.made("receiver fake"), 2);
  EXPECT_EQ(world_.made("receiver fake/3"), 1);
}

struct Failure {
  const char* section;
  const char* id;
};

// Guarantees: whatever fails to start, what ran before runs on with its state, and the error says
// what it was; the next good reload works.
TEST_F(ReloadTest, AFailedStartChangesNothing) {
  const auto text = [](const std::string& receiver, const std::string& processor,
                       const std::string& exporter, const std::string& extension) {
    return "receivers: {fake: {port: 1, authenticator: auth" + receiver +
           "}}\nprocessors: {keep: {size: 100}, pass: {" + processor + "}}\nexporters: {fake: {" +
           exporter + "}}\nextensions: {auth: {" + extension + "}, page: {port: 7" + extension +
           "}}\nservice: {extensions: [page, auth], pipelines: {traces: {receivers: [fake], "
           "processors: [keep, pass], exporters: [fake]}}}\n";
  };
  Start(text("", "", "", ""));
  EXPECT_EQ(Offer("a"), Admission::kAccepted);
  const struct {
    std::string config;
    const char* error;
  } bad[] = {
      {text(", fail: true", "label: x", "label: y", ""), "cannot start receiver fake"},
      {text("", "fail: true", "label: y", ""), "cannot start processor pass"},
      {text(", label: z", "", "fail: true", ""), "cannot start exporter fake"},
      {text("", "", "", ", fail: true"), "cannot start extension page"},
  };
  for (const auto& each : bad) {
    // The flow map of `auth` begins with a comma where an option is added; YAML does not mind.
    const auto diff =
        Reload(each.config.find("auth: {,") == std::string::npos
                   ? each.config
                   : std::string(each.config).replace(each.config.find("auth: {,"), 8, "auth: {"));
    ASSERT_FALSE(diff.ok()) << each.error;
    EXPECT_THAT(std::string(diff.status().message()), HasSubstr(each.error));
    EXPECT_EQ(Offer("b"), Admission::kAccepted) << each.error;
    EXPECT_EQ(world_.made("processor keep"), 1);
  }
  EXPECT_THAT(world_.delivered("fake"), ElementsAre());
  EXPECT_EQ(service_->metrics().Collect().empty(), false);
  MustReload(text(", label: good", "label: good", "label: good", ""));
  EXPECT_EQ(world_.receiver("fake")->label(), "good");
  EXPECT_EQ(world_.made("processor keep"), 1);
}

// Guarantees: an exporter of a receiver's authenticator that changed finds the new one.
TEST_F(ReloadTest, ExtensionsChangeWithWhatUsesThem) {
  const auto text = [](const std::string& label, const std::string& extensions) {
    return "receivers: {fake: {authenticator: auth}, fake/2: {}}\nexporters: {fake: {}}\n"
           "extensions: {auth: {label: " +
           label + "}, page: {port: 7, label: " + label +
           "}, page/2: {port: 7}}\nservice: {extensions: [" + extensions +
           "], pipelines: {traces: {receivers: [fake, fake/2], exporters: [fake]}}}\n";
  };
  Start(text("a", "auth, page"));
  Extension* const before = service_->FindExtension({.type = "auth", .name = ""});
  MustReload(text("b", "auth, page"));
  EXPECT_NE(service_->FindExtension({.type = "auth", .name = ""}), before);
  EXPECT_EQ(world_.made("receiver fake"), 2);
  EXPECT_EQ(world_.made("receiver fake/2"), 1);
  MustReload(text("b", "auth, page/2"));  // The port goes from one to the other.
  EXPECT_EQ(service_->FindExtension({.type = "page", .name = ""}), nullptr);
  EXPECT_NE(service_->FindExtension({.type = "page", .name = "2"}), nullptr);
  EXPECT_EQ(world_.made("extension auth"), 2);
}

double Value(const Service& service, std::string_view name, std::string_view label = "") {
  for (const MetricFamily& family : service.metrics().Collect()) {
    if (family.name != name) {
      continue;
    }
    for (const MetricSample& sample : family.samples) {
      if (label.empty() || sample.labels.front().second == label) {
        return sample.value;
      }
    }
  }
  return -1;
}

TEST_F(ReloadTest, IsShown) {
  Start(Traces("pass"));
  EXPECT_EQ(Value(*service_, "weir_config_last_reload_successful"), 1);
  EXPECT_EQ(Value(*service_, "weir_config_reloads_total", "success"), 0);
  EXPECT_FALSE(Reload(Traces("pass", "", "fake, fake/2")
                          .replace(Traces("pass").find("fake/2: {}}"), 11, "fake/2: {fail: true}}"))
                   .ok());
  EXPECT_EQ(Value(*service_, "weir_config_last_reload_successful"), 0);
  EXPECT_EQ(Value(*service_, "weir_config_reloads_total", "failure"), 1);
  MustReload(Traces("keep"));
  EXPECT_EQ(Value(*service_, "weir_config_last_reload_successful"), 1);
  EXPECT_EQ(Value(*service_, "weir_config_reloads_total", "success"), 1);
  EXPECT_EQ(Value(*service_, "weir_config_info"), 1);
  EXPECT_GT(Value(*service_, "weir_config_last_reload_timestamp_seconds"), 1e9);
}

}  // namespace
}  // namespace weir::service
