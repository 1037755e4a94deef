#include "weir/app/main.h"

#include "stamp.h"

int main(int argc, char** argv) {
  weir::Registry registry;
  weir::AddBuiltinComponents(registry);
  registry.Add(stamp::Factory());
  return weir::Main(argc, argv, registry);
}
