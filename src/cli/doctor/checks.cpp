#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/settings_registry.h"
#include "base/text.h"
#include "base/units.h"
#include "base/version.h"
#include "cli/doctor/machine.h"
#include "cli/text.h"
#include "client/address.h"
#include "client/launch.h"
#include "os/disk.h"

namespace puna::cli {
namespace {

using Findings = std::vector<Finding>;
using enum Severity;

Findings check_processor(const Patient& patient) {
  return judge_processor(patient.machine);
}
Findings check_gpus(const Patient& patient) {
  return judge_gpus(patient.machine);
}
Findings check_models(const Patient& patient) {
  const auto settings = patient.settings.snapshot();
  auto out = judge_models(patient.machine, *settings);
  std::ranges::move(judge_settings(patient.machine, *settings), std::back_inserter(out));
  return out;
}

Finding check_folder(std::string_view what, const std::filesystem::path& path) {
  struct stat info{};
  const std::string text = fmt::format("{} {}", what, path.string());
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {good, "", text + " (made when it is needed)", ""};
    return {problem, "", errno_error(errno, text).message, "check the folders above it"};
  }
  if (!S_ISDIR(info.st_mode)) return {problem, "", text + " is not a folder", "move it away"};
  if (info.st_uid != ::geteuid())
    return {problem, "", fmt::format("{} belongs to user {}", text, info.st_uid), "give it to yourself with chown, or set PUNA_HOME"};
  if (::access(path.c_str(), W_OK | X_OK) != 0)
    return {problem, "", text + " cannot be written to", fmt::format("chmod u+rwx {}", path.string())};
  if ((info.st_mode & 0077) != 0)
    return {warning, "", fmt::format("{} can be entered by others (mode {:o})", text, info.st_mode & 0777),
            fmt::format("chmod 700 {}", path.string())};
  return {good, "", text, ""};
}

Findings check_folders(const Patient& patient) {
  const auto& places = patient.places;
  return {check_folder("models and database:", places.data), check_folder("logs:", places.state), check_folder("downloads:", places.cache),
          check_folder("sockets:", places.runtime)};
}

Findings check_disk(const Patient& patient) {
  constexpr std::uint64_t kLow = 5ULL << 30, kEmpty = 256ULL << 20;
  const auto space = os::disk_space(patient.places.models());
  if (!space) return {{problem, "", space.error().text(), "check that the disk is there"}};
  const std::string text =
      fmt::format("{} of {} are free where models are kept", format_bytes(space->available), format_bytes(space->total));
  if (space->available.count < kEmpty) return {{problem, "", text, "remove models with `puna rm`, or move the folder with PUNA_HOME"}};
  if (space->available.count < kLow) return {{warning, "", text, "larger models will not fit"}};
  return {{good, "", text, ""}};
}

// A variable that nobody reads is most likely a slip.
void check_variables(const os::Environment& environment, Findings& out) {
  std::vector<std::string_view> known = {"PUNA_HOST", "PUNA_HOME"};
  for (const auto* spec : setting::all()) known.push_back(spec->environment);
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("PUNA_") || std::ranges::find(known, name) != known.end()) continue;
    const auto near = nearest(name, std::span<const std::string_view>(known));
    out.push_back({warning, "", fmt::format("the environment variable {} means nothing to Puna", printable(name)),
                   near.empty() ? "remove it" : fmt::format("did you mean {}?", near.front())});
  }
}

Findings check_settings(const Patient& patient) {
  Findings out;
  std::error_code error;
  const auto& file = patient.settings.file();
  const bool exists = std::filesystem::exists(file, error);
  out.push_back({good, "", fmt::format("{}{}", file.string(), exists ? "" : " (not there: defaults hold)"), ""});
  for (const auto& found : patient.settings.problems())
    out.push_back(
        {problem, "", found.text(), found.line > 0 ? "correct the file; `puna config show` lists what holds" : "correct or remove it"});
  check_variables(patient.environment, out);
  return out;
}

void check_answering(const wire::Status& status, Findings& out) {
  out.push_back(
      {good, "", fmt::format("runs as process {}, version {}, {}", status.pid, status.version, status.tcp.value_or("no TCP")), ""});
  if (status.version != version())
    out.push_back({warning, "", fmt::format("the daemon is version {}, this program {}", status.version, version()),
                   "`puna serve --stop` ends it; the next command starts the new one"});
  for (const auto& text : status.problems) out.push_back({warning, "", text, ""});
}

Findings check_daemon(const Patient& patient) {
  Findings out;
  if (patient.other_daemon) out.push_back({note, "", fmt::format("PUNA_HOST names the daemon at {}", *patient.other_daemon), ""});
  if (patient.status) {
    check_answering(*patient.status, out);
  } else if (patient.daemon_error) {
    out.push_back({problem, "", patient.daemon_error->text(), "`puna logs` may tell why; `puna serve --stop` ends it"});
  } else if (client::is_owned(patient.places)) {
    out.push_back({problem, "", fmt::format("a daemon owns {}, but does not listen", patient.places.data.string()),
                   fmt::format("it may be starting or ending; else end the process in {}", patient.places.lock().string())});
  } else {
    out.push_back({good, "", "does not run; the next command that needs it starts it", ""});
  }
  return out;
}

Findings check_library(const Patient& patient) {
  if (!patient.library) return {};
  std::int64_t bytes = 0;
  Findings out;
  for (const auto& model : patient.library->models) {
    bytes += model.size;
    if (model.problem)
      out.push_back(
          {problem, "", fmt::format("{}: {}", model.name, *model.problem), fmt::format("`puna rm {}`, then pull it again", model.name)});
  }
  const auto count = patient.library->models.size();
  out.insert(out.begin(), {good, "", fmt::format("{} {}, {}", count, count == 1 ? "model" : "models", size_text(bytes)),
                           count == 0 ? "`puna pull` brings one" : ""});
  return out;
}

}  // namespace

std::span<const Check> checks() {
  static constexpr std::array kChecks = {
      Check{"machine", check_processor}, Check{"gpu", check_gpus},          Check{"models", check_models}, Check{"folders", check_folders},
      Check{"disk", check_disk},         Check{"settings", check_settings}, Check{"daemon", check_daemon}, Check{"library", check_library},
  };
  return kChecks;
}

}  // namespace puna::cli
