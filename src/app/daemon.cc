#include "weir/app/main.h"
#include "weir/component/registry.h"

int main(int argc, char** argv) {
  weir::Registry registry;
  weir::AddBuiltinComponents(registry);
  return weir::Main(argc, argv, registry);
}
