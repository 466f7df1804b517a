#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "model/stores/spec.h"
#include "os/file.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kLargestText = mib(4);
constexpr std::size_t kMostNames = 100'000;  // in one folder: more are no models

bool is_below(const fs::path& root, const fs::path& path) {
  return std::ranges::mismatch(root, path).in1 == root.end();
}

}  // namespace

StoreScan::StoreScan(fs::path root, WatchFolder on_watch) : root_(std::move(root)), on_watch_(std::move(on_watch)) {}

std::vector<std::string> StoreScan::names_in(const fs::path& folder) const {
  watch(folder);
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end; !error && at != end;
       at.increment(error)) {
    out.push_back(at->path().filename().string());
    if (out.size() == kMostNames) break;
  }
  std::ranges::sort(out);
  return out;
}

bool StoreScan::is_folder(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::optional<FoundFile> StoreScan::file(const fs::path& place, std::string& problem) const {
  struct stat status{};
  if (::lstat(place.c_str(), &status) != 0) {
    problem = fmt::format("its file {} is missing", place.string());
    return std::nullopt;
  }
  if (S_ISLNK(status.st_mode)) {
    std::error_code error;
    const auto target = fs::canonical(place, error);
    if (error || ::stat(target.c_str(), &status) != 0) {
      problem = fmt::format("its file {} is a link to nothing", place.string());
      return std::nullopt;
    }
    if (!is_below(root_, target)) {
      problem = fmt::format("its file {} is a link that leaves {}, and is not followed", place.string(), root_.string());
      return std::nullopt;
    }
  }
  if (!S_ISREG(status.st_mode)) {
    problem = fmt::format("{} is no regular file", place.string());
    return std::nullopt;
  }
  FoundFile out;
  out.path = place.filename().string();
  out.place = place;
  out.size = status.st_size;
  out.modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  out.device = status.st_dev;
  out.inode = status.st_ino;
  return out;
}

std::optional<std::string> StoreScan::text(const fs::path& place) const {
  std::string problem;
  if (!file(place, problem)) return std::nullopt;
  auto out = os::read_file(place, kLargestText);
  if (!out) return std::nullopt;
  return std::move(*out);
}

void StoreScan::add_partial(const fs::path& place) {
  struct stat status{};
  if (::lstat(place.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    partials_.push_back({place, std::int64_t{status.st_blocks} * 512});  // preallocated files are mostly holes
}

}  // namespace puna::model
