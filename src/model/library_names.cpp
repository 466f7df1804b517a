#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/library_state.h"

namespace puna::model {
namespace {

std::string suggestion(const std::vector<std::string>& names) {
  return names.empty() ? std::string() : "; did you mean " + join(names, ", ") + "?";
}

std::string source_text(const wire::Provenance& from) {
  if (from.url) return redact(*from.url);
  if (from.catalogue == "create" && from.repository) return "created from " + *from.repository;
  if (from.catalogue == "tune" && from.repository) return "trained for " + *from.repository;
  if (from.catalogue == "merge" && from.repository) return "merged from " + *from.repository;
  if (from.catalogue == "peft" && from.repository) return "PEFT adapter for " + *from.repository;
  if (from.repository) return fmt::format("{}://{}", from.catalogue, *from.repository);
  return from.catalogue;
}

wire::Model plain_wire_of(const FoundEntry& found, std::string name) {
  wire::Model out{.name = std::move(name),
                  .source = found.provenance.catalogue.empty() ? found.root.string() : source_text(found.provenance),
                  .problem = found.problem,
                  .details = found.details,
                  .store = std::string(found.store->key),
                  .provenance = found.provenance};
  std::int64_t modified_ns = 0;
  for (const auto& file : found.files) {
    out.size += file.size;
    modified_ns = std::max(modified_ns, file.modified_ns);
  }
  if (!found.files.empty()) out.sha256 = found.files.front().sha256;
  out.modified_at = format_time(WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(modified_ns))));
  return out;
}

std::string print_of_found(const FoundEntry& found) {
  std::vector<PrintedFile> files;
  for (const auto& file : found.files) files.push_back({file.role, file.place.string(), file.size, file.modified_ns});
  return print_of(files);
}

// Keys that begin like this, from an ordered map.
template <class Map>
std::vector<std::string> keys_from(const Map& map, const std::string& prefix) {
  std::vector<std::string> out;
  for (auto at = map.lower_bound(prefix); at != map.end() && at->first.starts_with(prefix); ++at) out.push_back(at->first);
  return out;
}

}  // namespace

wire::Model Library::State::to_wire(const Entry& entry) const {
  const auto& row = entry.row;
  const auto weights = weights_of(entry.parts);
  const wire::Provenance from{row.catalogue, row.repository, row.revision, row.commit_id, row.filter, row.url};
  wire::Model out{.name = row.name,
                  .size = size_of(entry),
                  .sha256 = weights.empty() ? std::string() : weights.front(),
                  .source = source_text(from),
                  .modified_at = format_time(row.modified_at),
                  .problem = entry.problem,
                  .details = entry.details,
                  .store = std::string(kOwnStore),
                  .provenance = from,
                  .pinned = row.pinned};
  probes.tell(out, print(entry));
  return out;
}

wire::Model Library::State::to_wire(const FoundEntry& found, std::string name) const {
  auto out = plain_wire_of(found, std::move(name));
  probes.tell(out, print_of_found(found));
  return out;
}

std::string Library::State::print(const Entry& entry) const {
  std::vector<PrintedFile> files;
  for (const auto& part : entry.parts) {
    const auto& blob = blobs.find(part.sha256)->second;
    const auto seen = blob.seen.value_or(FileStamp());
    files.push_back({part.role, part.sha256, seen.size, seen.modified_ns});
  }
  return print_of(files);
}

Result<std::string> Library::print(std::string_view name) {
  const auto lock = state_->lock_knowing_names();
  PUNA_TRY(const auto found, state_->resolve(name));
  if (const auto* placed = std::get_if<const PlacedEntry*>(&found)) return print_of_found((*placed)->found);
  auto& entry = *std::get<Entry*>(found);
  state_->look_at_model(entry);
  return state_->print(entry);
}

