#include "inference/kernels.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <memory>

#include "ggml-backend.h"
#include "os/process.h"

namespace puna::inference {
namespace {

constexpr std::string_view kPrefix = "libggml-cpu-";
constexpr std::string_view kSuffix = ".so";

struct Close {
  void operator()(void* library) const { ::dlclose(library); }
};

// ggml's own measure (ggml-cpu/arch/x86/cpu-feats.cpp): 0 where the CPU lacks an instruction that the library was built with.
int score_of(const std::filesystem::path& file) {
  const std::unique_ptr<void, Close> library(::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library) return 0;
  const auto score = reinterpret_cast<int (*)()>(::dlsym(library.get(), "ggml_backend_score"));
  return score ? score() : 0;
}

std::string variant_of(const std::filesystem::path& file) {
  std::string name = file.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return {};
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
}

Error none_found(const std::filesystem::path& folder) {
  return {Code::unavailable,
          fmt::format("no compute kernels for this CPU in {}; Puna's bin and lib folders belong together", folder.string())};
}

}  // namespace

Result<std::string> load_kernels(const std::filesystem::path& folder) {
  if (ggml_backend_reg_by_name("CPU") != nullptr) return std::string(kNativeKernels);
  std::error_code error;
  std::filesystem::path best;
  int best_score = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (variant_of(at->path()).empty() || !at->is_regular_file(error)) continue;
    const int score = score_of(at->path());
    if (score > best_score) {
      best_score = score;
      best = at->path();
    }
  }
  if (best.empty() || ggml_backend_load(best.c_str()) == nullptr) return fail(none_found(folder));
  return variant_of(best);
}

Result<std::string> load_kernels() {
  PUNA_TRY(const auto program, os::own_program());
  return load_kernels(program.parent_path().parent_path() / "lib" / "puna");
}

}  // namespace puna::inference
