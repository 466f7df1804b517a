// One file on its way: KEY.part is the file at its full size, KEY.journal and KEY.recent say which of its bytes are there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"
#include "hub/transfer/journal.h"
#include "hub/transfer/transfer.h"
#include "os/descriptor.h"

namespace puna::hub::transfer {

// Blocks; belongs on a disk thread. write(), read() and replace() may run at the same time on several threads, the rest on one at a time.
// Other processes are kept away by a lock.
class PartialFile {
 public:
  // Code::conflict when another process works on the same file.
  [[nodiscard]] static Result<std::shared_ptr<PartialFile>> open(const std::filesystem::path& folder, std::string_view key);

  struct Found {
    Journal journal;     // its `present` holds what a kill did not cost, too
    bool proven = true;  // false: there is a file, but nothing tells which of its bytes are right
  };
  // What earlier transfers left of a file with this digest and size (where they are known). What contradicts is thrown away.
  [[nodiscard]] Result<Found> recover(const std::optional<Digest>& digest, std::optional<Bytes> size);
  // Throws away what is there.
  [[nodiscard]] Result<Journal> begin(const std::optional<Digest>& digest, const FileVersion& version);
  // Room on the disk for the whole file; KEY.part has its full size afterwards.
  [[nodiscard]] Result<> reserve(Bytes size);

  [[nodiscard]] Result<> write(std::uint64_t at, std::string_view bytes);
  [[nodiscard]] Result<> read(std::uint64_t at, std::span<std::byte> out) const;
  // Writes where the file holds something else; whether it did.
  [[nodiscard]] Result<bool> replace(std::uint64_t at, std::string_view bytes);

  // Syncs the file, then the journal. From then on its spans are there for good.
  [[nodiscard]] Result<> checkpoint(const Journal& journal);
  [[nodiscard]] Result<> sync();
  // Cuts the file to its length when that was not known before.
  [[nodiscard]] Result<> cut(Bytes size);
  // Puts the file aside as KEY.damaged, and forgets the rest.
  [[nodiscard]] Result<> quarantine();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  PartialFile(std::filesystem::path path, os::UniqueFd file);
  [[nodiscard]] std::filesystem::path beside(std::string_view ending) const;
  [[nodiscard]] Result<> start_log(std::string_view journal_id);
  [[nodiscard]] std::shared_ptr<const RecentLog> log() const;
  void end_log();
  [[nodiscard]] Result<Bytes> length() const;
  [[nodiscard]] Result<> still_here() const;
  [[nodiscard]] bool has_holes(Bytes size) const;

  std::filesystem::path path_;
  os::UniqueFd file_;
  mutable std::mutex mutex_;              // guards log_
  std::shared_ptr<const RecentLog> log_;  // none before the first checkpoint
};

// Everything that a folder holds of unfinished transfers, those of older versions too.
[[nodiscard]] std::vector<Partial> list_partials(const std::filesystem::path& folder);
[[nodiscard]] Result<> remove_partial(const std::filesystem::path& folder, std::string_view key);
// Blocks on the disk that the partial file of this key takes.
[[nodiscard]] Bytes allocated_of_partial(const std::filesystem::path& folder, std::string_view key);
[[nodiscard]] std::string text_of(const std::optional<Digest>& digest);

}  // namespace puna::hub::transfer
