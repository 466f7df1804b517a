#include "worker/warmth/state_key.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "os/sha256.h"

namespace puna::worker {
namespace {

constexpr std::string_view kHashName = "sha256-";

template <class Enum>
std::string_view name_of(const std::optional<Enum>& value) {
  return value ? json::enum_name(*value) : std::string_view("default");
}

}  // namespace

Result<std::string> file_identity(const std::filesystem::path& file) {
  std::error_code failed;
  const std::string name = std::filesystem::canonical(file, failed).filename();
  if (name.starts_with(kHashName) && os::parse_sha256(std::string_view(name).substr(kHashName.size()))) return name;
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot look at {}", file.string())));
  return fmt::format("{}-{}-{}-{}.{:09}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

Result<std::string> state_key(const ServeArguments& arguments, const LoadPlan& plan, std::string_view engine) {
  PUNA_TRY(const std::string model, file_identity(arguments.model));
  // The first part of a split model states a hash of all of it; the others are found beside it by its metadata.
  std::string projector;
  if (!arguments.projector.empty()) {
    PUNA_TRY(projector, file_identity(arguments.projector));
  }
  PUNA_TRY(const std::string text, os::sha256_of(plan.chat_template));
  return os::sha256_of(fmt::format("{}\n{}\n{}\n{}\n{} {}\n{} {}\n{}\n{}", engine, model, projector, text, plan.context_length, plan.slots,
                                   name_of(arguments.cache_type_k), name_of(arguments.cache_type_v), name_of(arguments.flash_attention),
                                   plan.gpu_layers));
}

}  // namespace puna::worker
