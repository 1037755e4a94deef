// The field table: a component describes its options once, as a plain struct with defaults.
//
//   struct Config {
//     std::string endpoint = "localhost:4317";
//     Duration timeout = std::chrono::seconds(5);
//     std::optional<QueueConfig> sending_queue = QueueConfig{};
//
//     static void VisitFields(auto& self, auto& visit) {
//       visit("endpoint", self.endpoint, "Where to send.");
//       visit("timeout", self.timeout, "Longest wait for an answer; 0 waits forever.", AtLeast(0));
//       visit("sending_queue", self.sending_queue, "Queue in front of the sender.");
//       visit.Alias("target", "endpoint");
//       visit.Ignored("balancer", "there is one connection only");
//       visit.Squash(self.tls);
//     }
//     void Validate(FieldCheck& check) const;  // Optional: rules between fields. No I/O.
//     bool operator==(const Config&) const = default;
//   };
//
// From the table come reading with errors at file, line and column, defaults, the effective
// configuration with secrets redacted, the JSON Schema and the option table of the README.
//
// Field types: bool, integers, double, std::string, Duration, ByteSize, Secret, ComponentId, enums
// (specialize EnumNames), ConfigNode (anything, as written), nested structs, std::optional,
// std::vector, std::map<std::string, T>, and any type that satisfies CustomField.
//
// Conversion follows the Collector, which is strict: a quoted "5" is no integer and a quoted "true"
// no boolean, but a value that came from `${env:NAME}` is read again as YAML first. Three
// leniencies are the Collector's too: a whole float is an integer, a string is a list split at
// commas, and an integer is a duration in nanoseconds (with a warning, since it is hardly ever
// meant). One is ours: a string option takes an unquoted number or boolean as its text. Null keeps
// the default.
//
// Threads: all functions are pure.

#ifndef WEIR_CONFIG_FIELDS_H_
#define WEIR_CONFIG_FIELDS_H_

#include <chrono>
#include <concepts>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/config/field_type.h"

namespace weir {

// Names of an enum's values as they stand in a configuration:
//   template <> struct EnumNames<Mode> {
//     static constexpr std::pair<std::string_view, Mode> kNames[] = {{"fast", Mode::kFast}, ...};
//     static constexpr bool kIgnoreCase = true;  // Optional.
//   };
template <typename E>
struct EnumNames;

// A type with a form of its own, such as headers that may be a map or a list.
//   static T ReadField(const ConfigNode& node, const std::string& path, ConfigErrors& errors);
//   ConfigNode FormatField(SecretPolicy policy) const;
//   static ConfigNode FieldSchema();     // JSON Schema of what ReadField takes.
//   static std::string FieldTypeName();  // For the option table: "headers".
//   static ConfigNode RedactField(const ConfigNode& node);  // Secrets replaced, or the same node.
template <typename T>
concept CustomField = requires(const ConfigNode& node, const std::string& path,
                               ConfigErrors& errors, const T& value) {
  { T::ReadField(node, path, errors) } -> std::same_as<T>;
  { value.FormatField(SecretPolicy::kRedact) } -> std::same_as<ConfigNode>;
  { T::FieldSchema() } -> std::same_as<ConfigNode>;
  { T::FieldTypeName() } -> std::convertible_to<std::string>;
  { T::RedactField(node) } -> std::same_as<ConfigNode>;
};

inline FieldLimits AtLeast(double min) { return {.min = min, .max = {}}; }
inline FieldLimits AtMost(double max) { return {.min = {}, .max = max}; }
inline FieldLimits Between(double min, double max) { return {.min = min, .max = max}; }
inline FieldLimits AtLeast(Duration min) { return AtLeast(static_cast<double>(min.count())); }
inline FieldLimits AtMost(Duration max) { return AtMost(static_cast<double>(max.count())); }
inline FieldLimits Between(Duration min, Duration max) {
  return Between(static_cast<double>(min.count()), static_cast<double>(max.count()));
}

template <typename T>
const FieldType& FieldTypeOf();

// What VisitFields calls; collects the table of one object.
// Ownership: keys and texts are string literals; the object outlives the visitor.
class FieldVisitor {
 public:
  struct Field {
    std::string_view key;
    std::string_view help;
    const FieldType* type;
    void* value;
    FieldLimits limits;
  };
  struct AliasKey {
    std::string_view old_key;
    std::string_view new_key;
  };
  struct IgnoredKey {
    std::string_view key;
    std::string_view why;
  };
  struct Embedded {
    const StructType* type;
    void* value;
  };

