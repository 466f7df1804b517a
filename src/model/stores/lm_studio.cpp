// LM Studio's folder: models/PUBLISHER/MODEL/FILE.gguf.

#include "base/text.h"
#include "model/stores/grouping.h"
#include "model/stores/registry.h"
#include "os/file.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> roots(const StorePlaces& places) {
  const auto found = places.environment.find("HOME");
  if (found == places.environment.end()) return {};
  const fs::path home = found->second;
  // LM Studio notes here where its folder was moved to.
  if (const auto pointer = os::read_file(home / ".lmstudio-home-pointer", kib(16)))
    if (const fs::path moved{std::string(trim(*pointer))}; moved.is_absolute()) return {moved / "models"};
  return {home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"};
}

void scan_models(StoreScan& scan) {
  for (const auto& publisher : scan.names_in(scan.root())) {
    if (!StoreScan::is_folder(scan.root() / publisher)) continue;
    for (const auto& model : scan.names_in(scan.root() / publisher)) {
      const auto folder = scan.root() / publisher / model;
      if (!StoreScan::is_folder(folder)) continue;
      FileGroup group{.base = publisher + "/" + model, .files = {}, .provenance = {}};
      bool partial = false;
      for (const auto& name : scan.names_in(folder)) {
        if (name.ends_with(".part")) {
          scan.add_partial(folder / name);
          partial = true;
        }
        std::string problem;
        if (!is_model_file(name)) continue;
        if (auto file = scan.file(folder / name, problem))
          group.files.push_back(std::move(*file));
        else
          group.broken.push_back({name, problem});
      }
      add_models(scan, std::move(group), partial);
    }
  }
}

}  // namespace

constinit const StoreSpec kLmStudioStore{
    .key = "lmstudio", .owner = "LM Studio", .removal = "\"My Models\" in LM Studio", .roots = roots, .scan = scan_models};

}  // namespace puna::model