Result<wire::Model> Library::note_probe(std::string_view name, std::string_view print, wire::ModelProbe probe) {
  const auto lock = state_->lock_knowing_names();
  PUNA_TRY(const auto found, state_->resolve(name));
  auto* const* own = std::get_if<Entry*>(&found);
  const auto changed = [&] { return fail(Code::conflict, fmt::format("model {} was changed while it was tried", name)); };
  if (own != nullptr) {
    state_->look_at_model(**own);
    if (state_->print(**own) != print) return changed();
  } else if (print_of_found(std::get<const PlacedEntry*>(found)->found) != print) {
    return changed();
  }
  PUNA_CHECK(state_->probes.put(print, std::move(probe)));
  for (auto& [key, entry] : state_->placed)
    if (print_of_found(entry.found) == print) entry.model = state_->to_wire(entry.found, entry.model.name);
  ++state_->revision;
  auto out = own != nullptr ? state_->to_wire(**own) : std::get<const PlacedEntry*>(found)->model;
  state_->events.publish_as("model.probed", out);
  return out;
}

void Library::State::refresh_listing() {
  const std::uint64_t now = revision;
  if (listing_revision == now) return;
  std::map<std::string, wire::Model> by_key;
  for (const auto& [key, entry] : models) by_key.emplace_hint(by_key.end(), key, to_wire(entry));
  for (const auto& [key, entry] : placed) by_key.emplace(key, entry.model);
  std::vector<std::pair<std::string, wire::Model>> further;
  for (const auto& [key, alias] : aliases) {
    const auto target = by_key.find(alias.target_key);
    if (target == by_key.end() || by_key.contains(key)) continue;
    further.emplace_back(key, target->second).second.alias_of = target->second.name;
    further.back().second.name = alias.name;
  }
  for (auto& [key, model] : further) by_key.emplace(key, std::move(model));
  listing.clear();
  listing.reserve(by_key.size());
  for (auto& [key, model] : by_key) listing.push_back(std::move(model));
  listing_text.reset();
  listing_revision = now;
}

Result<Library::State::Resolved> Library::State::resolve(std::string_view text) {
  PUNA_TRY(const auto name, Name::parse(text));
  const auto exact = [&](const std::string& key) -> std::optional<Resolved> {
    if (const auto own = models.find(key); own != models.end()) return &own->second;
    if (const auto found = placed.find(key); found != placed.end()) return &std::as_const(found->second);
    return std::nullopt;
  };
  if (const auto found = exact(name.key())) return *found;
  if (const auto alias = aliases.find(name.key()); alias != aliases.end())
    if (const auto target = exact(alias->second.target_key)) return *target;
  if (!name.tag_was_given()) {
    const std::string prefix = lower_ascii(name.base()) + ":";
    auto keys = keys_from(models, prefix);
    if (keys.empty()) keys = keys_from(placed, prefix);  // the library's own go first
    if (keys.size() == 1) return *exact(keys.front());
  }
  if (auto* entry = came_from(name)) return entry;
  return fail(unknown(name));
}

Entry* Library::State::came_from(const Name& name) {
  if (!name.base().contains('/')) return nullptr;
  Entry* found = nullptr;
  for (auto& [key, entry] : models) {
    const auto& row = entry.row;
    if (!row.repository || lower_ascii(*row.repository) != lower_ascii(name.base())) continue;
    if (name.tag_was_given() && lower_ascii(row.filter.value_or(std::string())) != lower_ascii(name.tag())) continue;
    if (std::exchange(found, &entry)) return nullptr;
  }
  return found;
}

Result<Entry*> Library::State::resolve_own(std::string_view text) {
  PUNA_TRY(const auto found, resolve(text));
  if (auto* const* own = std::get_if<Entry*>(&found)) return *own;
  const auto& placed_entry = *std::get<const PlacedEntry*>(found);
  const auto& store = *placed_entry.found.store;
  return fail(
      Code::permission_denied,
      fmt::format("model {} belongs to {} and lies in {}: Puna reads it there and changes nothing; remove it by {}, or take '{}' out of "
                  "the setting models.stores",
                  placed_entry.model.name, store.owner, placed_entry.found.root.string(), store.removal, store.key));
}

