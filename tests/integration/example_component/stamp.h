// The stamp processor puts one attribute on every item.
//
//   processors:
//     stamp:
//       key: team
//       value: payments

#ifndef STAMP_STAMP_H_
#define STAMP_STAMP_H_

#include <string>

#include "weir/component/factory.h"

namespace stamp {

weir::ProcessorFactory Factory();

}  // namespace stamp

#endif  // STAMP_STAMP_H_
