#include "model/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <system_error>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/describe.h"
#include "model/file_stamp.h"
#include "model/name.h"
#include "model/table.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

struct File {
  FileRow row;
  wire::ModelDetails details;
  bool looked_at = false;
  std::optional<FileStamp> seen;  // at the last look
  std::optional<std::string> problem;
  std::set<std::string> names;  // keys
};

Result<> check_sha256(std::string_view text) {
  const auto is_hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() == 64 && std::ranges::all_of(text, is_hexadecimal)) return {};
  return fail(Code::invalid_argument, "a SHA-256 is 64 hexadecimal digits in lower case, not '" + printable(text.substr(0, 80)) + "'");
}

std::string suggestion(const std::vector<std::string>& names) {
  return names.empty() ? std::string() : "; did you mean " + join(names, ", ") + "?";
}

}  // namespace

struct Library::State {
  State(store::Database& database, EventBus& bus, fs::path blob_folder) : events(bus), blobs(std::move(blob_folder)), table(database) {}

  EventBus& events;
  const fs::path blobs;
  std::atomic<std::uint64_t> revision{1};

  std::mutex mutex;  // guards what follows; held while the database is written, so that index and tables never part
  Table table;
  std::map<std::string, File> files;     // by sha256
  std::map<std::string, NameRow> names;  // by key, so in the order of lists

  fs::path path_of(std::string_view sha256) const { return blobs / fmt::format("sha256-{}", sha256); }
  Result<> load();
  Result<NameRow*> resolve(std::string_view text);
  Error unknown(const Name& name) const;
  bool look(File& file);
  void look_and_tell(File& file);
  wire::Model to_wire(const NameRow& row) const;
  void name_file(const NameRow& row);
  Result<Bytes> drop_if_unnamed(const std::string& sha256);
};

Result<> Library::State::load() {
  std::lock_guard lock(mutex);
  PUNA_TRY(auto content, table.load());
  for (auto& row : content.files) {
    auto& file = files[row.sha256];
    if (auto details = json::decode<wire::ModelDetails>(row.details, json::Unknown::ignore))
      file.details = std::move(*details);
    else
      row.description = 0;
    file.row = std::move(row);
  }
  for (const auto& row : content.names) name_file(row);
  std::vector<std::string> unnamed;
  for (auto& [sha256, file] : files) {
    if (file.names.empty())
      unnamed.push_back(sha256);
    else
      look(file);
  }
  for (const auto& sha256 : unnamed) {
    auto freed = drop_if_unnamed(sha256);
    if (freed)
      log::info("model", "finished a removal", {{"sha256", sha256}, {"freed", freed->count}});
    else
      log::warning("model", "a removal is still not finished", {{"sha256", sha256}, {"error", freed.error().text()}});
  }
  return {};
}

void Library::State::name_file(const NameRow& row) {
  if (const auto before = names.find(row.name_key); before != names.end()) files[before->second.sha256].names.erase(row.name_key);
  names[row.name_key] = row;
  files[row.sha256].names.insert(row.name_key);
}

// Whether the file, or what is known of it, is another one than at the last look.
bool Library::State::look(File& file) {
  auto stamp = look_at(path_of(file.row.sha256));
  const std::optional<FileStamp> now = stamp ? *stamp : std::nullopt;
  if (file.looked_at && file.seen == now) return false;
  file.looked_at = true;
  file.seen = now;
  const auto path = path_of(file.row.sha256).string();
  if (!stamp) {
    file.problem = stamp.error().text();
  } else if (!now) {
    file.problem = fmt::format("its file {} is missing: pull the model again, or remove it", path);
  } else if (now->size != file.row.size) {
    file.problem = fmt::format("its file {} has {} bytes and had {} when it was added: pull the model again, or remove it", path, now->size,
                               file.row.size);
  } else if (now->modified_ns == file.row.modified_ns && file.row.description == kDescription) {
    file.problem.reset();
  } else if (auto header = gguf::Header::read_file(path); !header) {
    file.problem = fmt::format("its file was changed and is no longer a model: {}", header.error().text());
  } else {
    file.problem.reset();
    file.details = details_of(*header);
    file.row.details = json::encode(file.details);
    file.row.description = kDescription;
    file.row.modified_ns = now->modified_ns;
    if (auto stored = table.put_file(file.row); !stored)
      log::warning("model", "what was read anew could not be stored", {{"file", path}, {"error", stored.error().text()}});
  }
  return true;
}

