// A connector ends one pipeline and begins others: it consumes batches of one signal and offers
// what it makes of them to the pipelines that list it as a receiver.
//
// Threads: Consume is called under the baton of the lane that feeds it; several lanes may feed one
// connector at the same time, so an implementation guards its state.
// Loss: what a connector turns into something else settles as delivered when it is consumed.

#ifndef WEIR_COMPONENT_CONNECTOR_H_
#define WEIR_COMPONENT_CONNECTOR_H_

#include "weir/component/component.h"
#include "weir/component/context.h"

namespace weir {

class Connector : public Component {
 public:
  virtual void Consume(Batch batch) = 0;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_CONNECTOR_H_
