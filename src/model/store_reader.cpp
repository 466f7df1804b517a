#include "model/store_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "model/describe.h"
#include "model/recipe.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

// What is remembered of a model in place.
struct SeenContent {
  wire::ModelDetails details;
  wire::Recipe recipe;
  std::optional<std::string> problem;
};
BOOST_DESCRIBE_STRUCT(SeenContent, (), (details, recipe, problem))

// Models may share their first file and differ in the small ones.
SeenRow stamp_of(const FoundModel& model) {
  const auto& files = model.files;
  SeenRow out{.path = fmt::format("{} {}", files.front().place.string(), model.name),
              .inode = static_cast<std::int64_t>(files.front().inode),
              .description = kDescription};
  for (const auto& file : files) {
    out.size += file.size;
    out.modified_ns = std::max(out.modified_ns, file.modified_ns);
  }
  return out;
}

bool same_stamp(const SeenRow& a, const SeenRow& b) {
  return a.size == b.size && a.modified_ns == b.modified_ns && a.inode == b.inode && a.description == b.description;
}

SeenContent read_content(const StoreScan& scan, const std::vector<FoundFile>& files) {
  SeenContent out;
  std::vector<FileOnDisk> on_disk;
  for (const auto& file : files) {
    on_disk.push_back({file.role, file.path, file.place});
    if (!says_something(file.role)) continue;
    if (const auto text = scan.text(file.place)) add_to_recipe(out.recipe, file.role, *text);
  }
  if (auto details = describe(on_disk, out.recipe.chat_template))
    out.details = std::move(*details);
  else
    out.problem = details.error().text();
  return out;
}

// The folder itself, or the nearest one above it: its appearance is to be noticed.
fs::path nearest_folder(fs::path folder) {
  std::error_code error;
  while (!fs::is_directory(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

}  // namespace

FoundEntry StoreReader::describe_found(const StoreSpec& spec, const StoreScan& scan, FoundModel model) {
  SeenRow stamp;
  if (!model.files.empty()) stamp = stamp_of(model);
  FoundEntry out{.store = &spec,
                 .root = scan.root(),
                 .name = Name::made_from(model.name),
                 .files = std::move(model.files),
                 .provenance = std::move(model.provenance),
                 .problem = std::move(model.problem)};
  if (out.files.empty() || out.problem) return out;
  touched_.insert(stamp.path);
  auto& seen = seen_[stamp.path];
  auto content = same_stamp(seen, stamp) ? json::decode<SeenContent>(seen.content, json::Unknown::ignore)
                                         : Result<SeenContent>(fail(Code::not_found, "not seen yet"));
  if (!content) {
    ++headers_read_;
    content = read_content(scan, out.files);
    stamp.content = json::encode(*content);
    seen = std::move(stamp);
    fresh_.insert(seen.path);
  }
  out.details = std::move(content->details);
  out.recipe = std::move(content->recipe);
  out.problem = std::move(content->problem);
  return out;
}

void StoreReader::look_at_root(const StoreSpec& spec, const fs::path& root, const std::set<FileIdentity>& ours, const WatchFolder& watch,
                               Sight& sight) {
  std::error_code error;
  auto folder = fs::canonical(root, error);
  while (error) {
    const auto nearest = nearest_folder(root);
    watch(nearest);
    if (nearest_folder(root) == nearest) return;
    folder = fs::canonical(root, error);  // it came before the watch did
  }
  StoreScan scan(folder, watch);
  std::set<std::string> earlier;
  for (const auto& entry : sight.models)
    for (const auto& file : entry.files) earlier.insert(file.place.string());
  spec.scan(scan);
  std::ranges::sort(scan.models(), {}, [](const FoundModel& model) { return std::pair(lower_ascii(model.name), model.name); });
  for (auto& model : scan.models()) {
    const auto is_ours = [&](const FoundFile& file) {
      return file.role == wire::FileRole::weights && ours.contains({file.device, file.inode});
    };
    if (!model.files.empty() &&
        std::ranges::all_of(model.files, [&](const auto& file) { return file.role != wire::FileRole::weights || is_ours(file); }))
      continue;
    if (!model.files.empty() && earlier.contains(model.files.front().place.string())) continue;  // two stores share a folder
    sight.models.push_back(describe_found(spec, scan, std::move(model)));
    sight.models.back().order = sight.models.size();
  }
  for (const auto& partial : scan.partials()) sight.partials.emplace_back(&spec, partial);
}

Result<Sight> StoreReader::look(const StoreChoice& choice, const std::set<FileIdentity>& ours, const WatchFolder& watch,
                                const std::stop_token& stop) {
  if (!loaded_) {
    PUNA_TRY(auto rows, table_.load_seen());
    for (auto& row : rows) seen_.insert_or_assign(row.path, std::move(row));
    loaded_ = true;
  }
  touched_.clear();
  Sight sight;
  std::set<fs::path> roots;
  for (const auto& spec : stores()) {
    if (std::ranges::find(choice.stores, spec.key) == choice.stores.end()) continue;
    for (const auto& root : spec.roots(choice.places)) {
      if (stop.stop_requested()) return fail(Code::cancelled, "the look at other programs' models was cancelled");
      std::error_code error;
      if (root.is_absolute() && roots.insert(fs::weakly_canonical(root, error)).second) look_at_root(spec, root, ours, watch, sight);
    }
  }
  if (auto kept = remember(); !kept)
    log::warning("model", "what was read of models in place is not kept", {{"error", kept.error().text()}});
  return sight;
}

Result<> StoreReader::remember() {
  std::vector<SeenRow> put;
  std::vector<std::string> gone;
  for (const auto& [path, row] : seen_) {
    if (!touched_.contains(path))
      gone.push_back(path);
    else if (fresh_.contains(path))
      put.push_back(row);
  }
  if (put.empty() && gone.empty()) return {};
  PUNA_CHECK(table_.change_seen(put, gone));
  for (const auto& path : gone) seen_.erase(path);
  fresh_.clear();
  return {};
}

}  // namespace puna::model