void Library::State::look_and_tell(File& file) {
  if (!look(file)) return;
  ++revision;
  if (file.problem) log::warning("model", "a model cannot be used", {{"sha256", file.row.sha256}, {"problem", *file.problem}});
  for (const auto& key : file.names) events.publish_as("model.updated", to_wire(names.at(key)));
}

wire::Model Library::State::to_wire(const NameRow& row) const {
  const auto& file = files.at(row.sha256);
  return {.name = row.name,
          .size = file.row.size,
          .sha256 = row.sha256,
          .source = row.source,
          .modified_at = format_time(row.modified_at),
          .problem = file.problem,
          .details = file.details};
}

Result<NameRow*> Library::State::resolve(std::string_view text) {
  PUNA_TRY(const auto name, Name::parse(text));
  if (const auto exact = names.find(name.key()); exact != names.end()) return &exact->second;
  if (!name.tag_was_given()) {
    const std::string prefix = lower_ascii(name.base()) + ":";
    const auto first = names.lower_bound(prefix);
    if (first != names.end() && first->first.starts_with(prefix)) {
      const auto second = std::next(first);
      if (second == names.end() || !second->first.starts_with(prefix)) return &first->second;
    }
  }
  return fail(unknown(name));
}

Error Library::State::unknown(const Name& name) const {
  if (names.empty()) return {Code::not_found, fmt::format("there is no model '{}': the library is empty", name.text())};
  std::vector<std::string> known, same_base;
  for (const auto& [key, row] : names) {
    known.push_back(row.name);
    if (key.starts_with(lower_ascii(name.base()) + ":")) same_base.push_back(row.name);
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

// Deletes the file and then its row: what a crash leaves between the two is finished by the next load().
Result<Bytes> Library::State::drop_if_unnamed(const std::string& sha256) {
  const auto found = files.find(sha256);
  if (found == files.end() || !found->second.names.empty()) return Bytes(0);
  const auto path = path_of(sha256);
  PUNA_TRY(const auto stamp, look_at(path));
  std::error_code error;
  fs::remove(path, error);
  if (error) return fail(errno_error(error.value(), "cannot delete " + path.string()));
  PUNA_CHECK(table.remove_file(sha256));
  files.erase(found);
  return Bytes(stamp && !stamp->other_links ? static_cast<std::uint64_t>(stamp->size) : 0);
}

Library::Library(std::unique_ptr<State> state) : state_(std::move(state)) {}
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::open(store::Database& database, EventBus& events, const fs::path& folder) {
  const auto blobs = folder / "blobs";
  std::error_code error;
  const bool created = fs::create_directories(blobs, error);
  if (!error && created) fs::permissions(blobs, fs::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), "cannot use " + blobs.string()));
  auto state = std::make_unique<State>(database, events, blobs);
  PUNA_CHECK(state->load());
  return Library(std::move(state));
}

Result<std::vector<wire::Model>> Library::list() {
  std::lock_guard lock(state_->mutex);
  for (auto& [sha256, file] : state_->files) state_->look_and_tell(file);
  std::vector<wire::Model> out;
  out.reserve(state_->names.size());
  for (const auto& [key, row] : state_->names) out.push_back(state_->to_wire(row));
  return out;
}

Result<wire::Model> Library::find(std::string_view name) {
  std::lock_guard lock(state_->mutex);
  PUNA_TRY(const auto* row, state_->resolve(name));
  state_->look_and_tell(state_->files.at(row->sha256));
  return state_->to_wire(*row);
}

Result<wire::ModelDetail> Library::show(std::string_view name) {
  PUNA_TRY(auto model, find(name));
  wire::ModelDetail out;
  const auto path = state_->path_of(model.sha256);
  out.path = path.string();
  if (!model.problem) {
    PUNA_TRY(const auto header, gguf::Header::read_file(path));
    out.chat_template = chat_template_of(header);
    out.metadata = metadata_of(header);
  }
  out.model = std::move(model);
  return out;
}

