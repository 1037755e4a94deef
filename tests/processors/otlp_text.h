// Requests from short texts and back, for the tests of processors that edit or drop items.

#ifndef WEIR_TESTS_PROCESSORS_OTLP_TEXT_H_
#define WEIR_TESTS_PROCESSORS_OTLP_TEXT_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/wire/value_text.h"
#include "weir/wire/view.h"
#include "weir/wire/writer.h"

namespace weir::testing {

// A request of one resource and scope; `fill` writes the items.
inline std::string Request(const std::function<void(wire::Writer&)>& fill,
                           const std::function<void(wire::Writer&)>& resource = nullptr) {
  wire::Writer writer;
  {
    auto group = writer.Open(wire::otlp::kRequestResources);
    {
      auto message = writer.Open(wire::otlp::kResourceResource);
      writer.StringAttribute(wire::otlp::kResourceAttributes, "service.name", "shop");
      if (resource != nullptr) {
        resource(writer);
      }
    }
    auto scope_group = writer.Open(wire::otlp::kResourceScopes);
    {
      auto scope = writer.Open(wire::otlp::kScopeScope);
      writer.String(wire::otlp::kScopeName, "library");
      writer.String(wire::otlp::kScopeVersion, "1.0");
    }
    fill(writer);
  }
  return std::string(writer.view());
}

inline std::string ValueLetter(wire::ValueType type) {
  switch (type) {
    case wire::ValueType::kString:
      return "s:";
    case wire::ValueType::kInt:
      return "i:";
    case wire::ValueType::kDouble:
      return "d:";
    case wire::ValueType::kBool:
      return "b:";
    case wire::ValueType::kArray:
      return "a:";
    case wire::ValueType::kKvlist:
      return "m:";
    case wire::ValueType::kBytes:
      return "x:";
    case wire::ValueType::kEmpty:
      return "e:";
  }
  return "?";
}

// "key=s:value key=i:12", in the order they lie.
inline std::string AttributesOf(std::string_view message, wire::FieldNumber field) {
  std::string text;
  wire::AttributeReader attributes(message, field);
  for (wire::AttributeView attribute; attributes.Next(attribute);) {
    wire::AnyValueView value;
    value.Parse(attribute.value);
    text.append(text.empty() ? "" : " ").append(attribute.key).append("=");
    text += ValueLetter(value.type());
    wire::AppendValueText(value, text);
  }
  return attributes.malformed() ? "malformed" : text;
}

// The contents of every span, log record or metric.
inline std::vector<std::string> ItemsOf(std::string_view request) {
  std::vector<std::string> items;
  wire::ListReader groups(request, wire::otlp::kRequestResources);
  for (std::string_view group; groups.Next(group);) {
    wire::ListReader scopes(group, wire::otlp::kResourceScopes);
    for (std::string_view scope; scopes.Next(scope);) {
      wire::ListReader list(scope, wire::otlp::kScopeItems);
      for (std::string_view item; list.Next(item);) {
        items.emplace_back(item);
      }
    }
  }
  return items;
}

inline std::string ResourceAttributesOf(std::string_view request) {
  std::string text;
  wire::ListReader groups(request, wire::otlp::kRequestResources);
  for (std::string_view group; groups.Next(group);) {
    wire::MergedMessage resource;
    wire::FindMessage(group, wire::otlp::kResourceResource, resource);
    text += AttributesOf(resource.view(), wire::otlp::kResourceAttributes) + "|";
  }
  return text;
}

}  // namespace weir::testing

#endif  // WEIR_TESTS_PROCESSORS_OTLP_TEXT_H_
