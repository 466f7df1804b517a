#include "model/library.h"

#include <fmt/format.h>

#include <system_error>

#include "base/log.h"
#include "model/library_state.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

// For changes on the disk to be taken in; a store on a dead network folder must not hold up a list for ever.
constexpr Milliseconds kPatience{5'000};

wire::ModelDetail detail_of(const PlacedEntry& entry) {
  wire::ModelDetail out{.model = entry.model, .recipe = entry.found.recipe};
  for (const auto& file : entry.found.files) out.files.push_back({file.path, file.role, file.sha256, file.size, file.place.string()});
  return out;
}

Result<> read_header(wire::ModelDetail& out) {
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
  return {};
}

}  // namespace

fs::path Library::State::path_of(std::string_view sha256) const {
  return blobs_folder / fmt::format("sha256-{}", sha256);
}

Result<> Library::State::load() {
  const std::lock_guard lock(mutex);
  PUNA_CHECK(shared.load());
  PUNA_TRY(auto content, table.load());
  std::set<std::string> all;
  for (auto& row : content.blobs) {
    all.insert(row.sha256);
    blobs[row.sha256].row = std::move(row);
  }
  for (auto& alias : content.aliases) aliases[alias.name_key] = std::move(alias);
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
  for (auto& [sha256, blob] : blobs) {
    bool read_anew = false;
    if (!blob.looked_at) look(blob, read_anew);
  }
  std::vector<std::string> prints;
  for (const auto& [key, entry] : models) prints.push_back(print(entry));
  for (const auto& [key, entry] : removed) prints.push_back(print(entry));
  return probes.load(prints);
}

void Library::State::start_watching(store::Database& database, StoreChoice choice) {
  watcher = std::make_unique<Watcher>(database, blobs_folder, std::move(choice),
                                      Watcher::Sink{.ours =
                                                        [this] {
                                                          const std::lock_guard lock(mutex);
                                                          return identities();
                                                        },
                                                    .own =
                                                        [this](const std::set<std::string>& names) {
                                                          const std::lock_guard lock(mutex);
                                                          look_at_files(names);
                                                        },
                                                    .own_unknown =
                                                        [this] {
                                                          const std::lock_guard lock(mutex);
                                                          for (auto& [key, entry] : models) look_at_model(entry);
                                                        },
                                                    .found = [this](Sight sight) { take_found(std::move(sight)); },
                                                    .chores =
                                                        [this] {
                                                          const std::lock_guard lock(mutex);
                                                          return expire(std::chrono::system_clock::now());
                                                        }});
}

std::unique_lock<std::mutex> Library::State::lock_knowing_names() {
  std::unique_lock lock(mutex);
  if (stores_known) return lock;
  lock.unlock();
  watcher->settle(kPatience);
  lock.lock();
  return lock;
}

Library::Library(std::unique_ptr<State> state) : state_(std::move(state)) {}
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::open(store::Database& database, EventBus& events, const fs::path& folder, StoreChoice stores) {
  auto state = std::make_unique<State>(database, events, folder);
  std::error_code error;
  const bool created = fs::create_directories(state->blobs_folder, error);
  if (!error && created) fs::permissions(state->blobs_folder, fs::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), "cannot use " + state->blobs_folder.string()));
  state->shared_folder = stores.places.shared_hf_cache;
  PUNA_CHECK(state->load());
  state->start_watching(database, std::move(stores));
  return Library(std::move(state));
}

std::unique_lock<std::mutex> Library::State::lock_with_listing() {
  const bool seen = watcher->settle(kPatience);
  std::unique_lock lock(mutex);
  if (!seen)
    for (auto& [key, entry] : models) look_at_model(entry);
  refresh_listing();
  return lock;
}

Result<std::vector<wire::Model>> Library::list() {
  const auto lock = state_->lock_with_listing();
  return state_->listing;
}

Result<std::shared_ptr<const std::string>> Library::list_text() {
  const auto lock = state_->lock_with_listing();
  if (!state_->listing_text)
    state_->listing_text = std::make_shared<const std::string>(json::to_text(json::encode(wire::ModelList{state_->listing})));
  return state_->listing_text;
}

Result<wire::Model> Library::find(std::string_view name) {
  const auto lock = state_->lock_knowing_names();
  PUNA_TRY(const auto found, state_->resolve(name));
  if (const auto* placed = std::get_if<const PlacedEntry*>(&found)) return (*placed)->model;
  auto& entry = *std::get<Entry*>(found);
  state_->look_at_model(entry);
  return state_->to_wire(entry);
}

Result<wire::ModelDetail> Library::show(std::string_view name) {
  PUNA_TRY(const auto model, find(name));
  wire::ModelDetail out;
  std::vector<std::string> weights;
  {
    const std::lock_guard lock(state_->mutex);
    PUNA_TRY(const auto found, state_->resolve(model.name));
    if (const auto* placed = std::get_if<const PlacedEntry*>(&found)) {
      out = detail_of(**placed);
    } else {
      const auto& entry = *std::get<Entry*>(found);
      out.model = state_->to_wire(entry);
      out.recipe = entry.recipe;
      weights = State::weights_of(entry.parts);
      for (const auto& part : entry.parts)
        out.files.push_back(
            {part.path, part.role, part.sha256, state_->blobs.at(part.sha256).row.size, state_->path_of(part.sha256).string()});
    }
  }
  if (!out.files.empty()) out.path = out.files.front().place;
  if (!weights.empty()) out.path = state_->path_of(weights.front()).string();
  if (weights.size() > 1 && out.model.details.format == "gguf") {
    PUNA_TRY(const auto first, state_->links.first_part(weights));
    out.path = first.string();
  }
  PUNA_CHECK(read_header(out));
  return out;
}

bool Library::holds(std::string_view sha256) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->blobs.find(sha256);
  if (found == state_->blobs.end()) return false;
  state_->look_at_files({state_->path_of(sha256).filename().string()});
  return !found->second.problem;
}

std::uint64_t Library::revision() const {
  return state_->revision;
}

void Library::configure(StoreChoice stores) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->shared_folder = stores.places.shared_hf_cache;
  }
  state_->watcher->configure(std::move(stores));
}

}  // namespace puna::model