Result<wire::Model> Library::add(const NewModel& model) {
  PUNA_TRY(const auto name, Name::parse(model.name));
  PUNA_TRY(const auto path, blob_path(model.sha256));
  PUNA_TRY(const auto header, gguf::Header::read_file(path));
  auto details = details_of(header);

  std::lock_guard lock(state_->mutex);
  PUNA_TRY(const auto stamp, look_at(path));
  if (!stamp) return fail(Code::not_found, fmt::format("the file {} was removed while model {} was added", path.string(), name.text()));
  const auto now = std::chrono::system_clock::now();
  const auto before = state_->names.find(name.key());
  const bool known = before != state_->names.end();
  const std::string replaced = known ? before->second.sha256 : std::string();
  const FileRow file{model.sha256, stamp->size, stamp->modified_ns, json::encode(details), kDescription, now};
  const NameRow row{name.key(), name.text(), model.sha256, redact(model.source), known ? before->second.created_at : now, now};
  PUNA_CHECK(state_->table.put(file, row));
  state_->name_file(row);
  auto& entry = state_->files[model.sha256];
  entry.row = file;
  entry.details = std::move(details);
  entry.looked_at = true;
  entry.seen = stamp;
  entry.problem.reset();
  ++state_->revision;
  const auto out = state_->to_wire(row);
  log::info("model", known ? "model updated" : "model added", {{"model", out.name}, {"sha256", out.sha256}, {"size", out.size}});
  state_->events.publish_as(known ? "model.updated" : "model.added", out);
  if (known && replaced != model.sha256)
    if (auto freed = state_->drop_if_unnamed(replaced); !freed)
      log::warning("model", "a replaced file could not be deleted", {{"sha256", replaced}, {"error", freed.error().text()}});
  return out;
}

Result<wire::Model> Library::copy(std::string_view from, std::string_view to) {
  PUNA_TRY(const auto name, Name::parse(to));
  std::lock_guard lock(state_->mutex);
  PUNA_TRY(const auto* source, state_->resolve(from));
  if (const auto taken = state_->names.find(name.key()); taken != state_->names.end()) {
    if (taken->second.sha256 == source->sha256) return state_->to_wire(taken->second);
    return fail(Code::already_exists, fmt::format("there is another model '{}' already: remove it first", taken->second.name));
  }
  const auto now = std::chrono::system_clock::now();
  const NameRow row{name.key(), name.text(), source->sha256, source->source, now, now};
  PUNA_CHECK(state_->table.put_name(row));
  state_->name_file(row);
  ++state_->revision;
  const auto out = state_->to_wire(row);
  log::info("model", "model copied", {{"model", out.name}, {"from", source->name}});
  state_->events.publish_as("model.added", out);
  return out;
}

Result<wire::ModelRemoval> Library::remove(std::string_view name) {
  std::lock_guard lock(state_->mutex);
  PUNA_TRY(const auto* found, state_->resolve(name));
  const NameRow row = *found;
  PUNA_CHECK(state_->table.remove_name(row.name_key));
  state_->names.erase(row.name_key);
  auto& file = state_->files.at(row.sha256);
  file.names.erase(row.name_key);
  ++state_->revision;
  wire::ModelRemoval out{.name = row.name};
  for (const auto& key : file.names) out.remaining_names.push_back(state_->names.at(key).name);
  const auto freed = state_->drop_if_unnamed(row.sha256);
  if (freed) out.freed_bytes = static_cast<std::int64_t>(freed->count);
  log::info("model", "model removed", {{"model", out.name}, {"freed", out.freed_bytes}});
  state_->events.publish_as("model.removed", out);
  if (!freed) return fail(Error(freed.error()).within(fmt::format("model {} is gone, but its file stays until the next start", row.name)));
  return out;
}

Result<fs::path> Library::blob_path(std::string_view sha256) const {
  PUNA_CHECK(check_sha256(sha256));
  return state_->path_of(sha256);
}

bool Library::holds(std::string_view sha256) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->files.find(std::string(sha256));
  if (found == state_->files.end()) return false;
  state_->look_and_tell(found->second);
  return !found->second.problem;
}

std::uint64_t Library::revision() const {
  return state_->revision;
}

}  // namespace puna::model
