// llama.cpp's own cache of earlier versions: files in one folder. (Newer versions use the Hugging Face cache, unless LLAMA_CACHE names
// another folder, which then has that layout.)

#include "model/stores/grouping.h"
#include "model/stores/registry.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

// LLAMA_CACHE, else the user's cache folder: as llama.cpp looks.
std::vector<fs::path> roots(const StorePlaces& places) {
  const auto& environment = places.environment;
  if (const auto set = environment.find("LLAMA_CACHE"); set != environment.end() && !set->second.empty()) return {set->second};
  if (const auto cache = environment.find("XDG_CACHE_HOME"); cache != environment.end() && !cache->second.empty())
    return {fs::path(cache->second) / "llama.cpp"};
  if (const auto home = environment.find("HOME"); home != environment.end()) return {fs::path(home->second) / ".cache" / "llama.cpp"};
  return {};
}

void scan_cache(StoreScan& scan) {
  kHuggingFaceStore.scan(scan);
  FileGroup group{.base = {}, .files = {}, .provenance = {}};
  for (const auto& name : scan.names_in(scan.root())) {
    if (name.ends_with(".downloadInProgress")) scan.add_partial(scan.root() / name);
    std::string problem;
    if (!name.ends_with(".gguf")) continue;
    if (auto file = scan.file(scan.root() / name, problem))
      group.files.push_back(std::move(*file));
    else
      group.broken.push_back({name, problem});
  }
  add_models(scan, std::move(group));
}

}  // namespace

constinit const StoreSpec kLlamaCppStore{
    .key = "llama.cpp", .owner = "llama.cpp's cache", .removal = "deleting the file", .roots = roots, .scan = scan_cache};

}  // namespace puna::model
