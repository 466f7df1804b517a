// The local library: names of models, and the files behind them.
//
// A file lies at <folder>/blobs/sha256-<hex>, named after its content; a model has one or more of them, and several models may share
// one. What the library says about a model is read once from its files' headers and kept, until a file's size or time changes.
// Models in other programs' folders are listed beside the library's own, used in place, and never changed. Where two models are called
// alike, the library's own has the name, then the first in the order of stores/registry.cpp; the others get "-STORE" behind their tag.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/event_bus.h"
#include "base/units.h"
#include "model/store_reader.h"
#include "store/database.h"
#include "wire/model.h"

namespace puna::model {

struct NewFile {
  std::string path;  // upstream's name; parts of a path are separated by '/'
  wire::FileRole role = wire::FileRole::weights;
  std::string sha256;  // of the file, which is already at blob_path(sha256) and was checked
};

struct NewModel {
  std::string name;            // the tag may be absent
  std::vector<NewFile> files;  // at least one of weights, in the order of their parts
  wire::Provenance provenance;
  wire::Recipe recipe = {};  // goes before what the files say (system, parameters, messages, chat_template)
};

struct RemoveOptions {
  Milliseconds undo{0};  // so long the files are kept and undo() brings the model back
  bool force = false;    // although it is pinned
};

// Thread-safe; functions look at the disk, so they belong on a pool. Names may be given without the tag "latest", and without any tag
// where only one model has that name; "owner/repo:Q4_K_M" also means the one model that was pulled as that. Unknown ones are
// Code::not_found, naming the nearest. What changes a model that another program keeps is refused: Code::permission_denied says who
// keeps it.
class Library {
 public:
  // Creates the folder, finishes removals that a crash cut short, and looks at every own file. Other programs' models follow soon.
  [[nodiscard]] static Result<Library> open(store::Database& database, EventBus& events, const std::filesystem::path& folder,
                                            StoreChoice stores = {});
  Library(Library&&) noexcept;
  Library& operator=(Library&&) noexcept;
  ~Library();

  // By name; what changed on the disk up to this call is seen. A model of which a file is missing or changed is listed with its problem.
  [[nodiscard]] Result<std::vector<wire::Model>> list();
  // The same as the JSON text of a wire::ModelList, which is made once for each change.
  [[nodiscard]] Result<std::shared_ptr<const std::string>> list_text();
  [[nodiscard]] Result<wire::Model> find(std::string_view name);
  // With what stands in the files' headers, and the files.
  [[nodiscard]] Result<wire::ModelDetail> show(std::string_view name);
  // Who takes how many bytes.
  [[nodiscard]] Result<wire::DiskUsage> usage();

  // Takes a name that exists over to the new files; those that lose their last name by that are deleted. Publishes "model.added" or
  // "model.updated" with a wire::Model. Code::corrupt_data when the files are no model, or not all of its parts.
  [[nodiscard]] Result<wire::Model> add(const NewModel& model);
  // A second model of the same files, which goes its own way from then on. Code::already_exists when the name belongs to others.
  [[nodiscard]] Result<wire::Model> copy(std::string_view from, std::string_view to);
  // A further name that follows the model, even to other files; also for models in place. Code::already_exists when it belongs to a
  // model; an alias of that name is moved.
  [[nodiscard]] Result<wire::Model> alias(std::string_view name, std::string_view target);
  [[nodiscard]] Result<wire::Model> pin(std::string_view name, bool pinned);
  // The files go with their last name, at once or when undo() is no longer offered; a removed model that is removed again goes at once.
  // Publishes "model.removed", and "model.freed" when the time for undo() is over. Whether a worker still uses it is the caller's concern.
  // Code::conflict when it is pinned.
  [[nodiscard]] Result<wire::ModelRemoval> remove(std::string_view name, RemoveOptions options = {});
  // Brings the model back that was removed last, or the last one of that name. Code::not_found, Code::already_exists.
  [[nodiscard]] Result<wire::Model> undo(std::optional<std::string> name);

  // Where the file of this content belongs. Code::invalid_argument unless it is 64 hexadecimal digits in lower case.
  [[nodiscard]] Result<std::filesystem::path> blob_path(std::string_view sha256) const;
  // Whether the library has an intact file of this content.
  [[nodiscard]] bool holds(std::string_view sha256);
  // What a verification found of a file: a problem of its models until the file changes; nullopt: nothing is wrong.
  [[nodiscard]] Result<> note_fault(std::string_view sha256, std::optional<std::string> fault);
  // Of the model's files as they are: what came out of a trial belongs to it.
  [[nodiscard]] Result<std::string> print(std::string_view name);
  // What came out, kept until a file is another one; it puts the capabilities right of every model of these files. Publishes
  // "model.probed" with the wire::Model. Code::conflict when the model is no longer the one that was tried.
  [[nodiscard]] Result<wire::Model> note_probe(std::string_view name, std::string_view print, wire::ModelProbe probe);
  // Grows with each change of a name or a file.
  [[nodiscard]] std::uint64_t revision() const;
  // Other stores, or other places of them.
  void configure(StoreChoice stores);

 private:
  struct State;
  explicit Library(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace puna::model
