// Where other programs keep models that can be read in place. A store is a file beside this one and a row of registry.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "os/environment.h"
#include "wire/model.h"

namespace puna::model {

struct FoundFile {
  wire::FileRole role = wire::FileRole::weights;
  std::string path;             // below the model's folder, as its owner names it
  std::filesystem::path place;  // a regular file below the store's root, seen through links that stay there
  std::string sha256;           // when the store names files after it
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

// What a store says about a model; no header was read for it.
struct FoundModel {
  std::string name;  // what its owner calls it; need not be a model::Name
  std::vector<FoundFile> files;
  wire::Provenance provenance;
  std::optional<std::string> problem;  // seen without opening a file
};

// Bytes of a download of the owner that is not complete.
struct FoundPartial {
  std::filesystem::path place;
  std::int64_t size = 0;
};

// Told of each folder before it is read.
using WatchFolder = std::function<void(const std::filesystem::path& folder)>;

// One look at one root. Collects; never changes anything.
class StoreScan {
 public:
  StoreScan(std::filesystem::path root, WatchFolder on_watch);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  // A change in this folder asks for another look at the store.
  void watch(const std::filesystem::path& folder) const { on_watch_(folder); }
  // Names in a folder, sorted; none when it cannot be read. It is watched.
  [[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder) const;
  [[nodiscard]] static bool is_folder(const std::filesystem::path& path);  // not through a link
  // A file with its stamp. Absent, with the reason in `problem`, when it is missing, no regular file, or a link that leaves the root.
  [[nodiscard]] std::optional<FoundFile> file(const std::filesystem::path& place, std::string& problem) const;
  // A small file of the store's own, such as a manifest; absent when it cannot be read.
  [[nodiscard]] std::optional<std::string> text(const std::filesystem::path& place) const;

  void add(FoundModel model) { models_.push_back(std::move(model)); }
  void add_partial(const std::filesystem::path& place);

  [[nodiscard]] std::vector<FoundModel>& models() { return models_; }
  [[nodiscard]] const std::vector<FoundPartial>& partials() const { return partials_; }

 private:
  std::filesystem::path root_;  // canonical
  WatchFolder on_watch_;
  std::vector<FoundModel> models_;
  std::vector<FoundPartial> partials_;
};

// What says where stores are.
struct StorePlaces {
  os::Environment environment;
  std::vector<std::string> folders;       // models.folders
  std::filesystem::path shared_hf_cache;  // where the library itself writes Hugging Face's layout; may be empty
};

struct StoreSpec {
  std::string_view key;      // in models.stores and wire::Model::store
  std::string_view owner;    // "Ollama"
  std::string_view removal;  // how the owner removes a model: "ollama rm NAME"
  std::vector<std::filesystem::path> (*roots)(const StorePlaces& places);
  void (*scan)(StoreScan& scan);
};

// In the order in which they are given a name that several have.
[[nodiscard]] std::span<const StoreSpec> stores();
[[nodiscard]] const StoreSpec* find_store(std::string_view key);

}  // namespace puna::model
