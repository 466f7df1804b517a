// The library's inside: its index in memory, and the tables behind it. Shared by library.cpp (questions) and library_changes.cpp.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/describe.h"
#include "model/file_stamp.h"
#include "model/library.h"
#include "model/name.h"
#include "model/part_links.h"
#include "model/table.h"

namespace puna::model {

struct Blob {
  BlobRow row;
  std::optional<FileStamp> seen;  // at the last look
  bool looked_at = false;
  std::optional<std::string> problem;
  std::set<std::string> models;  // keys of those that have it
};

struct Entry {
  ModelRow row;
  std::vector<PartRow> parts;
  wire::ModelDetails details;
  wire::Recipe recipe;
  std::optional<std::string> problem;
};

struct Library::State {
  State(store::Database& database, EventBus& bus, const std::filesystem::path& folder)
      : events(bus), blobs_folder(folder / "blobs"), links(folder / "sets"), table(database) {}

  EventBus& events;
  const std::filesystem::path blobs_folder;
  const PartLinks links;
  std::atomic<std::uint64_t> revision{1};

  std::mutex mutex;  // guards what follows; held while the database is written, so that index and tables never part
  Table table;
  std::map<std::string, Blob, std::less<>> blobs;    // by sha256
  std::map<std::string, Entry, std::less<>> models;  // by key, so in the order of lists

  [[nodiscard]] std::filesystem::path path_of(std::string_view sha256) const;
  Result<> load();
  Result<Entry*> resolve(std::string_view text);
  [[nodiscard]] Error unknown(const Name& name) const;

  // Whether the file is another one than at the last look; `read_anew` when what its header says may be, too.
  bool look(Blob& blob, bool& read_anew);
  // The same for all files of a model; what changed is stored, told and logged.
  void look_at_model(Entry& entry);
  void read_headers(Entry& entry);

  [[nodiscard]] std::int64_t size_of(const Entry& entry) const;
  [[nodiscard]] wire::Model to_wire(const Entry& entry) const;
  [[nodiscard]] std::vector<FileOnDisk> files_on_disk(const std::vector<PartRow>& parts) const;
  // The weights' content, in order.
  [[nodiscard]] static std::vector<std::string> weights_of(const std::vector<PartRow>& parts);

  void insert(Entry entry);
  // The entry that is taken out; its blobs may be without a model then.
  Entry erase(const std::string& key);
  // Deletes the files that no model has: what a crash leaves of that is finished by the next load(). The bytes that come back.
  Result<Bytes> drop_unused(const std::set<std::string>& sha256s);
  Result<Bytes> drop(const std::string& sha256);
};

// Of parts without a repetition.
[[nodiscard]] std::set<std::string> contents_of(const std::vector<PartRow>& parts);

}  // namespace puna::model