  template <typename T>
  void operator()(std::string_view key, T& field, std::string_view help, FieldLimits limits = {}) {
    Add(key, help, FieldTypeOf<std::remove_const_t<T>>(),
        const_cast<void*>(static_cast<const void*>(&field)), limits);
  }

  // The fields of `embedded` stand beside ours, as if they were our own; its Validate runs too.
  template <typename T>
  void Squash(T& embedded) {
    AddEmbedded(*FieldTypeOf<std::remove_const_t<T>>().AsStruct(),
                const_cast<void*>(static_cast<const void*>(&embedded)));
    std::remove_const_t<T>::VisitFields(embedded, *this);
  }

  // `old_key` is read as `new_key`, with a warning; both at once is an error.
  void Alias(std::string_view old_key, std::string_view new_key);
  // `key` is accepted without effect, with a warning that says why.
  void Ignored(std::string_view key, std::string_view why);

  const std::vector<Field>& fields() const { return fields_; }
  const std::vector<AliasKey>& aliases() const { return aliases_; }
  const std::vector<IgnoredKey>& ignored() const { return ignored_; }
  const std::vector<Embedded>& embedded() const { return embedded_; }

 private:
  void Add(std::string_view key, std::string_view help, const FieldType& type, void* value,
           const FieldLimits& limits);
  void AddEmbedded(const StructType& type, void* value);

  std::vector<Field> fields_;
  std::vector<AliasKey> aliases_;
  std::vector<IgnoredKey> ignored_;
  std::vector<Embedded> embedded_;
};

template <typename C>
concept FieldStruct = std::default_initializable<C> && std::copyable<C> &&
    requires(C& object, FieldVisitor& visitor) {
  C::VisitFields(object, visitor);
};

template <typename C>
concept ComponentConfig = FieldStruct<C> && std::equality_comparable<C>;

// The table as an object without type: what a registry keeps of a component's configuration.
template <FieldStruct C>
const StructType& StructTypeOf() {
  return *FieldTypeOf<C>().AsStruct();
}

// Reads `node` over `defaults`. The result is to be used only if nothing was added to `errors`.
template <FieldStruct C>
C ReadConfig(const ConfigNode& node, const std::string& path, ConfigErrors& errors,
             C defaults = C()) {
  StructTypeOf<C>().Read(node, {.path = path, .errors = errors}, &defaults);
  return defaults;
}

// Every option of `config` with its value.
template <FieldStruct C>
ConfigNode FormatConfig(const C& config, SecretPolicy policy = SecretPolicy::kRedact) {
  return StructTypeOf<C>().Format(&config, policy);
}

// `node`, which was read as a configuration of `type`, with its secrets replaced.
ConfigNode RedactSecrets(const ConfigNode& node, const StructType& type);

// JSON Schema of an object with these fields.
ConfigNode FieldSchema(const StructType& type);

std::vector<FieldRow> FieldRows(const StructType& type);

// The option table of a README: a Markdown table of option, default and meaning.
std::string RenderFieldTable(const StructType& type);
template <FieldStruct C>
std::string RenderFieldTable() {
  return RenderFieldTable(StructTypeOf<C>());
}

namespace internal {

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsTextMap : std::false_type {};
template <typename T>
struct IsTextMap<std::map<std::string, T>> : std::true_type {};

template <typename T>
class ListOf final : public ListType {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no elements to point at");
  using List = std::vector<T>;
  const FieldType& Element() const override { return FieldTypeOf<T>(); }
  void Clear(void* list) const override { static_cast<List*>(list)->clear(); }
  void* Append(void* list) const override { return &static_cast<List*>(list)->emplace_back(); }
  std::size_t Size(const void* list) const override {
    return static_cast<const List*>(list)->size();
  }
  const void* At(const void* list, std::size_t index) const override {
    return &(*static_cast<const List*>(list))[index];
  }
};

template <typename T>
class MapOf final : public MapType {
  using Map = std::map<std::string, T>;
  const FieldType& Element() const override { return FieldTypeOf<T>(); }
  void* At(void* map, const std::string& key) const override {
    return &(*static_cast<Map*>(map))[key];
  }
  std::vector<std::pair<std::string, const void*>> Entries(const void* map) const override {
    std::vector<std::pair<std::string, const void*>> entries;
    for (const auto& [key, value] : *static_cast<const Map*>(map)) {
      entries.emplace_back(key, &value);
    }
    return entries;
  }
};

template <typename T>
class OptionalOf final : public OptionalType {
  using Optional = std::optional<T>;
  const FieldType& Element() const override { return FieldTypeOf<T>(); }
  void* Engage(void* optional) const override {
    Optional& value = *static_cast<Optional*>(optional);
    return value.has_value() ? &*value : &value.emplace();
  }
  void Reset(void* optional) const override { static_cast<Optional*>(optional)->reset(); }
  const void* Get(const void* optional) const override {
    const Optional& value = *static_cast<const Optional*>(optional);
    return value.has_value() ? &*value : nullptr;
  }
};

template <typename E>
class EnumOf final : public EnumType {
 public:
  EnumOf() : EnumType(Names(), IgnoreCase()) {}

