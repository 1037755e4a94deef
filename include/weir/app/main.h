// The daemon's command line over a registry of components: a program with components of its own
// adds them beside (or instead of) the built-in ones and is a weir in every other respect.
//
//   int main(int argc, char** argv) {
//     weir::Registry registry;
//     registry.Add(mine::Factory());
//     return weir::Main(argc, argv, registry);
//   }
//
// Threads: called once, from main, before any other thread exists.

#ifndef WEIR_APP_MAIN_H_
#define WEIR_APP_MAIN_H_

#include "weir/component/registry.h"

namespace weir {

// Runs the command that the command line names and returns the exit code of the process.
int Main(int argc, char** argv, const Registry& registry);

}  // namespace weir

#endif  // WEIR_APP_MAIN_H_
