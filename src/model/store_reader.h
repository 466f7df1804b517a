// Looks at the stores of other programs and tells which models lie there. Headers are read once and remembered by the files' stamps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/name.h"
#include "model/stores/spec.h"
#include "model/table.h"

namespace puna::model {

// Which stores are read.
struct StoreChoice {
  std::vector<std::string> stores;  // keys; unknown ones are ignored
  StorePlaces places;
};

struct FoundEntry {
  std::size_t order = 0;  // among all that were found: who comes first has the name
  const StoreSpec* store = nullptr;
  std::filesystem::path root;
  Name name;  // as its owner calls it: several may be called alike
  std::vector<FoundFile> files;
  wire::Provenance provenance;
  wire::ModelDetails details;
  wire::Recipe recipe;
  std::optional<std::string> problem;
};

struct Sight {
  std::vector<FoundEntry> models;  // in the order of the stores, then by name
  std::vector<std::pair<const StoreSpec*, FoundPartial>> partials;
};

using FileIdentity = std::pair<std::uint64_t, std::uint64_t>;  // device and inode

// One thread at a time.
class StoreReader {
 public:
  explicit StoreReader(store::Database& database) : table_(database) {}

  // Files that are `ours` are left out. What cannot be read is logged and left out. Code::cancelled when stopped.
  [[nodiscard]] Result<Sight> look(const StoreChoice& choice, const std::set<FileIdentity>& ours, const WatchFolder& watch,
                                   const std::stop_token& stop);
  [[nodiscard]] std::size_t headers_read() const { return headers_read_; }

 private:
  void look_at_root(const StoreSpec& spec, const std::filesystem::path& root, const std::set<FileIdentity>& ours, const WatchFolder& watch,
                    Sight& sight);
  FoundEntry describe_found(const StoreSpec& spec, const StoreScan& scan, FoundModel model);
  Result<> remember();

  Table table_;
  bool loaded_ = false;
  std::map<std::string, SeenRow> seen_;
  std::set<std::string> touched_;  // paths of this look
  std::set<std::string> fresh_;    // that the table does not have yet
  std::size_t headers_read_ = 0;
};

}  // namespace puna::model
