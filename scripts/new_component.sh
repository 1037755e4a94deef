#!/usr/bin/env bash
# Writes the folder of a new component, its test and its line in src/components.cmake. What it writes
# compiles, passes its test, and does nothing yet: a receiver receives nothing, the others pass on.
#   scripts/new_component.sh receiver statsd
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  echo "usage: $0 receiver|processor|exporter|connector|extension type   # type in snake_case" >&2
  exit 2
}

[ $# = 2 ] || usage
kind=$1 type=$2
[[ $kind =~ ^(receiver|processor|exporter|connector|extension)$ ]] || usage
[[ $type =~ ^[a-z][a-z0-9]*(_[a-z0-9]+)*$ ]] || usage
folder=src/${kind}s/$type tests=tests/${kind}s/$type
[ ! -e "$folder" ] || { echo "$folder exists" >&2; exit 1; }

Kind=${kind^}
Name=$(sed -E 's/(^|_)([a-z0-9])/\U\2/g' <<<"$type")  # statsd_relay -> StatsdRelay
Class=$Name$Kind
space=weir::${kind}s::$type
guard() { echo "WEIR_${kind^^}S_${type^^}_${1^^}_H_"; }

# header FILE COMMENT INCLUDES BODY
header() {
  local name
  name=$(guard "$1")
  {
    [ -z "$2" ] || printf '// %s\n\n' "$2"
    printf '#ifndef %s\n#define %s\n\n%s\n\nnamespace %s {\n\n' "$name" "$name" "$3" "$space"
    printf '%s\n\n}  // namespace %s\n\n#endif  // %s\n' "$4" "$space" "$name"
  } >"$folder/$1.h"
}

# What differs from kind to kind: the context, the factory's signals, what the class does.
context=${Kind}Context signals='.signals = kAllSignals, '
facts='traces, metrics, logs' config_body='static void VisitFields(auto&, auto&) {}'
config_include='#include "weir/config/fields.h"' members='' extra_includes='' tested=''
life='  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;'
life_code="absl::Status $Class::Start() { return absl::OkStatus(); }
absl::Status $Class::Shutdown(TimePoint) { return absl::OkStatus(); }"
constructor="$Class::$Class(const Config&, const $context&) {}"
case $kind in
  receiver)
    purpose='receives nothing yet' work='' work_code=''
    ;;
  processor)
    purpose='passes every batch on as it is'
    life='' life_code=''
    work='  void Process(Batch batch, BatchOutput& next) override;
  bool per_item() const override { return true; }'
    work_code="void $Class::Process(Batch batch, BatchOutput& next) { next.Emit(std::move(batch)); }"
    extra_includes='#include <utility>
'
    tested='  testkit::RecordingOutput output;
  (*component)->Process(testkit::MakeBatch(Signal::kLogs, "anything", 3), output);
  EXPECT_EQ(3U, output.items());'
    ;;
  exporter)
    purpose='delivers everything nowhere'
    config_include='#include "weir/component/exporter_settings.h"'
    config_body='ExporterSettings settings;

  static void VisitFields(auto& self, auto& visit) { visit.Squash(self.settings); }'
    work='  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;'
    work_code="void $Class::Send(const Batch&, TimePoint, SendDone done) { done({}); }"
    tested='  Batch batch = testkit::MakeBatch(Signal::kLogs, "anything", 3);
  int answers = 0;
  (*component)->Send(batch, TimePoint::max(), [&](SendResult result) {
    EXPECT_EQ(SendResult::Kind::kDelivered, result.kind);
    ++answers;
  });
  EXPECT_EQ(1, answers);
  batch.Settle(Outcome::kDelivered);'
    ;;
  connector)
    purpose='hands every batch to the pipelines of its own signal'
    work='  void Consume(Batch batch) override;'
    members="
 private:
  const ConnectorContext context_;
  // One for each signal; the edge that feeds the connector counts what enters.
  std::array<NodeHandle, kSignalCount> books_;"
    constructor="$Class::$Class(const Config&, const ConnectorContext& context) : context_(context) {
  for (const Signal signal : kSignals) {
    books_[SignalIndex(signal)] = context.ledger.Open({.node = context.id.ToString(),
                                                       .kind = NodeKind::kConnector,
                                                       .signal = signal,
                                                       .pipeline = \"\"});
  }
}"
    work_code="void $Class::Consume(Batch batch) {
  const std::size_t signal = SignalIndex(batch.signal());
  const std::uint64_t items = batch.items();
  BatchSink* const sink = context_.sinks[signal];
  if (sink == nullptr || sink->Offer(batch, 0) == Admission::kBusy) {
    books_[signal]->Drop(DropReason::kQueueFull, items);
    batch.Settle(Outcome::kRetry);
    return;
  }
  books_[signal]->Out(items);
}"
    tested='  (*component)->Consume(testkit::MakeBatch(Signal::kLogs, "anything", 3));
  EXPECT_EQ(3U, sink.items());'
    ;;
  extension)
    purpose='adds nothing yet' Class=$Name context=ComponentContext signals='' facts=none work='' work_code=''
    constructor="$Class::$Class(const Config&, const $context&) {}"
    life_code=${life_code//$Name$Kind/$Name}
    ;;
esac

mkdir -p "$folder" "$tests"
header config "Options of the $type $kind." "$config_include" "struct Config {
  $config_body
  bool operator==(const Config&) const = default;
};"
header "$kind" "$Class $purpose." "$([ "$kind" != connector ] || printf '#include <array>\n\n')
#include \"${kind}s/$type/config.h\"
#include \"weir/component/$kind.h\"" "class $Class final : public $Kind {
 public:
  $Class(const Config& config, const $context& context);

