// The library's inside: its index in memory, and the tables behind it. Shared by library.cpp (questions), library_changes.cpp,
// library_names.cpp and library_files.cpp.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "model/describe.h"
#include "model/file_stamp.h"
#include "model/library.h"
#include "model/name.h"
#include "model/part_links.h"
#include "model/probes.h"
#include "model/shared_cache.h"
#include "model/store_reader.h"
#include "model/table.h"
#include "model/watcher.h"

namespace puna::model {

struct Blob {
  BlobRow row;
  std::optional<FileStamp> seen;  // at the last look
  bool looked_at = false;
  std::optional<std::string> problem;
  std::set<std::string> models;  // keys of those that have it, removed ones among them
};

struct Entry {
  ModelRow row;
  std::vector<PartRow> parts;
  wire::ModelDetails details;
  wire::Recipe recipe;
  std::optional<std::string> problem;
};

// A model in place, and what it is called here.
struct PlacedEntry {
  FoundEntry found;
  wire::Model model;
};

struct Library::State {
  State(store::Database& database, EventBus& bus, const std::filesystem::path& folder)
      : events(bus), blobs_folder(folder / "blobs"), links(folder / "sets"), table(database), shared(table), probes(table) {}

  EventBus& events;
  const std::filesystem::path blobs_folder;
  const PartLinks links;
  std::atomic<std::uint64_t> revision{1};

  std::mutex mutex;  // guards what follows; held while the database is written, so that index and tables never part
  Table table;
  std::map<std::string, Blob, std::less<>> blobs;    // by sha256
  std::map<std::string, Entry, std::less<>> models;  // by key, so in the order of lists
  std::map<std::string, Entry, std::less<>> removed;
  std::map<std::string, AliasRow, std::less<>> aliases;
  std::map<std::string, PlacedEntry, std::less<>> placed;  // by key of the name that they have here
  std::vector<std::pair<const StoreSpec*, FoundPartial>> partials;
  bool stores_known = false;
  SharedCache shared;
  Probes probes;
  std::filesystem::path shared_folder;  // empty: nothing is shared
  std::vector<wire::Model> listing;
  std::shared_ptr<const std::string> listing_text;  // null: not made yet
  std::uint64_t listing_revision = 0;

  std::unique_ptr<Watcher> watcher;  // last: its thread uses what is above

  [[nodiscard]] std::filesystem::path path_of(std::string_view sha256) const;
  Result<> load();
  void start_watching(store::Database& database, StoreChoice choice);

  // Locks the mutex. Just after the start, other programs' models are waited for, so that no name seems unknown or free.
  std::unique_lock<std::mutex> lock_knowing_names();

  // The same with everything seen that changed up to now, and `listing` made of it.
  std::unique_lock<std::mutex> lock_with_listing();

  // library_names.cpp
  using Resolved = std::variant<Entry*, const PlacedEntry*>;
  Result<Resolved> resolve(std::string_view text);
  Entry* came_from(const Name& repository);           // the only one of it that was chosen like the tag; null when there is none
  Result<Entry*> resolve_own(std::string_view text);  // Code::permission_denied for one in place
  [[nodiscard]] Error unknown(const Name& name) const;
  [[nodiscard]] std::vector<std::string> known_names() const;
  // Gives names to the models in place anew: own names have changed, or they themselves.
  void name_placed(std::vector<FoundEntry> found);
  void rename_placed();
  void take_found(Sight sight);
  [[nodiscard]] wire::Model to_wire(const Entry& entry) const;
  [[nodiscard]] wire::Model to_wire(const FoundEntry& found, std::string name) const;
  // What the result of a trial belongs to.
  [[nodiscard]] std::string print(const Entry& entry) const;
  void refresh_listing();

  // library_files.cpp
  // Whether the file is another one than at the last look; `read_anew` when what its header says may be, too.
  bool look(Blob& blob, bool& read_anew);
  // The same for all files of a model; what changed is stored, told and logged.
  void look_at_model(Entry& entry);
  void look_at_files(const std::set<std::string>& file_names);
  void read_headers(Entry& entry);
  // In Hugging Face's cache, when it came from there.
  void share(const Entry& entry);
  [[nodiscard]] std::int64_t size_of(const Entry& entry) const;
  [[nodiscard]] std::vector<FileOnDisk> files_on_disk(const std::vector<PartRow>& parts) const;
  // The weights' content, in order.
  [[nodiscard]] static std::vector<std::string> weights_of(const std::vector<PartRow>& parts);
  [[nodiscard]] std::set<FileIdentity> identities() const;
  // Deletes the files that no model has: what a crash leaves of that is finished by the next load(). The bytes that come back.
  Result<Bytes> drop_unused(const std::set<std::string>& sha256s);
  Result<Bytes> drop(const std::string& sha256);
  // The bytes that come back when nothing but `key` has these files and it goes.
  [[nodiscard]] std::int64_t bytes_of_last_name(const std::string& key, const std::set<std::string>& contents) const;
  // Ends removals whose time is over; the time until the next.
  Milliseconds expire(WallTime now);

  // library_changes.cpp
  void insert(Entry entry);
  // The entry that is taken out; its blobs may be without a model then.
  Entry erase(const std::string& key);
  Result<wire::ModelRemoval> remove_for_good(Entry& entry, std::string name);
  Result<wire::ModelRemoval> remove_alias(const AliasRow& alias);
};

// Of parts without a repetition.
[[nodiscard]] std::set<std::string> contents_of(const std::vector<PartRow>& parts);

inline constexpr std::string_view kOwnStore = "puna";

}  // namespace puna::model
