#include <algorithm>

#include "model/library_state.h"
#include "os/disk.h"

namespace puna::model {
namespace {

// One content, or one file of which nobody knows the content.
struct Content {
  std::int64_t size = 0;
  std::set<std::string> names;   // of models
  std::set<FileIdentity> files;  // different ones of this content
  std::string sha256;
};

class Tally {
 public:
  void add(const std::string& name, const std::string& sha256, std::int64_t size, FileIdentity file) {
    // A file that is unknown by its content may still be one that another store knows.
    const auto known = by_file_.find(file);
    auto& content = known != by_file_.end() ? *known->second : sha256.empty() ? unknown_[file] : known_[sha256];
    by_file_.emplace(file, &content);
    content.size = size;
    content.sha256 = sha256.empty() ? content.sha256 : sha256;
    content.names.insert(name);
    content.files.insert(file);
  }

  // What lies there several times.
  [[nodiscard]] std::vector<wire::Duplicate> duplicates() const {
    std::vector<wire::Duplicate> out;
    for (const auto& [sha256, content] : known_)
      if (content.files.size() > 1)
        out.push_back({sha256,
                       content.size,
                       {content.names.begin(), content.names.end()},
                       content.size * static_cast<std::int64_t>(content.files.size() - 1)});
    std::ranges::sort(out, std::greater(), &wire::Duplicate::reclaimable_bytes);
    return out;
  }

 private:
  std::map<std::string, Content> known_;
  std::map<FileIdentity, Content> unknown_;
  std::map<FileIdentity, Content*> by_file_;
};

}  // namespace

Result<wire::DiskUsage> Library::usage() {
  PUNA_TRY(const auto all, list());  // settles first
  const std::lock_guard lock(state_->mutex);
  wire::DiskUsage out;
  Tally tally;
  for (const auto& [key, entry] : state_->models) {
    wire::ModelUsage row{entry.row.name, std::string(kOwnStore)};
    for (const auto& sha256 : contents_of(entry.parts)) {
      const auto& blob = state_->blobs.at(sha256);
      if (!blob.seen) continue;
      row.bytes += blob.seen->size;
      if (blob.models.size() > 1) row.shared_bytes += blob.seen->size;
      tally.add(entry.row.name, sha256, blob.seen->size, {blob.seen->device, blob.seen->inode});
    }
    out.models.push_back(std::move(row));
  }
  for (const auto& [sha256, blob] : state_->blobs)
    if (blob.seen) out.own_bytes += blob.seen->size;

  const auto ours = state_->identities();
  std::map<FileIdentity, int> uses;
  for (const auto& [key, entry] : state_->placed)
    for (const auto& file : entry.found.files) ++uses[{file.device, file.inode}];
  std::set<FileIdentity> counted = ours;
  for (const auto& [key, entry] : state_->placed) {
    wire::ModelUsage row{entry.model.name, entry.model.store};
    for (const auto& file : entry.found.files) {
      const FileIdentity identity{file.device, file.inode};
      row.bytes += file.size;
      if (uses.at(identity) > 1 || ours.contains(identity)) row.shared_bytes += file.size;
      if (counted.insert(identity).second) out.other_bytes += file.size;
      tally.add(entry.model.name, file.sha256, file.size, identity);
    }
    out.models.push_back(std::move(row));
  }
  std::ranges::sort(out.models, std::greater(), &wire::ModelUsage::bytes);
  out.duplicates = tally.duplicates();
  for (const auto& [key, entry] : state_->removed)
    out.removed.push_back({entry.row.name, state_->bytes_of_last_name(key, contents_of(entry.parts)), format_time(*entry.row.expires_at)});
  for (const auto& [store, partial] : state_->partials)
    out.partials.push_back({partial.place.string(), std::string(store->key), partial.size});
  PUNA_TRY(const auto space, os::disk_space(state_->blobs_folder));
  out.available_bytes = static_cast<std::int64_t>(space.available.count);
  return out;
}

}  // namespace puna::model