$life
$work
$members
};"
header factory '' '#include "weir/component/factory.h"' "// The only symbol the rest of the program uses.
${Kind}Factory Factory();"
cat >"$folder/$kind.cc" <<END
#include "${kind}s/$type/$kind.h"

$extra_includes
namespace $space {

$constructor

$life_code

$work_code

}  // namespace $space
END
cat >"$folder/factory.cc" <<END
#include "${kind}s/$type/factory.h"

#include "${kind}s/$type/$kind.h"

namespace $space {

${Kind}Factory Factory() {
  return Make${Kind}Factory<Config, $Class>(
      {.type = "$type", ${signals}.stability = Stability::kDevelopment});
}

}  // namespace $space
END
cat >"$tests/${kind}_test.cc" <<END
#include "${kind}s/$type/factory.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace $space {
namespace {

TEST($Class, StartsAndStops) {
  testkit::RecordingSink sink;
  testkit::Harness harness;
  harness.SetSink(Signal::kLogs, &sink);
  auto component = Factory().create(harness.Yaml("{}"), "${kind}s::$type",
      harness.For$Kind("$type"$([ "$kind" != processor ] || echo ', Signal::kLogs')));
  ASSERT_TRUE(component.ok()) << component.status();
  ASSERT_TRUE((*component)->Start().ok());
$tested
  EXPECT_TRUE((*component)->Shutdown(TimePoint::max()).ok());
}

}  // namespace
}  // namespace $space
END
cat >"$folder/README.md" <<END
# $type $kind

| Type | Signals | Stability | Loss |
| --- | --- | --- | --- |
| \`${kind}s: $type\` | $facts | development | none |

Says in a sentence or two what it is for. So far it $purpose.

## Getting started

\`\`\`yaml
${kind}s:
  $type:
\`\`\`

## Options

| option | default | meaning |
| --- | --- | --- |

## Own metrics

None.

## Limits

What it does not do, what it bounds, and what happens then.
END

# The list stays sorted within its kinds.
line="weir_component($kind $type)"
{
  sed '/^weir_component(/,$d' src/components.cmake
  { grep '^weir_component(' src/components.cmake; echo "$line"; } | LC_ALL=C sort -u
} >src/components.cmake.new
mv src/components.cmake.new src/components.cmake

# Bodies that a kind has no use for leave empty lines behind.
for file in "$folder"/*.h "$folder"/*.cc "$tests"/*.cc; do
  cat -s "$file" >"$file.new" && mv "$file.new" "$file"
done
if command -v clang-format >/dev/null; then
  clang-format -i "$folder"/*.h "$folder"/*.cc "$tests"/*.cc
fi

cat <<END
$folder is there, with $tests and its line in src/components.cmake.
Next: write config.h and the README, then
  cmake --build build/dev -t weir_contract_test weir_${kind}s_${type}_test
  WEIR_UPDATE_DOCS=1 build/dev/tests/contract/weir_contract_test   # option table, index of components
END
