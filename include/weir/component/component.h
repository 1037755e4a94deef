// Lifecycle shared by receivers, processors, exporters, connectors and extensions.
//
//   create -> Start -> (running) -> Shutdown -> destroy
//
// A component is created once, started at most once, and never restarted: a new configuration makes
// a new component. Creation does no I/O.
//
// Threads: create, Start, Shutdown and the destructor run on the service thread.

#ifndef WEIR_COMPONENT_COMPONENT_H_
#define WEIR_COMPONENT_COMPONENT_H_

#include "absl/status/status.h"
#include "weir/base/event_loop.h"

namespace weir {

class Component {
 public:
  virtual ~Component() = default;

  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  // Acquires everything that can fail (sockets, files, connections) and starts background threads.
  // Returns quickly. An error aborts start-up; Shutdown and the destructor still work.
  virtual absl::Status Start() = 0;

  // Stops accepting data, hands on what it holds, joins its threads. Safe without Start and when
  // called twice. DeadlineExceeded when it had to abandon data, which it has counted.
  virtual absl::Status Shutdown(TimePoint deadline) = 0;

 protected:
  Component() = default;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_COMPONENT_H_
