// The scanner's walk from any level of a request down; splitting counts what a level holds by it.

#ifndef WEIR_WIRE_SCANNER_WALK_H_
#define WEIR_WIRE_SCANNER_WALK_H_

#include <string_view>

#include "weir/wire/scanner.h"
#include "wire/message_tables.h"

namespace weir::wire::internal {

ScanResult WalkMessage(Message message, std::string_view bytes);

}  // namespace weir::wire::internal

#endif  // WEIR_WIRE_SCANNER_WALK_H_
