#include "model/take_in.h"

#include <fmt/format.h>

#include <system_error>

#include "base/log.h"
#include "os/atomic_file.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"

namespace puna::model {
namespace {

// Makes the library's folder hold the file. What lies there already and no model has is left of an earlier try, and may be anything.
Result<> place(const std::filesystem::path& from, const std::filesystem::path& blob, const std::string& sha256,
               const std::stop_token& stop) {
  auto placed = os::place_file(from, blob, stop);
  if (!placed && placed.error().code == Code::already_exists) {
    PUNA_TRY(const auto file, os::open_regular_file(blob));
    std::error_code error;
    const auto size = std::filesystem::file_size(blob, error);
    if (error) return fail(errno_error(error.value(), "cannot examine " + blob.string()));
    os::Sha256 hash;
    PUNA_CHECK(os::hash_file(hash, file.get(), Bytes(0), Bytes(size), stop));
    PUNA_TRY(const auto found, hash.hex());
    if (found == sha256) return {};
    std::filesystem::remove(blob, error);
    placed = os::place_file(from, blob, stop);
  }
  if (!placed) return fail(placed.error());
  log::info("model", "a file is in place", {{"file", blob.string()}, {"how", json::encode(*placed)}});
  return {};
}

}  // namespace

Reading::Reading(jobs::JobContext& context, std::string phase, std::int64_t total)
    : context_(context), phase_(std::move(phase)), total_(total) {
  report(0);
}

void Reading::report(std::int64_t in_file) {
  context_.progress({.done = done_ + in_file, .total = total_, .unit = "bytes", .phase = phase_});
}

Result<std::string> Reading::hash(const std::string& place, std::int64_t size) {
  PUNA_TRY(const auto file, os::open_regular_file(place));
  os::Sha256 hash;
  const auto progress = [&](Bytes at) { report(static_cast<std::int64_t>(at.count)); };
  PUNA_CHECK(os::hash_file(hash, file.get(), Bytes(0), Bytes(static_cast<std::uint64_t>(size)), context_.stop(), progress));
  done_ += size;
  return hash.hex();
}

Result<NewFile> take_in(Library& library, Reading& reading, const wire::ModelFile& file) {
  PUNA_TRY(const auto sha256, reading.hash(file.place, file.size));
  if (!file.sha256.empty() && file.sha256 != sha256)
    return fail(Code::corrupt_data, fmt::format("{} has the SHA-256 {} instead of {}: it is damaged", file.place, sha256, file.sha256));
  PUNA_TRY(const auto blob, library.blob_path(sha256));
  if (!library.holds(sha256)) PUNA_CHECK(place(file.place, blob, sha256, reading.stop()));
  return NewFile{file.path, file.role, sha256};
}

Result<NewFile> take_in_text(const Library& library, std::string path, wire::FileRole role, std::string_view text) {
  PUNA_TRY(const auto sha256, os::sha256_of(text));
  PUNA_TRY(const auto blob, library.blob_path(sha256));
  PUNA_CHECK(os::write_file_atomic(blob, text));
  return NewFile{std::move(path), role, sha256};
}

}  // namespace puna::model
