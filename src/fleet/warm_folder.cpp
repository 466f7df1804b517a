#include "fleet/warm_folder.h"

#include <fmt/format.h>

#include "os/sha256.h"

namespace puna::fleet {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHashName = "sha256-";

}  // namespace

Result<fs::path> warm_folder(const fs::path& root, const fs::path& model) {
  std::error_code unknown;
  const fs::path file = fs::weakly_canonical(model, unknown);
  const std::string name = file.filename();
  if (name.starts_with(kHashName) && os::parse_sha256(std::string_view(name).substr(kHashName.size()))) return root / name;
  PUNA_TRY(const auto hash, os::sha256_of(file.string()));
  return root / fmt::format("path-{}", hash);
}

Bytes warm_bytes(const fs::path& root) {
  Bytes out;
  std::error_code gone;
  for (const auto& folder : fs::directory_iterator(root, gone))
    for (const auto& entry : fs::directory_iterator(folder.path(), gone)) {
      std::error_code unknown;
      const auto size = entry.file_size(unknown);
      if (!unknown) out += Bytes(size);
    }
  return out;
}

Result<> forget_conversations(const fs::path& root, const fs::path& model) {
  PUNA_TRY(const auto folder, warm_folder(root, model));
  std::error_code failed;
  fs::remove_all(folder, failed);
  if (failed) return fail(errno_error(failed.value(), fmt::format("cannot remove {}", folder.string())));
  return {};
}

}  // namespace puna::fleet
