#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "model/library_state.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

Result<> check_sha256(std::string_view text) {
  const auto is_hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() == 64 && std::ranges::all_of(text, is_hexadecimal)) return {};
  return fail(Code::invalid_argument, "a SHA-256 is 64 hexadecimal digits in lower case, not '" + printable(text.substr(0, 80)) + "'");
}

}  // namespace

void Library::State::insert(Entry entry) {
  for (const auto& sha256 : contents_of(entry.parts)) blobs[sha256].models.insert(entry.row.name_key);
  const auto key = entry.row.name_key;
  models.insert_or_assign(key, std::move(entry));
}

Entry Library::State::erase(const std::string& key) {
  const auto found = models.find(key);
  Entry out = std::move(found->second);
  models.erase(found);
  for (const auto& sha256 : contents_of(out.parts)) blobs.at(sha256).models.erase(key);
  return out;
}

// Deletes the file and then its row, so that the next load() finds what a crash leaves between the two.
Result<Bytes> Library::State::drop(const std::string& sha256) {
  const auto path = path_of(sha256);
  PUNA_TRY(const auto stamp, look_at(path));
  std::error_code error;
  fs::remove(path, error);
  if (error) return fail(errno_error(error.value(), "cannot delete " + path.string()));
  PUNA_CHECK(table.remove_blob(sha256));
  blobs.erase(sha256);
  return Bytes(stamp && !stamp->other_links ? static_cast<std::uint64_t>(stamp->size) : 0);
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
  for (const auto& [key, entry] : models)
    if (auto weights = weights_of(entry.parts); weights.size() > 1) split.push_back(std::move(weights));
  PUNA_CHECK(links.keep_only(split));
  return freed;
}

Result<wire::Model> Library::add(const NewModel& model) {
  PUNA_TRY(const auto name, Name::parse(model.name));
  std::vector<PartRow> parts;
  for (const auto& file : model.files) {
    PUNA_CHECK(check_sha256(file.sha256));
    parts.push_back({name.key(), static_cast<std::int64_t>(parts.size()), file.role, file.path, file.sha256});
  }
  PUNA_TRY(auto details, describe(state_->files_on_disk(parts)));

  std::lock_guard lock(state_->mutex);
  const auto now = std::chrono::system_clock::now();
  std::vector<BlobRow> blobs;
  for (const auto& sha256 : contents_of(parts)) {
    PUNA_TRY(const auto stamp, look_at(state_->path_of(sha256)));
    if (!stamp)
      return fail(Code::not_found,
                  fmt::format("the file {} was removed while model {} was added", state_->path_of(sha256).string(), name.text()));
    blobs.push_back({sha256, stamp->size, stamp->modified_ns, now});
  }
  const auto before = state_->models.find(name.key());
  const bool known = before != state_->models.end();
  const auto& from = model.provenance;
  const ModelRow row{.name_key = name.key(),
                     .name = name.text(),
                     .catalogue = from.catalogue,
                     .repository = from.repository,
                     .revision = from.revision,
                     .commit_id = from.commit,
                     .filter = from.filter,
                     .url = from.url,
                     .recipe = json::encode(model.recipe),
                     .details = json::encode(details),
                     .description = kDescription,
                     .pinned = known && before->second.row.pinned,
                     .created_at = known ? before->second.row.created_at : now,
                     .modified_at = now};
  PUNA_CHECK(state_->table.put(blobs, row, parts));
  std::set<std::string> replaced;
  if (known) replaced = contents_of(state_->erase(name.key()).parts);
  for (auto& blob : blobs) {
    auto& entry = state_->blobs[blob.sha256];
    entry.row = std::move(blob);
    entry.problem.reset();
    entry.looked_at = false;
    bool read_anew = false;
    state_->look(entry, read_anew);
  }
  state_->insert({.row = row, .parts = std::move(parts), .details = std::move(details), .recipe = model.recipe});
  ++state_->revision;
  const auto out = state_->to_wire(state_->models.at(name.key()));
  log::info("model", known ? "model updated" : "model added", {{"model", out.name}, {"sha256", out.sha256}, {"size", out.size}});
  state_->events.publish_as(known ? "model.updated" : "model.added", out);
  if (auto freed = state_->drop_unused(replaced); !freed)
    log::warning("model", "a replaced file could not be deleted", {{"model", out.name}, {"error", freed.error().text()}});
  return out;
}

Result<wire::Model> Library::copy(std::string_view from, std::string_view to) {
  PUNA_TRY(const auto name, Name::parse(to));
  std::lock_guard lock(state_->mutex);
  PUNA_TRY(const auto* source, state_->resolve(from));
  if (const auto taken = state_->models.find(name.key()); taken != state_->models.end()) {
    if (contents_of(taken->second.parts) == contents_of(source->parts)) return state_->to_wire(taken->second);
    return fail(Code::already_exists, fmt::format("there is another model '{}' already: remove it first", taken->second.row.name));
  }
  Entry entry = *source;
  entry.row.name_key = name.key();
  entry.row.name = name.text();
  entry.row.pinned = false;
  entry.row.created_at = entry.row.modified_at = std::chrono::system_clock::now();
  for (auto& part : entry.parts) part.name_key = name.key();
  PUNA_CHECK(state_->table.put({}, entry.row, entry.parts));
  const auto source_name = source->row.name;
  state_->insert(std::move(entry));
  ++state_->revision;
  const auto out = state_->to_wire(state_->models.at(name.key()));
  log::info("model", "model copied", {{"model", out.name}, {"from", source_name}});
  state_->events.publish_as("model.added", out);
  return out;
}

Result<wire::ModelRemoval> Library::remove(std::string_view name) {
  std::lock_guard lock(state_->mutex);
  PUNA_TRY(const auto* found, state_->resolve(name));
  const auto key = found->row.name_key;
  PUNA_CHECK(state_->table.remove_model(key));
  const auto entry = state_->erase(key);
  ++state_->revision;
  wire::ModelRemoval out{.name = entry.row.name};
  const auto contents = contents_of(entry.parts);
  std::set<std::string> remaining;
  for (const auto& sha256 : contents) remaining.insert(state_->blobs.at(sha256).models.begin(), state_->blobs.at(sha256).models.end());
  for (const auto& other : remaining) out.remaining_names.push_back(state_->models.at(other).row.name);
  const auto freed = state_->drop_unused(contents);
  if (freed) out.freed_bytes = static_cast<std::int64_t>(freed->count);
  log::info("model", "model removed", {{"model", out.name}, {"freed", out.freed_bytes}});
  state_->events.publish_as("model.removed", out);
  if (!freed) return fail(Error(freed.error()).within(fmt::format("model {} is gone, but a file stays until the next start", out.name)));
  return out;
}

Result<fs::path> Library::blob_path(std::string_view sha256) const {
  PUNA_CHECK(check_sha256(sha256));
  return state_->path_of(sha256);
}

}  // namespace puna::model
