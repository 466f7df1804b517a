// Models that came from Hugging Face, shown in its cache's layout too, so that Python tools find them without another download.
// Source of the layout: huggingface_hub's documentation of its cache (blobs, snapshots, refs, CACHEDIR.TAG).
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/error.h"
#include "model/describe.h"
#include "model/table.h"
#include "os/environment.h"

namespace puna::model {

// Hugging Face's own cache where its variables name one; else a folder below PUNA_HOME when that is set, else the user's cache.
[[nodiscard]] std::filesystem::path shared_cache_folder(const os::Environment& environment);

// Not thread-safe: the library guards it.
class SharedCache {
 public:
  explicit SharedCache(Table table) : table_(table) {}
  [[nodiscard]] Result<> load();

  // Further names of the files: blobs/SHA256 are hard links, snapshots/COMMIT/PATH relative links to them, refs/REVISION says the commit.
  // What is there already is left as it is. Code::unsupported when the cache is on another file system.
  [[nodiscard]] Result<> share(const std::filesystem::path& cache, const wire::Provenance& from, std::span<const FileOnDisk> files,
                               std::span<const std::string> sha256s);
  // Takes away the names that share() gave to this content, and folders that are empty then.
  [[nodiscard]] Result<> unshare(std::string_view sha256);
  // Hard links that share() made, and that still are there.
  [[nodiscard]] std::int64_t links(std::string_view sha256) const;

 private:
  Result<> remember(const std::filesystem::path& path, const std::string& sha256);

  Table table_;
  std::multimap<std::string, SharedRow, std::less<>> rows_;  // by content
};

}  // namespace puna::model
