#include "hub/local_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "hub/file_magic.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

Result<> require_model(int descriptor, const std::filesystem::path& path) {
  std::array<char, 64> beginning{};
  const ssize_t got = ::pread(descriptor, beginning.data(), beginning.size(), 0);
  if (got < 0) return fail(errno_error(errno, fmt::format("cannot read {}", path.string())));
  auto model = require_gguf(std::string_view(beginning.data(), static_cast<std::size_t>(got)));
  if (!model) return fail(std::move(model).error().within(path.string()));
  return {};
}

}  // namespace

Result<LocalFile::Stamp> LocalFile::stamp_of(const std::filesystem::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  return Stamp{info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

Result<LocalFile> LocalFile::open(const std::filesystem::path& path, const std::stop_token& stop,
                                  const std::function<void(Bytes done, Bytes total)>& progress) {
  LocalFile out;
  out.path_ = path;
  PUNA_TRY(out.stamp_, stamp_of(path));
  PUNA_TRY(const auto file, os::open_regular_file(path));
  PUNA_CHECK(require_model(file.get(), path));
  os::Sha256 hash;
  auto hashed = os::hash_file(hash, file.get(), Bytes(0), out.size(), stop, [&](Bytes at) { progress(at, out.size()); });
  if (!hashed) return fail(std::move(hashed).error().within(path.string()));
  PUNA_TRY(out.sha256_, hash.hex());
  PUNA_CHECK(out.confirm());
  return out;
}

Result<> LocalFile::confirm() const {
  PUNA_TRY(const auto now, stamp_of(path_));
  if (now != stamp_) return fail(Code::conflict, fmt::format("{} was changed while it was pulled: pull it again", path_.string()));
  return {};
}

}  // namespace puna::hub
