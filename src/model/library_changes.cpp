#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "model/library_state.h"
#include "model/recipe.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

Result<> check_sha256(std::string_view text) {
  const auto is_hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() == 64 && std::ranges::all_of(text, is_hexadecimal)) return {};
  return fail(Code::invalid_argument, "a SHA-256 is 64 hexadecimal digits in lower case, not '" + printable(text.substr(0, 80)) + "'");
}

Error taken(std::string_view name) {
  return {Code::already_exists, fmt::format("there is another model '{}' already: remove it first", name)};
}

}  // namespace

void Library::State::insert(Entry entry) {
  const auto key = entry.row.name_key;
  for (const auto& sha256 : contents_of(entry.parts)) blobs[sha256].models.insert(key);
  auto& among = entry.row.expires_at ? removed : models;
  among.insert_or_assign(key, std::move(entry));
}

Entry Library::State::erase(const std::string& key) {
  auto& among = models.contains(key) ? models : removed;
  const auto found = among.find(key);
  Entry out = std::move(found->second);
  among.erase(found);
  for (const auto& sha256 : contents_of(out.parts)) blobs.at(sha256).models.erase(key);
  return out;
}

Result<wire::Model> Library::add(const NewModel& model) {
  PUNA_TRY(const auto name, Name::parse(model.name));
  std::vector<PartRow> parts;
  for (const auto& file : model.files) {
    PUNA_CHECK(check_sha256(file.sha256));
    parts.push_back({name.key(), static_cast<std::int64_t>(parts.size()), file.role, file.path, file.sha256});
  }
  const auto recipe = complete_recipe(model.recipe, state_->files_on_disk(parts));
  PUNA_TRY(auto details, describe(state_->files_on_disk(parts), recipe.chat_template));

  const std::lock_guard lock(state_->mutex);
  const auto now = std::chrono::system_clock::now();
  std::vector<BlobRow> blobs;
  for (const auto& sha256 : contents_of(parts)) {
    PUNA_TRY(const auto stamp, look_at(state_->path_of(sha256)));
    if (!stamp)
      return fail(Code::not_found,
                  fmt::format("the file {} was removed while model {} was added", state_->path_of(sha256).string(), name.text()));
    blobs.push_back({sha256, stamp->size, stamp->modified_ns, std::nullopt, now});
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
                     .recipe = json::encode(recipe),
                     .details = json::encode(details),
                     .description = kDescription,
                     .pinned = known && before->second.row.pinned,
                     .created_at = known ? before->second.row.created_at : now,
                     .modified_at = now,
                     .expires_at = std::nullopt};
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
  state_->insert({.row = row, .parts = std::move(parts), .details = std::move(details), .recipe = recipe});
  state_->rename_placed();
  ++state_->revision;
  const auto out = state_->to_wire(state_->models.at(name.key()));
  state_->share(state_->models.at(name.key()));
  log::info("model", known ? "model updated" : "model added", {{"model", out.name}, {"sha256", out.sha256}, {"size", out.size}});
  state_->events.publish_as(known ? "model.updated" : "model.added", out);
  if (auto freed = state_->drop_unused(replaced); !freed)
    log::warning("model", "a replaced file could not be deleted", {{"model", out.name}, {"error", freed.error().text()}});
  return out;
}

