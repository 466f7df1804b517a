#include "model/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/library_state.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

std::string suggestion(const std::vector<std::string>& names) {
  return names.empty() ? std::string() : "; did you mean " + join(names, ", ") + "?";
}

std::string source_text(const ModelRow& row) {
  if (row.url) return redact(*row.url);
  if (row.repository) return fmt::format("{}://{}", row.catalogue, *row.repository);
  return row.catalogue;
}

}  // namespace

fs::path Library::State::path_of(std::string_view sha256) const {
  return blobs_folder / fmt::format("sha256-{}", sha256);
}

std::set<std::string> contents_of(const std::vector<PartRow>& parts) {
  std::set<std::string> out;
  for (const auto& part : parts) out.insert(part.sha256);
  return out;
}

Result<> Library::State::load() {
  std::lock_guard lock(mutex);
  PUNA_TRY(auto content, table.load());
  std::set<std::string> all;
  for (auto& row : content.blobs) {
    all.insert(row.sha256);
    blobs[row.sha256].row = std::move(row);
  }
  std::map<std::string, std::vector<PartRow>> parts;
  for (auto& part : content.parts) parts[part.name_key].push_back(std::move(part));
  for (auto& row : content.models) {
    Entry entry{.parts = std::move(parts[row.name_key])};
    if (auto details = json::decode<wire::ModelDetails>(row.details, json::Unknown::ignore))
      entry.details = std::move(*details);
    else
      row.description = 0;
    PUNA_TRY(entry.recipe, json::decode<wire::Recipe>(row.recipe, json::Unknown::ignore));
    entry.row = std::move(row);
    insert(std::move(entry));
  }
  const auto freed = drop_unused(all);
  if (!freed)
    log::warning("model", "a removal is still not finished", {{"error", freed.error().text()}});
  else if (freed->count > 0)
    log::info("model", "finished a removal", {{"freed", freed->count}});
  for (auto& [key, entry] : models) look_at_model(entry);
  return {};
}

// Whether the file, or what is known of it, is another one than at the last look.
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
    blob.problem.reset();
    read_anew = read_anew || now->modified_ns != blob.row.modified_ns;
  }
  return true;
}

void Library::State::read_headers(Entry& entry) {
  auto described = describe(files_on_disk(entry.parts));
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
  bool changed = false, read_anew = entry.row.description != kDescription;
  for (const auto& sha256 : contents_of(entry.parts)) changed = look(blobs.at(sha256), read_anew) || changed;
  std::optional<std::string> problem;
  for (const auto& part : entry.parts)
    if (!problem) problem = blobs.at(part.sha256).problem;
  changed = changed || read_anew || problem.has_value() != entry.problem.has_value();
  if (!changed) return;
  const bool first_look = revision == 1 && !problem && !read_anew;
  entry.problem = std::move(problem);
  if (!entry.problem && read_anew) read_headers(entry);
  if (first_look) return;
  ++revision;
  if (entry.problem) log::warning("model", "a model cannot be used", {{"model", entry.row.name}, {"problem", *entry.problem}});
  events.publish_as("model.updated", to_wire(entry));
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

std::int64_t Library::State::size_of(const Entry& entry) const {
  std::int64_t out = 0;
  for (const auto& sha256 : contents_of(entry.parts)) out += blobs.find(sha256)->second.row.size;
  return out;
}

wire::Model Library::State::to_wire(const Entry& entry) const {
  const auto& row = entry.row;
  const auto weights = weights_of(entry.parts);
  return {.name = row.name,
          .size = size_of(entry),
          .sha256 = weights.empty() ? std::string() : weights.front(),
          .source = source_text(row),
          .modified_at = format_time(row.modified_at),
          .problem = entry.problem,
          .details = entry.details,
          .provenance = {row.catalogue, row.repository, row.revision, row.commit_id, row.filter, row.url},
          .pinned = row.pinned};
}

Result<Entry*> Library::State::resolve(std::string_view text) {
  PUNA_TRY(const auto name, Name::parse(text));
  if (const auto exact = models.find(name.key()); exact != models.end()) return &exact->second;
  if (!name.tag_was_given()) {
    const std::string prefix = lower_ascii(name.base()) + ":";
    const auto first = models.lower_bound(prefix);
    if (first != models.end() && first->first.starts_with(prefix)) {
      const auto second = std::next(first);
      if (second == models.end() || !second->first.starts_with(prefix)) return &first->second;
    }
  }
  return fail(unknown(name));
}

Error Library::State::unknown(const Name& name) const {
  if (models.empty()) return {Code::not_found, fmt::format("there is no model '{}': the library is empty", name.text())};
  std::vector<std::string> known, same_base;
  for (const auto& [key, entry] : models) {
    known.push_back(entry.row.name);
    if (key.starts_with(lower_ascii(name.base()) + ":")) same_base.push_back(entry.row.name);
  }
  if (!same_base.empty()) {
    same_base.resize(std::min<std::size_t>(same_base.size(), 3));
    return {Code::not_found, fmt::format("there is no model '{}'{}", name.text(), suggestion(same_base))};
  }
  auto near = nearest(name.text(), known);
  if (near.empty() && !name.tag_was_given()) {
    // Without a tag, what was typed is compared with names without theirs.
    std::vector<std::string> bases;
    for (const auto& row : known) bases.push_back(row.substr(0, row.rfind(':')));
    for (const auto& base : nearest(name.base(), bases))
      near.push_back(known[static_cast<std::size_t>(std::ranges::find(bases, base) - bases.begin())]);
  }
  return {Code::not_found, fmt::format("there is no model '{}'{}", name.text(), suggestion(near))};
}

Library::Library(std::unique_ptr<State> state) : state_(std::move(state)) {}
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::open(store::Database& database, EventBus& events, const fs::path& folder) {
  auto state = std::make_unique<State>(database, events, folder);
  std::error_code error;
  const bool created = fs::create_directories(state->blobs_folder, error);
  if (!error && created) fs::permissions(state->blobs_folder, fs::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), "cannot use " + state->blobs_folder.string()));
  PUNA_CHECK(state->load());
  return Library(std::move(state));
}

