#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "model/library_state.h"

namespace puna::model {

namespace fs = std::filesystem;

std::set<std::string> contents_of(const std::vector<PartRow>& parts) {
  std::set<std::string> out;
  for (const auto& part : parts) out.insert(part.sha256);
  return out;
}

bool Library::State::look(Blob& blob, bool& read_anew) {
  auto stamp = look_at(path_of(blob.row.sha256));
  const std::optional<FileStamp> now = stamp ? *stamp : std::nullopt;
  if (blob.looked_at && blob.seen == now) return false;
  blob.looked_at = true;
  blob.seen = now;
  const auto path = path_of(blob.row.sha256).string();
  if (!stamp) {
    blob.problem = stamp.error().text();
  } else if (!now) {
    blob.problem = fmt::format("its file {} is missing: pull the model again, or remove it", path);
  } else if (now->size != blob.row.size) {
    blob.problem = fmt::format("its file {} has {} bytes and had {} when it was added: pull the model again, or remove it", path, now->size,
                               blob.row.size);
  } else {
    const bool other = now->modified_ns != blob.row.modified_ns;
    if (other) blob.row.fault.reset();
    blob.problem = blob.row.fault;
    read_anew = read_anew || other;
  }
  return true;
}

void Library::State::read_headers(Entry& entry) {
  auto described = describe(files_on_disk(entry.parts), entry.recipe.chat_template);
  if (!described) {
    entry.problem = fmt::format("its file was changed and is no longer a model: {}", described.error().text());
    return;
  }
  entry.details = std::move(*described);
  entry.row.details = json::encode(entry.details);
  entry.row.description = kDescription;
  auto stored = table.put_model(entry.row);
  for (const auto& sha256 : contents_of(entry.parts)) {
    auto& blob = blobs.at(sha256);
    if (!blob.seen || blob.row.modified_ns == blob.seen->modified_ns) continue;
    blob.row.modified_ns = blob.seen->modified_ns;
    if (stored) stored = table.put_blob(blob.row);
  }
  if (!stored)
    log::warning("model", "what was read anew could not be stored", {{"model", entry.row.name}, {"error", stored.error().text()}});
}

void Library::State::look_at_model(Entry& entry) {
  bool read_anew = entry.row.description != kDescription;
  for (const auto& sha256 : contents_of(entry.parts)) look(blobs.at(sha256), read_anew);
  std::optional<std::string> problem;
  for (const auto& part : entry.parts)
    if (!problem) problem = blobs.at(part.sha256).problem;
  if (!read_anew && (problem ? problem == entry.problem : !entry.problem)) return;
  entry.problem = std::move(problem);
  if (!entry.problem && read_anew) read_headers(entry);
  ++revision;
  if (entry.problem) log::warning("model", "a model cannot be used", {{"model", entry.row.name}, {"problem", *entry.problem}});
  if (watcher) events.publish_as("model.updated", to_wire(entry));  // the first look is no change
}

void Library::State::look_at_files(const std::set<std::string>& file_names) {
  constexpr std::string_view kPrefix = "sha256-";
  std::set<std::string> keys;
  for (const auto& file_name : file_names) {
    const auto found = file_name.starts_with(kPrefix) ? blobs.find(file_name.substr(kPrefix.size())) : blobs.end();
    if (found == blobs.end()) continue;
    keys.insert(found->second.models.begin(), found->second.models.end());
    bool read_anew = false;
    if (found->second.models.empty()) look(found->second, read_anew);
  }
  for (const auto& key : keys) {
    if (const auto entry = models.find(key); entry != models.end())
      look_at_model(entry->second);
    else if (const auto gone = removed.find(key); gone != removed.end())
      for (const auto& sha256 : contents_of(gone->second.parts)) {
        bool read_anew = false;
        look(blobs.at(sha256), read_anew);
      }
  }
}

Result<> Library::note_fault(std::string_view sha256, std::optional<std::string> fault) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->blobs.find(sha256);
  if (found == state_->blobs.end()) return fail(Code::not_found, "the library has no such file any more");
  auto& blob = found->second;
  if (blob.row.fault == fault) return {};
  auto row = blob.row;
  row.fault = std::move(fault);
  PUNA_CHECK(state_->table.put_blob(row));
  blob.row = std::move(row);
  blob.looked_at = false;
  state_->look_at_files({state_->path_of(sha256).filename().string()});
  return {};
}