std::vector<std::string> Library::State::known_names() const {
  std::vector<std::string> out;
  for (const auto& [key, entry] : models) out.push_back(entry.row.name);
  for (const auto& [key, entry] : placed) out.push_back(entry.model.name);
  for (const auto& [key, alias] : aliases) out.push_back(alias.name);
  return out;
}

Error Library::State::unknown(const Name& name) const {
  const auto known = known_names();
  if (known.empty()) return {Code::not_found, fmt::format("there is no model '{}': the library is empty", name.text())};
  const std::string prefix = lower_ascii(name.base()) + ":";
  std::vector<std::string> same_base;
  std::ranges::copy_if(known, std::back_inserter(same_base), [&](const auto& other) { return lower_ascii(other).starts_with(prefix); });
  if (!same_base.empty()) {
    same_base.resize(std::min<std::size_t>(same_base.size(), 3));
    return {Code::not_found, fmt::format("there is no model '{}'{}", name.text(), suggestion(same_base))};
  }
  auto near = nearest(name.text(), known);
  if (near.empty() && !name.tag_was_given()) {
    // Without a tag, what was typed is compared with names without theirs.
    std::vector<std::string> bases;
    for (const auto& other : known) bases.push_back(other.substr(0, other.rfind(':')));
    for (const auto& base : nearest(name.base(), bases))
      near.push_back(known[static_cast<std::size_t>(std::ranges::find(bases, base) - bases.begin())]);
  }
  return {Code::not_found, fmt::format("there is no model '{}'{}", name.text(), suggestion(near))};
}

void Library::State::name_placed(std::vector<FoundEntry> found) {
  placed.clear();
  for (auto& entry : found) {
    Name name = entry.name;
    const auto taken = [&] { return models.contains(name.key()) || placed.contains(name.key()); };
    if (taken()) name = entry.name.with_tag(fmt::format("{}-{}", entry.name.tag(), entry.store->key));
    for (int number = 2; taken(); ++number) name = entry.name.with_tag(fmt::format("{}-{}-{}", entry.name.tag(), entry.store->key, number));
    auto model = to_wire(entry, name.text());
    placed.emplace(name.key(), PlacedEntry{std::move(entry), std::move(model)});
  }
}

void Library::State::rename_placed() {
  // Names change only where an own one is in the way, or a suffix was given.
  const bool touched = std::ranges::any_of(
      placed, [&](const auto& item) { return models.contains(item.first) || item.second.model.name != item.second.found.name.text(); });
  if (!touched) return;
  std::vector<FoundEntry> found;
  for (auto& [key, entry] : placed) found.push_back(std::move(entry.found));
  std::ranges::sort(found, {}, &FoundEntry::order);
  name_placed(std::move(found));
}

void Library::State::take_found(Sight sight) {
  const std::lock_guard lock(mutex);
  std::map<std::string, wire::Model> before;
  for (auto& [key, entry] : placed) before.emplace(key, std::move(entry.model));
  partials = std::move(sight.partials);
  // What was added, and shared, while the stores were read.
  const auto ours = identities();
  std::erase_if(sight.models, [&](const FoundEntry& entry) {
    return !entry.files.empty() && ours.contains({entry.files.front().device, entry.files.front().inode});
  });
  name_placed(std::move(sight.models));
  ++revision;
  for (const auto& [key, entry] : placed)
    if (entry.model.problem && !before.contains(key))
      log::info("model", "a model in place cannot be used", {{"model", entry.model.name}, {"problem", *entry.model.problem}});
  if (!std::exchange(stores_known, true)) return;  // nobody has seen a list without them
  for (const auto& [key, entry] : placed) {
    const auto old = before.find(key);
    if (old == before.end())
      events.publish_as("model.added", entry.model);
    else if (json::encode(old->second) != json::encode(entry.model))
      events.publish_as("model.updated", entry.model);
  }
  for (const auto& [key, model] : before)
    if (!placed.contains(key)) events.publish_as("model.removed", wire::ModelRemoval{.name = model.name});
}

}  // namespace puna::model
