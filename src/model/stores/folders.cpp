// Folders that the user names in models.folders: whatever model files lie there, at most some folders deep.

#include "model/stores/grouping.h"
#include "model/stores/registry.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 6;

std::vector<fs::path> roots(const StorePlaces& places) {
  std::vector<fs::path> out;
  for (const auto& folder : places.folders) {
    const auto home = places.environment.find("HOME");
    if (folder.starts_with("~/") && home != places.environment.end())
      out.push_back(fs::path(home->second) / folder.substr(2));
    else
      out.emplace_back(folder);
  }
  return out;
}

void scan_folder(StoreScan& scan, const fs::path& folder, int depth) {
  FileGroup group{.base = {}, .files = {}, .provenance = {}};
  for (const auto& name : scan.names_in(folder)) {
    const auto place = folder / name;
    if (StoreScan::is_folder(place)) {
      if (depth < kDeepest && !name.starts_with('.')) scan_folder(scan, place, depth + 1);
      continue;
    }
    std::string problem;
    if (!is_model_file(name)) continue;
    if (auto file = scan.file(place, problem))
      group.files.push_back(std::move(*file));
    else
      group.broken.push_back({name, problem});
  }
  add_models(scan, std::move(group));
}

void scan_root(StoreScan& scan) {
  scan_folder(scan, scan.root(), 0);
}

}  // namespace

constinit const StoreSpec kFoldersStore{
    .key = "folder", .owner = "a folder of models.folders", .removal = "deleting the file", .roots = roots, .scan = scan_root};

}  // namespace puna::model