 private:
  static std::vector<Entry> Names() {
    std::vector<Entry> names;
    for (const auto& [name, value] : EnumNames<E>::kNames) {
      names.push_back({std::string(name), static_cast<std::int64_t>(value)});
    }
    return names;
  }
  static constexpr bool IgnoreCase() {
    if constexpr (requires { EnumNames<E>::kIgnoreCase; }) {
      return EnumNames<E>::kIgnoreCase;
    } else {
      return false;
    }
  }
  void Store(void* target, std::int64_t value) const override {
    *static_cast<E*>(target) = static_cast<E>(value);
  }
  std::int64_t Load(const void* source) const override {
    return static_cast<std::int64_t>(*static_cast<const E*>(source));
  }
};

template <typename C>
class StructOf final : public StructType {
  std::shared_ptr<void> MakeDefault() const override { return std::make_shared<C>(); }
  void Describe(void* object, FieldVisitor& visitor) const override {
    C::VisitFields(*static_cast<C*>(object), visitor);
  }
  void Validate(const void* object, FieldCheck& check) const override {
    if constexpr (requires(const C& config, FieldCheck& c) { config.Validate(c); }) {
      static_cast<const C*>(object)->Validate(check);
    }
  }
};

template <CustomField T>
class CustomOf final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (!node.is_null()) {
      *static_cast<T*>(target) = T::ReadField(node, context.path, context.errors);
    }
  }
  ConfigNode Format(const void* source, SecretPolicy policy) const override {
    return static_cast<const T*>(source)->FormatField(policy);
  }
  ConfigNode Schema(const FieldLimits&, int) const override { return T::FieldSchema(); }
  std::string Name() const override { return T::FieldTypeName(); }
  ConfigNode Redact(const ConfigNode& node) const override { return T::RedactField(node); }
};

template <typename T>
const FieldType& StaticType() {
  static const T type;
  return type;
}

}  // namespace internal

template <typename T>
const FieldType& FieldTypeOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return BoolFieldType();
  } else if constexpr (std::is_integral_v<T>) {
    return IntegerFieldType(sizeof(T), std::is_signed_v<T>);
  } else if constexpr (std::is_same_v<T, double>) {
    return DoubleFieldType();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return StringFieldType();
  } else if constexpr (std::is_same_v<T, Duration>) {
    return DurationFieldType();
  } else if constexpr (std::is_same_v<T, ByteSize>) {
    return ByteSizeFieldType();
  } else if constexpr (std::is_same_v<T, Secret>) {
    return SecretFieldType();
  } else if constexpr (std::is_same_v<T, ComponentId>) {
    return ComponentIdFieldType();
  } else if constexpr (std::is_same_v<T, ConfigNode>) {
    return NodeFieldType();
  } else if constexpr (std::is_enum_v<T>) {
    return internal::StaticType<internal::EnumOf<T>>();
  } else if constexpr (internal::IsVector<T>::value) {
    return internal::StaticType<internal::ListOf<typename T::value_type>>();
  } else if constexpr (internal::IsTextMap<T>::value) {
    return internal::StaticType<internal::MapOf<typename T::mapped_type>>();
  } else if constexpr (internal::IsOptional<T>::value) {
    return internal::StaticType<internal::OptionalOf<typename T::value_type>>();
  } else if constexpr (CustomField<T>) {
    return internal::StaticType<internal::CustomOf<T>>();
  } else {
    static_assert(FieldStruct<T>, "no field type; see the list at the top of fields.h");
    return internal::StaticType<internal::StructOf<T>>();
  }
}

}  // namespace weir

#endif  // WEIR_CONFIG_FIELDS_H_
