// The bytes of a file that the hub double serves: given, on disk, or made up from a seed, so that 50 GB need no disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "os/descriptor.h"

namespace puna::fakes {

// Never changes; thread-safe.
class Content {
 public:
  using Ptr = std::shared_ptr<const Content>;

  static Ptr of(std::string bytes);
  // Of a regular file that nobody changes meanwhile.
  static Result<Ptr> on_disk(const std::filesystem::path& file);
  // `head`, then bytes that depend on the seed and on where they stand alone; no two blocks of 64 KiB are equal.
  static Ptr generated(std::uint64_t size, std::uint64_t seed, std::string head = {});

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // As many bytes as `into` has room for; `offset` + its size lie within size().
  void read(std::uint64_t offset, std::span<char> into) const;
  [[nodiscard]] std::string text(std::uint64_t offset = 0, std::uint64_t length = UINT64_MAX) const;
  // The file that can be sent as it stands; -1 when there is none.
  [[nodiscard]] int descriptor() const { return file_.get(); }

  // Hexadecimal; computed when first asked for.
  [[nodiscard]] const std::string& sha256() const;
  [[nodiscard]] const std::string& git_sha1() const;  // of the blob, as Git names it

 private:
  Content() = default;
  [[nodiscard]] std::string digest(const char* algorithm, std::string_view before) const;

  std::uint64_t size_ = 0;
  std::string head_;
  os::UniqueFd file_;
  std::uint64_t seed_ = 0;
  std::vector<char> block_;  // what generated blocks have in common
  mutable std::once_flag sha256_once_, sha1_once_;
  mutable std::string sha256_, sha1_;
};

// Hexadecimal digests of short texts.
[[nodiscard]] std::string sha256_of(std::string_view bytes);
[[nodiscard]] std::string sha1_of(std::string_view bytes);
// A pseudo-random number that depends on both alone.
[[nodiscard]] std::uint64_t mix(std::uint64_t seed, std::uint64_t index);

}  // namespace puna::fakes
