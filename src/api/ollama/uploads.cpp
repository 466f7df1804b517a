#include "api/ollama/uploads.h"

#include "base/log.h"
#include "os/atomic_file.h"
#include "os/sha256.h"

namespace puna::api::ollama {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kKeep{24};

fs::path folder_of(app::Workbench& workbench) {
  return workbench.places().cache / "uploads";
}
fs::path upload_path(app::Workbench& workbench, const std::string& sha256) {
  return folder_of(workbench) / ("sha256-" + sha256);
}

// What nobody made a model of in a day.
void forget_old(const fs::path& folder) {
  std::error_code error;
  const auto oldest = fs::file_time_type::clock::now() - kKeep;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code looked;
    const auto written = entry.last_write_time(looked);
    if (!looked && written < oldest) fs::remove(entry.path(), looked);
    if (looked) log::warning("api", "an old upload stays", {{"file", entry.path().string()}, {"error", looked.message()}});
  }
}

Result<os::AtomicFile> begin_file(app::Workbench& workbench, const std::string& sha256) {
  const auto folder = folder_of(workbench);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(errno_error(error.value(), "cannot make " + folder.string()));
  fs::permissions(folder, fs::perms::owner_all, error);
  forget_old(folder);
  return os::AtomicFile::create(upload_path(workbench, sha256));
}

}  // namespace

Result<std::string> parse_digest(std::string_view digest) {
  std::string text(digest);
  if (text.starts_with("sha256-")) text[6] = ':';
  if (!text.starts_with("sha256:")) return fail(Code::invalid_argument, "digest: expected sha256: and 64 hexadecimal digits");
  return os::parse_sha256(text);
}

Result<fs::path> find_content(app::Workbench& workbench, const std::string& sha256) {
  std::error_code error;
  auto path = upload_path(workbench, sha256);
  if (fs::is_regular_file(path, error)) return path;
  if (workbench.library().holds(sha256)) return workbench.library().blob_path(sha256);
  return fail(Code::not_found, fmt::format("there is no blob sha256:{}; send it with POST /api/blobs/sha256:{} first", sha256, sha256));
}

net::Task<Result<bool>> receive(Call& call, const std::string& sha256) {
  auto& workbench = call.workbench();
  const bool here = co_await call.blocking([&] { return find_content(workbench, sha256).has_value(); });
  PUNA_CO_TRY(auto file, co_await call.blocking([&] { return begin_file(workbench, sha256); }));
  os::Sha256 hash;
  for (;;) {
    PUNA_CO_TRY(const auto piece, co_await call.request().read_body());
    if (!piece) break;
    if (here) continue;  // the connection lives on when the body was read to its end
    PUNA_CO_CHECK(co_await call.blocking([&]() -> Result<> {
      hash.update(*piece);
      return file.write(*piece);
    }));
  }
  if (here) co_return false;
  PUNA_CO_CHECK(co_await call.blocking([&]() -> Result<> {
    PUNA_TRY(const auto found, hash.hex());
    if (found != sha256)
      return fail(Code::invalid_argument, fmt::format("digest: the content that came has sha256:{}, not sha256:{}", found, sha256));
    return file.commit();
  }));
  co_return true;
}

void forget_upload(app::Workbench& workbench, const std::string& sha256) {
  std::error_code error;
  fs::remove(upload_path(workbench, sha256), error);
  if (error) log::warning("api", "an upload stays", {{"sha256", sha256}, {"error", error.message()}});
}

}  // namespace puna::api::ollama
