#include "model/shared_cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "os/file.h"
#include "os/safe_path.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

// https://bford.info/cachedir/
constexpr std::string_view kCacheTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by huggingface_hub or a tool that shares "
    "its layout.\n";
constexpr mode_t kReadableByAll = 0644;

std::uint64_t inode_of(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(errno_error(error.value(), "cannot make " + folder.string()));
  return {};
}

// "owner/name" as the folder of its repository; upstream's names are checked before they become paths.
Result<fs::path> repository_folder(const fs::path& cache, std::string_view repository) {
  std::string name = "models";
  for (const auto part : split(repository, '/')) {
    PUNA_CHECK(os::check_file_name(part));
    name += fmt::format("--{}", part);
  }
  return cache / name;
}

// Relative, so that the cache can be moved.
fs::path target_of(std::string_view path, const std::string& sha256) {
  fs::path up = "../..";
  for (std::ptrdiff_t depth = std::ranges::count(path, '/'); depth > 0; --depth) up /= "..";
  return up / "blobs" / sha256;
}

Result<bool> link_once(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return true;
  if (error == std::errc::file_exists) return false;
  if (error == std::errc::cross_device_link)
    return fail(Code::unsupported, fmt::format("{} is on another file system than the library", to.parent_path().string()));
  return fail(errno_error(error.value(), "cannot make " + to.string()));
}

Result<bool> link_symbolically(const fs::path& target, const fs::path& link) {
  PUNA_CHECK(make_folder(link.parent_path()));
  std::error_code error;
  fs::create_symlink(target, link, error);
  if (!error) return true;
  if (error == std::errc::file_exists) return false;
  return fail(errno_error(error.value(), "cannot make " + link.string()));
}

// Upwards as long as they are empty; a repository of which only refs are left goes whole.
void remove_empty_folders(fs::path folder) {
  std::error_code error;
  while (folder.has_relative_path() && !folder.filename().string().starts_with("models--")) {
    if (!fs::remove(folder, error) || error) return;
    folder = folder.parent_path();
  }
  if (fs::exists(folder / "blobs", error) || fs::exists(folder / "snapshots", error)) return;
  fs::remove_all(folder / "refs", error);
  fs::remove(folder, error);
}

}  // namespace

fs::path shared_cache_folder(const os::Environment& environment) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? fs::path() : fs::path(found->second);
  };
  for (const auto* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const auto folder = value(name); folder.is_absolute()) return folder;
  if (const auto home = value("HF_HOME"); home.is_absolute()) return home / "hub";
  if (const auto home = value("PUNA_HOME"); home.is_absolute()) return home / "huggingface" / "hub";
  if (const auto cache = value("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "huggingface" / "hub";
  if (const auto home = value("HOME"); home.is_absolute()) return home / ".cache" / "huggingface" / "hub";
  return {};
}

Result<> SharedCache::load() {
  PUNA_TRY(auto rows, table_.load_shared());
  for (auto& row : rows) rows_.emplace(row.sha256, std::move(row));
  return {};
}

Result<> SharedCache::remember(const fs::path& path, const std::string& sha256) {
  SharedRow row{path.string(), sha256, static_cast<std::int64_t>(inode_of(path))};
  PUNA_CHECK(table_.put_shared(row));
  rows_.emplace(sha256, std::move(row));
  return {};
}

Result<> SharedCache::share(const fs::path& cache, const wire::Provenance& from, std::span<const FileOnDisk> files,
                            std::span<const std::string> sha256s) {
  if (!from.repository || !from.commit || !is_hex(*from.commit, 40)) return {};
  PUNA_TRY(const auto repository, repository_folder(cache, *from.repository));
  PUNA_CHECK(make_folder(repository / "blobs"));
  std::error_code error;
  if (!fs::exists(cache / "CACHEDIR.TAG", error)) PUNA_CHECK(os::write_file_atomic(cache / "CACHEDIR.TAG", kCacheTag, kReadableByAll));
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (const auto part : split(files[i].path, '/')) PUNA_CHECK(os::check_file_name(part));
    const auto blob = repository / "blobs" / sha256s[i];
    PUNA_TRY(const bool linked, link_once(files[i].place, blob));
    if (linked) PUNA_CHECK(remember(blob, sha256s[i]));
    const auto link = repository / "snapshots" / *from.commit / files[i].path;
    PUNA_TRY(const bool shown, link_symbolically(target_of(files[i].path, sha256s[i]), link));
    if (shown) PUNA_CHECK(remember(link, sha256s[i]));
  }
  const auto revision = from.revision.value_or("main");
  if (is_hex(revision, 40)) return {};
  for (const auto part : split(revision, '/')) PUNA_CHECK(os::check_file_name(part));
  const auto ref = repository / "refs" / revision;
  PUNA_CHECK(make_folder(ref.parent_path()));
  return os::write_file_atomic(ref, *from.commit, kReadableByAll);
}

Result<> SharedCache::unshare(std::string_view sha256) {
  const auto [begin, end] = rows_.equal_range(sha256);
  for (auto at = begin; at != end; at = rows_.erase(at)) {
    const fs::path path = at->second.path;
    std::error_code error;
    // A name that stands for something else by now belongs to somebody else.
    if (inode_of(path) == static_cast<std::uint64_t>(at->second.inode)) fs::remove(path, error);
    if (error) return fail(errno_error(error.value(), "cannot remove " + path.string()));
    remove_empty_folders(path.parent_path());
    PUNA_CHECK(table_.remove_shared(at->second.path));
  }
  return {};
}

std::int64_t SharedCache::links(std::string_view sha256) const {
  const auto [begin, end] = rows_.equal_range(sha256);
  return std::count_if(begin, end, [](const auto& row) {
    std::error_code error;
    const fs::path path = row.second.path;
    return inode_of(path) == static_cast<std::uint64_t>(row.second.inode) && !fs::is_symlink(path, error);
  });
}

}  // namespace puna::model