Result<wire::Model> Library::copy(std::string_view from, std::string_view to) {
  PUNA_TRY(const auto name, Name::parse(to));
  const auto lock = state_->lock_knowing_names();
  PUNA_TRY(const auto* source, state_->resolve_own(from));
  if (const auto other = state_->models.find(name.key()); other != state_->models.end()) {
    if (contents_of(other->second.parts) == contents_of(source->parts)) return state_->to_wire(other->second);
    return fail(taken(other->second.row.name));
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
  state_->rename_placed();
  ++state_->revision;
  const auto out = state_->to_wire(state_->models.at(name.key()));
  log::info("model", "model copied", {{"model", out.name}, {"from", source_name}});
  state_->events.publish_as("model.added", out);
  return out;
}

Result<wire::Model> Library::alias(std::string_view name_text, std::string_view target) {
  PUNA_TRY(const auto name, Name::parse(name_text));
  const auto lock = state_->lock_knowing_names();
  PUNA_TRY(const auto found, state_->resolve(target));
  const auto* const* placed = std::get_if<const PlacedEntry*>(&found);
  auto out = placed != nullptr ? (*placed)->model : state_->to_wire(*std::get<Entry*>(found));
  if (state_->models.contains(name.key()) || state_->placed.contains(name.key())) return fail(taken(name.text()));
  PUNA_TRY(const auto full, Name::parse(out.name));
  AliasRow row{name.key(), name.text(), full.key(), std::chrono::system_clock::now()};
  PUNA_CHECK(state_->table.put_alias(row));
  const bool moved = state_->aliases.contains(name.key());
  state_->aliases[name.key()] = std::move(row);
  ++state_->revision;
  out.alias_of = std::exchange(out.name, name.text());
  log::info("model", "alias set", {{"alias", out.name}, {"model", *out.alias_of}});
  state_->events.publish_as(moved ? "model.updated" : "model.added", out);
  return out;
}

Result<wire::Model> Library::pin(std::string_view name, bool pinned) {
  const auto lock = state_->lock_knowing_names();
  PUNA_TRY(auto* entry, state_->resolve_own(name));
  if (entry->row.pinned == pinned) return state_->to_wire(*entry);
  auto row = entry->row;
  row.pinned = pinned;
  PUNA_CHECK(state_->table.put_model(row));
  entry->row = std::move(row);
  ++state_->revision;
  const auto out = state_->to_wire(*entry);
  state_->events.publish_as("model.updated", out);
  return out;
}

Result<wire::ModelRemoval> Library::State::remove_alias(const AliasRow& alias) {
  wire::ModelRemoval out{.name = alias.name};
  PUNA_CHECK(table.remove_alias(alias.name_key));
  aliases.erase(std::string(alias.name_key));
  ++revision;
  log::info("model", "alias removed", {{"alias", out.name}});
  events.publish_as("model.removed", out);
  return out;
}

Result<wire::ModelRemoval> Library::State::remove_for_good(Entry& doomed, std::string name) {
  const auto key = doomed.row.name_key;
  PUNA_CHECK(table.remove_model(key));
  const auto entry = erase(key);
  const auto freed = drop_unused(contents_of(entry.parts));
  wire::ModelRemoval out{.name = std::move(name)};
  if (freed) out.freed_bytes = static_cast<std::int64_t>(freed->count);
  log::info("model", "model's files removed", {{"model", out.name}, {"freed", out.freed_bytes}});
  if (!freed) return fail(Error(freed.error()).within(fmt::format("model {} is gone, but a file stays until the next start", out.name)));
  return out;
}

Result<wire::ModelRemoval> Library::remove(std::string_view name_text, RemoveOptions options) {
  PUNA_TRY(const auto name, Name::parse(name_text));
  const auto lock = state_->lock_knowing_names();
  const auto alias = state_->aliases.find(name.key());
  if (alias != state_->aliases.end() && !state_->models.contains(name.key()) && !state_->placed.contains(name.key()))
    return state_->remove_alias(AliasRow(alias->second));
  auto found = state_->resolve_own(name_text);
  if (!found) {
    for (auto& [key, entry] : state_->removed)
      if (lower_ascii(entry.row.name) == name.key()) return state_->remove_for_good(entry, entry.row.name);
    return fail(std::move(found).error());
  }
  auto& entry = **found;
  if (entry.row.pinned && !options.force)
    return fail(Code::conflict, fmt::format("model {} is pinned: unpin it first, or remove it with --force", entry.row.name));
  const auto key = entry.row.name_key;
  const auto contents = contents_of(entry.parts);
  state_->look_at_model(entry);
  wire::ModelRemoval out{.name = entry.row.name};
  std::set<std::string> sharers;
  for (const auto& sha256 : contents) sharers.insert(state_->blobs.at(sha256).models.begin(), state_->blobs.at(sha256).models.end());
  for (const auto& other : sharers)
    if (other != key && state_->models.contains(other)) out.remaining_names.push_back(state_->models.at(other).row.name);
  Result<> done;
  if (options.undo > Milliseconds(0)) {
    out.freed_bytes = state_->bytes_of_last_name(key, contents);
    auto row = entry.row;
    row.name_key = "!" + new_ulid();
    row.expires_at = std::chrono::system_clock::now() + options.undo;
    PUNA_CHECK(state_->table.move_model(key, row));
    auto moved = state_->erase(key);
    out.until = format_time(*row.expires_at);
    for (auto& part : moved.parts) part.name_key = row.name_key;
    moved.row = std::move(row);
    state_->insert(std::move(moved));
    state_->watcher->wake();
  } else {
    auto gone = state_->remove_for_good(entry, out.name);
    if (gone)
      out.freed_bytes = gone->freed_bytes;
    else
      done = fail(std::move(gone).error());
  }
  state_->rename_placed();
  ++state_->revision;
  log::info("model", "model removed", {{"model", out.name}, {"freed", out.freed_bytes}, {"until", out.until.value_or("now")}});
  state_->events.publish_as("model.removed", out);
  if (!done) return fail(std::move(done).error());
  return out;
}

Result<wire::Model> Library::undo(std::optional<std::string> name_text) {
  std::optional<Name> name;
  if (name_text) {
    PUNA_TRY(name, Name::parse(*name_text));
  }
  const auto lock = state_->lock_knowing_names();
  const Entry* last = nullptr;
  for (const auto& [key, entry] : state_->removed)
    if ((!name || lower_ascii(entry.row.name) == name->key()) && (last == nullptr || *entry.row.expires_at >= *last->row.expires_at))
      last = &entry;
  if (last == nullptr)
    return fail(Code::not_found, name ? fmt::format("no removal of a model '{}' can be undone", name->text()) : "no removal can be undone");
  auto row = last->row;
  const auto key = row.name_key;
  row.name_key = lower_ascii(row.name);
  if (state_->models.contains(row.name_key)) return fail(taken(row.name));
  row.expires_at.reset();
  PUNA_CHECK(state_->table.move_model(key, row));
  auto entry = state_->erase(key);
  for (auto& part : entry.parts) part.name_key = row.name_key;
  entry.row = row;
  state_->insert(std::move(entry));
  state_->rename_placed();
  auto& back = state_->models.at(row.name_key);
  state_->look_at_model(back);
  ++state_->revision;
  const auto out = state_->to_wire(back);
  log::info("model", "removal undone", {{"model", out.name}});
  state_->events.publish_as("model.added", out);
  return out;
}

Result<fs::path> Library::blob_path(std::string_view sha256) const {
  PUNA_CHECK(check_sha256(sha256));
  return state_->path_of(sha256);
}

}  // namespace puna::model
