// A receiver owns its I/O, turns what arrives into batches and offers them at the door.
//
// It serves every signal for which its context has a sink: one instance, whatever the number of
// pipelines that list it. It is refused and never blocked, and answers in its protocol's own words.
//
// Loss: what a door refuses (Admission::kBusy, or a secured outcome that is not ok) was never in;
// the receiver tells its sender, counts it as refused, and forgets it.

#ifndef WEIR_COMPONENT_RECEIVER_H_
#define WEIR_COMPONENT_RECEIVER_H_

#include "weir/component/component.h"
#include "weir/component/context.h"

namespace weir {

class Receiver : public Component {
 public:
  // After Shutdown: true once no token of this receiver is open any more, so that a reload may
  // destroy it. A receiver that can't tell is kept until the service ends.
  virtual bool idle() const { return false; }
};

}  // namespace weir

#endif  // WEIR_COMPONENT_RECEIVER_H_
