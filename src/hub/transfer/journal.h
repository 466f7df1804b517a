// What is remembered of a file on its way, so that it can go on after a kill or a power cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/transfer/file_version.h"
#include "hub/transfer/span_set.h"
#include "os/descriptor.h"

namespace puna::hub::transfer {

// Checksums are kept of blocks this large, whatever the pieces are.
inline constexpr std::uint64_t kBlock = 8 << 20;

struct Journal {
  std::string id;       // of this partial file since its first byte: what a recent log refers to
  std::string digest;   // "sha256:…", "git_sha1:…", or nothing
  FileVersion version;  // total: the file's size
  SpanSet present;      // on the disk for good
  // XXH3 of each block, nullopt until it has been computed; shorter when none follow.
  std::vector<std::optional<std::uint64_t>> checksums;

  bool operator==(const Journal&) const = default;
};

// The same line twice, each with a checksum: one flipped bit costs nothing, and nothing damaged is believed.
[[nodiscard]] std::string encode_journal(const Journal& journal);
// nullopt when neither line is intact, or of another format.
[[nodiscard]] std::optional<Journal> decode_journal(std::string_view text);

// What was written since the journal was. A kill leaves written bytes in the machine's page cache, so these spans are there as long as the
// machine was not started anew; nothing is synced. One append a write; thread-safe.
class RecentLog {
 public:
  // Begins anew, for the journal with this id.
  [[nodiscard]] static Result<RecentLog> create(const std::filesystem::path& path, std::string_view journal_id);
  [[nodiscard]] Result<> append(Span span) const;

  // What a log of this journal says that was written since this machine was started. Stops where it is damaged.
  [[nodiscard]] static SpanSet read(const std::filesystem::path& path, std::string_view journal_id);

 private:
  explicit RecentLog(os::UniqueFd file, std::uint64_t seed) : file_(std::move(file)), seed_(seed) {}
  os::UniqueFd file_;
  std::uint64_t seed_;
};

}  // namespace puna::hub::transfer
