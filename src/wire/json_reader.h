// The reader behind JsonToProto, for any message of a schema table.

#ifndef WEIR_WIRE_JSON_READER_H_
#define WEIR_WIRE_JSON_READER_H_

#include <string_view>

#include "weir/wire/json.h"
#include "wire/json_schema.h"

namespace weir::wire::json {

JsonToProtoResult ReadJson(const Message& message, std::string_view json, const JsonLimits& limits,
                           MemoryBudget* budget);

}  // namespace weir::wire::json

#endif  // WEIR_WIRE_JSON_READER_H_
