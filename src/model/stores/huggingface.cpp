// The cache of huggingface_hub and of everything built on it: models--owner--name/{blobs,snapshots/COMMIT,refs}.

#include <algorithm>

#include "base/text.h"
#include "model/stores/grouping.h"
#include "model/stores/registry.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 4;  // folders inside a repository

std::string value(const os::Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// In the order of huggingface_hub.
std::vector<fs::path> roots(const StorePlaces& places) {
  std::vector<fs::path> out;
  const auto& environment = places.environment;
  if (!places.shared_hf_cache.empty()) out.push_back(places.shared_hf_cache);
  for (const auto* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const auto folder = value(environment, name); !folder.empty()) return out.emplace_back(folder), out;
  if (const auto home = value(environment, "HF_HOME"); !home.empty())
    out.push_back(fs::path(home) / "hub");
  else if (const auto cache = value(environment, "XDG_CACHE_HOME"); !cache.empty())
    out.push_back(fs::path(cache) / "huggingface" / "hub");
  else if (const auto user = value(environment, "HOME"); !user.empty())
    out.push_back(fs::path(user) / ".cache" / "huggingface" / "hub");
  return out;
}

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The snapshot links each file to a blob that is named after its SHA-256, or after git's hash for small ones.
std::string sha256_of_link(const fs::path& place) {
  std::error_code error;
  const auto name = fs::read_symlink(place, error).filename().string();
  return !error && is_hex(name, 64) ? name : std::string();
}

void collect(StoreScan& scan, const fs::path& folder, const std::string& below, FileGroup& group, int depth) {
  for (const auto& name : scan.names_in(folder)) {
    const auto place = folder / name;
    const std::string path = below.empty() ? name : below + "/" + name;
    if (StoreScan::is_folder(place)) {
      if (depth < kDeepest) collect(scan, place, path, group, depth + 1);
      continue;
    }
    if (!is_model_file(name)) continue;
    std::string problem;
    auto file = scan.file(place, problem);
    if (!file) {
      group.broken.push_back({path, problem});
      continue;
    }
    file->path = path;
    file->sha256 = sha256_of_link(place);
    group.files.push_back(std::move(*file));
  }
}

bool has_partials(StoreScan& scan, const fs::path& repository) {
  bool out = false;
  for (const auto& name : scan.names_in(repository / "blobs")) {
    if (!name.ends_with(".incomplete")) continue;
    scan.add_partial(repository / "blobs" / name);
    out = true;
  }
  return out;
}

// The commit that "main" means comes first: what is in older ones only is listed, too.
std::vector<std::string> commits_of(StoreScan& scan, const fs::path& repository) {
  auto out = scan.names_in(repository / "snapshots");
  scan.watch(repository / "refs");
  const auto head = scan.text(repository / "refs" / "main");
  if (head) std::ranges::sort(out, {}, [&](const std::string& commit) { return std::pair(commit != trim(*head), commit); });
  return out;
}

void scan_repository(StoreScan& scan, const std::string& folder) {
  const auto repository = scan.root() / folder;
  std::string name = folder.substr(std::string_view("models--").size());
  if (const auto dash = name.find("--"); dash != std::string::npos) name.replace(dash, 2, "/");
  scan.watch(repository);
  const bool partial = has_partials(scan, repository);
  const std::size_t first = scan.models().size();
  for (const auto& commit : commits_of(scan, repository)) {
    FileGroup group{.base = name,
                    .files = {},
                    .provenance = {.catalogue = "huggingface", .repository = name, .revision = std::nullopt, .commit = commit}};
    collect(scan, repository / "snapshots" / commit, "", group, 0);
    const std::size_t before = scan.models().size();
    add_models(scan, std::move(group), partial);
    // A file that newer commits have, too, was listed already.
    auto& models = scan.models();
    const auto known = [&](const FoundModel& model) {
      return std::any_of(models.begin() + static_cast<std::ptrdiff_t>(first), models.begin() + static_cast<std::ptrdiff_t>(before),
                         [&](const FoundModel& other) { return other.name == model.name; });
    };
    std::vector<FoundModel> fresh;
    for (auto at = models.begin() + static_cast<std::ptrdiff_t>(before); at != models.end(); ++at)
      if (!known(*at)) fresh.push_back(std::move(*at));
    models.resize(before);
    std::ranges::move(fresh, std::back_inserter(models));
  }
}

void scan_cache(StoreScan& scan) {
  for (const auto& name : scan.names_in(scan.root()))
    if (name.starts_with("models--") && StoreScan::is_folder(scan.root() / name)) scan_repository(scan, name);
}

}  // namespace

constinit const StoreSpec kHuggingFaceStore{
    .key = "huggingface", .owner = "the Hugging Face cache", .removal = "hf cache rm model/REPOSITORY", .roots = roots, .scan = scan_cache};

}  // namespace puna::model
