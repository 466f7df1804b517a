#include "profile/templates.h"

#include <fmt/format.h>

#include <set>

#include "os/file.h"
#include "os/sha256.h"

namespace puna::profile {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".jinja";

Result<std::string> name_of(const std::string& text) {
  PUNA_TRY(const auto hash, os::sha256_of(text));
  return hash + std::string(kEnding);
}

}  // namespace

Result<fs::path> keep_template(const std::string& text, const fs::path& folder) {
  PUNA_TRY(const auto name, name_of(text));
  const auto file = folder / name;
  std::error_code failed;
  if (fs::exists(file, failed)) return file;
  fs::create_directories(folder, failed);
  if (failed) return fail(errno_error(failed.value(), fmt::format("cannot make {}", folder.string())));
  PUNA_CHECK(os::write_file_atomic(file, text));
  return file;
}

Result<> drop_unused_templates(std::span<const wire::Profile> profiles, const fs::path& folder) {
  std::set<std::string> used;
  for (const auto& profile : profiles) {
    if (!profile.settings.chat_template) continue;
    PUNA_TRY(auto name, name_of(*profile.settings.chat_template));
    used.insert(std::move(name));
  }
  std::error_code absent, failed;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    if (entry.path().extension() != kEnding || used.contains(entry.path().filename().string())) continue;
    fs::remove(entry.path(), failed);
    if (failed) return fail(errno_error(failed.value(), fmt::format("cannot remove {}", entry.path().string())));
  }
  return {};
}

}  // namespace puna::profile
