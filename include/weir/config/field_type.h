// FieldType is what the field engine knows of a C++ type: how to read it from a node, write it
// back, and describe it. The templates of fields.h only say which FieldType belongs to a member;
// all work is done here without templates, so that a component's configuration compiles fast.
//
// Threads: FieldTypes are immutable objects of static storage.

#ifndef WEIR_CONFIG_FIELD_TYPE_H_
#define WEIR_CONFIG_FIELD_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/core.h"
#include "weir/config/errors.h"
#include "weir/config/node.h"
#include "weir/config/values.h"

namespace weir {

class FieldVisitor;

// Bounds of a number, duration (in nanoseconds) or size (in bytes), and of each element of a list.
struct FieldLimits {
  std::optional<double> min;
  std::optional<double> max;
};

enum class SecretPolicy : std::uint8_t {
  kRedact,  // What is shown to people.
  kReveal,  // What is read back, as by a round-trip test.
};

// One row of a component's option table.
struct FieldRow {
  std::string option;         // `sending_queue::queue_size`, `actions[]::key`, `routes::<name>`.
  std::string type;           // `integer`, `duration`, `list of strings`.
  std::string default_value;  // As it would be written in YAML; empty for a group of options.
  std::string meaning;
};

struct ReadContext {
  std::string path;
  ConfigErrors& errors;
  FieldLimits limits = {};
};

// Handed to Config::Validate for rules that a single field cannot express.
class FieldCheck {
 public:
  // `node` is what the struct was read from; a null node serves where there is none.
  FieldCheck(const ConfigNode& node, std::string path, ConfigErrors& errors)
      : node_(node), path_(std::move(path)), errors_(errors) {}

  // `key` names the field, `a::b` one inside it, "" the struct as a whole. The message carries on
  // from the path: "must be at least as large as `send_batch_size`".
  template <typename... Args>
  void Error(std::string_view key, fmt::format_string<Args...> format, Args&&... args) const {
    Report(key, fmt::format(format, std::forward<Args>(args)...), /*warning=*/false);
  }
  template <typename... Args>
  void Warning(std::string_view key, fmt::format_string<Args...> format, Args&&... args) const {
    Report(key, fmt::format(format, std::forward<Args>(args)...), /*warning=*/true);
  }

  // True when the configuration names `key` itself, rather than leaving it at its default.
  bool IsGiven(std::string_view key) const;

 private:
  void Report(std::string_view key, std::string message, bool warning) const;

  const ConfigNode node_;
  const std::string path_;
  ConfigErrors& errors_;
};

class StructType;

class FieldType {
 public:
  virtual ~FieldType() = default;

  // Reads `node` over the value at `target`; what is wrong goes to context.errors and leaves the
  // value as it was. A null node leaves it too, except where a type says otherwise.
  virtual void Read(const ConfigNode& node, const ReadContext& context, void* target) const = 0;
  virtual ConfigNode Format(const void* source, SecretPolicy policy) const = 0;
  // JSON Schema of the values this type reads. `depth` ends recursive types.
  virtual ConfigNode Schema(const FieldLimits& limits, int depth) const = 0;
  virtual std::string Name() const = 0;
  // `node` with every secret replaced; marks stay.
  virtual ConfigNode Redact(const ConfigNode& node) const { return node; }
  // Rows of the options inside a value of this type, `prefix` in front.
  virtual void AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const;
  virtual const StructType* AsStruct() const { return nullptr; }
};

// A vector. The derived template reaches the elements, this class does everything else.
class ListType : public FieldType {
 public:
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override;
  ConfigNode Format(const void* source, SecretPolicy policy) const override;
  ConfigNode Schema(const FieldLimits& limits, int depth) const override;
  std::string Name() const override;
  ConfigNode Redact(const ConfigNode& node) const override;
  void AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const override;

 protected:
  virtual const FieldType& Element() const = 0;
  virtual void Clear(void* list) const = 0;
  virtual void* Append(void* list) const = 0;  // Valid until the next Append.
  virtual std::size_t Size(const void* list) const = 0;
  virtual const void* At(const void* list, std::size_t index) const = 0;
};

// A map from text. Keys given are laid over the keys of the default, as in the Collector.
class MapType : public FieldType {
 public:
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override;
  ConfigNode Format(const void* source, SecretPolicy policy) const override;
  ConfigNode Schema(const FieldLimits& limits, int depth) const override;
  std::string Name() const override;
  ConfigNode Redact(const ConfigNode& node) const override;
  void AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const override;

 protected:
  virtual const FieldType& Element() const = 0;
  virtual void* At(void* map, const std::string& key) const = 0;  // Made when absent.
  virtual std::vector<std::pair<std::string, const void*>> Entries(const void* map) const = 0;
};

// A std::optional. Of a struct: naming the key engages it, null included, and `enabled: false`
// inside disengages it (as the Collector's optional sections do). Of a scalar: null disengages it.
class OptionalType : public FieldType {
 public:
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override;
  ConfigNode Format(const void* source, SecretPolicy policy) const override;
  ConfigNode Schema(const FieldLimits& limits, int depth) const override;
  std::string Name() const override;
  ConfigNode Redact(const ConfigNode& node) const override;
  void AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const override;

 protected:
  virtual const FieldType& Element() const = 0;
  virtual void* Engage(void* optional) const = 0;  // Keeps a value that is there.
  virtual void Reset(void* optional) const = 0;
  virtual const void* Get(const void* optional) const = 0;  // Null when disengaged.
};

class EnumType : public FieldType {
 public:
  struct Entry {
    std::string name;
    std::int64_t value;
  };
  // The first name of a value is the one that is written back.
  EnumType(std::vector<Entry> names, bool ignore_case)
      : names_(std::move(names)), ignore_case_(ignore_case) {}

  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override;
  ConfigNode Format(const void* source, SecretPolicy policy) const override;
  ConfigNode Schema(const FieldLimits& limits, int depth) const override;
  std::string Name() const override;

 protected:
  virtual void Store(void* target, std::int64_t value) const = 0;
  virtual std::int64_t Load(const void* source) const = 0;

 private:
  const std::vector<Entry> names_;
  const bool ignore_case_;
};

class StructType : public FieldType {
 public:
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override;
  ConfigNode Format(const void* source, SecretPolicy policy) const override;
  ConfigNode Schema(const FieldLimits& limits, int depth) const override;
  std::string Name() const override;
  ConfigNode Redact(const ConfigNode& node) const override;
  void AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const override;
  const StructType* AsStruct() const override { return this; }

  virtual std::shared_ptr<void> MakeDefault() const = 0;
  virtual void Describe(void* object, FieldVisitor& visitor) const = 0;
  virtual void Validate(const void* object, FieldCheck& check) const = 0;
  // True when the struct has a field of this key.
  bool HasField(std::string_view key) const;
};

// The types that are no templates. REQUIRES: bytes is 1, 2, 4 or 8.
const FieldType& BoolFieldType();
const FieldType& IntegerFieldType(std::size_t bytes, bool is_signed);
const FieldType& DoubleFieldType();
const FieldType& StringFieldType();
const FieldType& DurationFieldType();
const FieldType& ByteSizeFieldType();
const FieldType& SecretFieldType();
const FieldType& ComponentIdFieldType();
const FieldType& NodeFieldType();

}  // namespace weir

#endif  // WEIR_CONFIG_FIELD_TYPE_H_
