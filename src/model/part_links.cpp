#include "model/part_links.h"

#include <fmt/format.h>

#include <system_error>

#include "os/sha256.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

Result<std::string> set_name(std::span<const std::string> contents) {
  os::Sha256 hash;
  for (const auto& content : contents) hash.update(content);
  return hash.hex();
}

}  // namespace

Result<fs::path> PartLinks::first_part(std::span<const std::string> contents) const {
  PUNA_TRY(const auto name, set_name(contents));
  const fs::path folder = folder_ / name;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(errno_error(error.value(), "cannot make " + folder.string()));
  fs::path first;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const fs::path link = folder / fmt::format("model-{:05}-of-{:05}.gguf", i + 1, contents.size());
    if (i == 0) first = link;
    fs::create_symlink(fs::path("../../blobs") / fmt::format("sha256-{}", contents[i]), link, error);
    if (error && error != std::errc::file_exists) return fail(errno_error(error.value(), "cannot make " + link.string()));
  }
  return first;
}

Result<> PartLinks::keep_only(const std::vector<std::vector<std::string>>& models) const {
  std::set<std::string> wanted;
  for (const auto& contents : models) {
    PUNA_TRY(auto name, set_name(contents));
    wanted.insert(std::move(name));
  }
  std::error_code error;
  std::vector<fs::path> unwanted;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error))
    if (!wanted.contains(at->path().filename().string())) unwanted.push_back(at->path());
  if (error == std::errc::no_such_file_or_directory) return {};
  for (const auto& folder : unwanted)
    if (!error) fs::remove_all(folder, error);
  if (error) return fail(errno_error(error.value(), "cannot tidy " + folder_.string()));
  return {};
}

}  // namespace puna::model