Result<std::vector<wire::Model>> Library::list() {
  std::lock_guard lock(state_->mutex);
  std::vector<wire::Model> out;
  out.reserve(state_->models.size());
  for (auto& [key, entry] : state_->models) {
    state_->look_at_model(entry);
    out.push_back(state_->to_wire(entry));
  }
  return out;
}

Result<wire::Model> Library::find(std::string_view name) {
  std::lock_guard lock(state_->mutex);
  PUNA_TRY(auto* entry, state_->resolve(name));
  state_->look_at_model(*entry);
  return state_->to_wire(*entry);
}

Result<wire::ModelDetail> Library::show(std::string_view name) {
  wire::ModelDetail out;
  std::vector<PartRow> parts;
  {
    std::lock_guard lock(state_->mutex);
    PUNA_TRY(auto* entry, state_->resolve(name));
    state_->look_at_model(*entry);
    out.model = state_->to_wire(*entry);
    out.recipe = entry->recipe;
    parts = entry->parts;
    for (const auto& part : parts)
      out.files.push_back(
          {part.path, part.role, part.sha256, state_->blobs.at(part.sha256).row.size, state_->path_of(part.sha256).string()});
  }
  const auto weights = State::weights_of(parts);
  out.path = state_->path_of(weights.front()).string();
  if (weights.size() > 1 && out.model.details.format == "gguf") {
    PUNA_TRY(const auto first, state_->links.first_part(weights));
    out.path = first.string();
  }
  for (const auto& file : out.files) {
    if (file.role == wire::FileRole::projector && !out.projector) out.projector = file.place;
    if (file.role == wire::FileRole::adapter) out.adapters.push_back(file.place);
  }
  if (!out.model.problem && out.model.details.format == "gguf") {
    PUNA_TRY(const auto header, gguf::Header::read_file(out.path));
    out.chat_template = chat_template_of(header);
    out.metadata = metadata_of(header);
  }
  if (out.recipe.chat_template) out.chat_template = out.recipe.chat_template;
  return out;
}

bool Library::holds(std::string_view sha256) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->blobs.find(sha256);
  if (found == state_->blobs.end()) return false;
  for (const auto& key : std::set(found->second.models)) state_->look_at_model(state_->models.find(key)->second);
  bool read_anew = false;
  state_->look(found->second, read_anew);
  return !found->second.problem;
}

std::uint64_t Library::revision() const {
  return state_->revision;
}

}  // namespace puna::model
