// A file that is on its way: its bytes so far, and a journal that says which file they belong to.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "hub/file_version.h"
#include "hub/sha256.h"
#include "os/descriptor.h"

namespace puna::hub {

// How much a crash may cost: a checkpoint follows after this much, or after this time.
struct CheckpointPolicy {
  Bytes bytes = mib(32);
  Milliseconds time{2000};
};

// KEY.part and KEY.json in a folder. What a journal calls received is on the disk for good; bytes beyond it count too as long as the
// machine was not started anew since. So a kill loses nothing, and a power cut at most what came since the last checkpoint. Nothing is
// believed that does not hash to what the journal says. One thread at a time; other processes are kept away by a lock.
class PartFile {
 public:
  // Code::conflict when another process works on the same file.
  [[nodiscard]] static Result<PartFile> open(const std::filesystem::path& folder, std::string_view key, CheckpointPolicy policy = {});

  // Reads what is there, and believes it or throws it away. Stops within one chunk.
  [[nodiscard]] Result<> recover(const std::stop_token& stop, const std::function<void(Bytes done, Bytes present)>& progress = {});
  // Throws away what is there and begins with bytes of this version, with room reserved on the disk if the size is known.
  [[nodiscard]] Result<> begin(const FileVersion& version);
  // What was written before an error counts.
  [[nodiscard]] Result<> append(std::string_view bytes);
  // On disk when it returns.
  [[nodiscard]] Result<> checkpoint();
  // What was not known of the version at the beginning.
  void learn_total(std::optional<std::uint64_t> total) { version_.total = version_.total ? version_.total : total; }
  // Of all that is here.
  [[nodiscard]] Result<std::string> sha256() const { return hash_.hex(); }
  // Removes the bytes and the journal.
  [[nodiscard]] Result<> discard();
  // Removes the bytes, which are kept elsewhere now, and notes which version had which digest.
  [[nodiscard]] Result<> leave_receipt();
  // Removes the bytes, and keeps a receipt that is there.
  [[nodiscard]] Result<> discard_bytes();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const FileVersion& version() const { return version_; }
  [[nodiscard]] Bytes received() const { return received_; }
  // Room on the disk that `total` bytes need beyond what this file holds already.
  [[nodiscard]] Bytes missing_room(Bytes total) const;

  // What an earlier, completed transfer left.
  struct Receipt {
    FileVersion version;
    std::string sha256;
  };
  [[nodiscard]] const std::optional<Receipt>& receipt() const { return receipt_; }

 private:
  struct Journal;
  PartFile(std::filesystem::path path, std::filesystem::path journal_path, os::UniqueFd file, CheckpointPolicy policy);
  [[nodiscard]] std::optional<Journal> read_journal() const;
  [[nodiscard]] Result<> write_journal(bool complete);
  [[nodiscard]] Result<> cut(Bytes length);

  std::filesystem::path path_;
  std::filesystem::path journal_path_;
  os::UniqueFd file_;
  CheckpointPolicy policy_;
  FileVersion version_;
  Bytes received_;
  Bytes journaled_;
  MonotonicTime journaled_at_;
  Sha256 hash_;
  std::optional<Receipt> receipt_;
};

}  // namespace puna::hub