std::vector<FileOnDisk> Library::State::files_on_disk(const std::vector<PartRow>& parts) const {
  std::vector<FileOnDisk> out;
  for (const auto& part : parts) out.push_back({part.role, part.path, path_of(part.sha256)});
  return out;
}

std::vector<std::string> Library::State::weights_of(const std::vector<PartRow>& parts) {
  std::vector<std::string> out;
  for (const auto& part : parts)
    if (part.role == wire::FileRole::weights) out.push_back(part.sha256);
  return out;
}

std::set<FileIdentity> Library::State::identities() const {
  std::set<FileIdentity> out;
  for (const auto& [sha256, blob] : blobs)
    if (blob.seen) out.emplace(blob.seen->device, blob.seen->inode);
  return out;
}

std::int64_t Library::State::size_of(const Entry& entry) const {
  std::int64_t out = 0;
  for (const auto& sha256 : contents_of(entry.parts)) out += blobs.find(sha256)->second.row.size;
  return out;
}

// Deletes the file and then its row, so that the next load() finds what a crash leaves between the two.
Result<Bytes> Library::State::drop(const std::string& sha256) {
  PUNA_CHECK(shared.unshare(sha256));
  const auto path = path_of(sha256);
  PUNA_TRY(const auto stamp, look_at(path));
  std::error_code error;
  fs::remove(path, error);
  if (error) return fail(errno_error(error.value(), "cannot delete " + path.string()));
  PUNA_CHECK(table.remove_blob(sha256));
  blobs.erase(sha256);
  return Bytes(stamp && stamp->links <= 1 ? static_cast<std::uint64_t>(stamp->size) : 0);
}

Result<Bytes> Library::State::drop_unused(const std::set<std::string>& sha256s) {
  Bytes freed;
  for (const auto& sha256 : sha256s) {
    const auto found = blobs.find(sha256);
    if (found == blobs.end() || !found->second.models.empty()) continue;
    PUNA_TRY(const auto bytes, drop(sha256));
    freed += bytes;
  }
  std::vector<std::vector<std::string>> split;
  for (const auto* entries : {&models, &removed})
    for (const auto& [key, entry] : *entries)
      if (auto weights = weights_of(entry.parts); weights.size() > 1) split.push_back(std::move(weights));
  PUNA_CHECK(links.keep_only(split));
  return freed;
}

std::int64_t Library::State::bytes_of_last_name(const std::string& key, const std::set<std::string>& contents) const {
  std::int64_t out = 0;
  for (const auto& sha256 : contents) {
    const auto& blob = blobs.find(sha256)->second;
    const bool last = std::ranges::all_of(blob.models, [&](const auto& other) { return other == key; });
    if (!last || !blob.seen) continue;
    const auto stamp = look_at(path_of(sha256));  // links come and go without a change of the file
    if (stamp && *stamp && (*stamp)->links - shared.links(sha256) <= 1) out += (*stamp)->size;
  }
  return out;
}

void Library::State::share(const Entry& entry) {
  if (shared_folder.empty() || entry.row.catalogue != "huggingface") return;
  const wire::Provenance from{entry.row.catalogue, entry.row.repository, entry.row.revision, entry.row.commit_id, {}, {}};
  std::vector<std::string> contents;
  for (const auto& part : entry.parts) contents.push_back(part.sha256);
  if (const auto done = shared.share(shared_folder, from, files_on_disk(entry.parts), contents); !done)
    log::info("model", "not shown in Hugging Face's cache", {{"model", entry.row.name}, {"reason", done.error().text()}});
}

Milliseconds Library::State::expire(WallTime now) {
  Milliseconds next = kForever;
  std::vector<std::string> over;
  for (const auto& [key, entry] : removed) {
    const auto left = *entry.row.expires_at - now;
    if (left <= left.zero())
      over.push_back(key);
    else
      next = std::min(next, std::chrono::ceil<Milliseconds>(left));
  }
  for (const auto& key : over) {
    auto& entry = removed.at(key);
    const auto name = entry.row.name;
    const auto gone = remove_for_good(entry, name);
    if (gone) {
      events.publish_as("model.freed", *gone);
    } else {
      log::warning("model", "a removed model's files stay", {{"model", name}, {"error", gone.error().text()}});
      next = std::min(next, Milliseconds(60'000));
    }
  }
  return next;
}

}  // namespace puna::model
