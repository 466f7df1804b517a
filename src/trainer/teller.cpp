#include "trainer/teller.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/clock.h"
#include "os/atomic_file.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;
using wire::TuneEventKind;

constexpr std::chrono::milliseconds kBetweenPhases{100};

// Leaves the lines up to a step; a line that a kill cut short goes, too.
Result<> take_back(const fs::path& path, std::int64_t step) {
  std::ifstream lines(path, std::ios::binary);
  if (!lines) return {};
  PUNA_TRY(auto kept, os::AtomicFile::create(path));
  bool all = true;
  for (std::string line; std::getline(lines, line);) {
    const auto event = json::decode_text<wire::TuneEvent>(line, json::Unknown::ignore);
    const bool stays = event && !lines.eof() && event->step.value_or(0) <= step;
    all = all && stays;
    if (stays) PUNA_CHECK(kept.write(line + "\n"));
  }
  return all ? Result<>() : kept.commit();
}

bool is_kept(TuneEventKind kind) {
  return kind != TuneEventKind::phase && kind != TuneEventKind::finished && kind != TuneEventKind::failed;
}

}  // namespace

Result<Teller> Teller::open(const fs::path& folder, std::int64_t step) {
  Teller out;
  const auto path = folder / "metrics.jsonl";
  PUNA_CHECK(take_back(path, step));
  out.metrics_.emplace(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!*out.metrics_) return fail(errno_error(errno, fmt::format("cannot write {}", path.string())));
  std::error_code error;
  fs::create_directory(folder / "tensorboard", error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", (folder / "tensorboard").string())));
  PUNA_TRY(out.tensorboard_, EventFile::create(folder / "tensorboard", std::chrono::system_clock::now()));
  return out;
}

Result<> Teller::tell(wire::TuneEvent event) {
  const auto now = std::chrono::system_clock::now();
  event.time = format_time(now);
  const auto line = json::to_text(json::encode(event)) + "\n";
  // ignored: without a daemon that listens there is nobody to tell, and its end ends this process
  if (!os::write_all(STDOUT_FILENO, line)) phase_.clear();
  if (!metrics_ || !is_kept(event.kind)) return {};
  PUNA_CHECK(os::write_all(metrics_->get(), line));
  return tensorboard_->add(now, event);
}

Result<> Teller::phase(std::string name, std::int64_t done, std::optional<std::int64_t> total, std::string unit) {
  const auto now = std::chrono::steady_clock::now();
  if (name == phase_ && done != total && now - told_ < kBetweenPhases) return {};
  phase_ = name;
  told_ = now;
  return tell({.kind = TuneEventKind::phase, .phase = std::move(name), .done = done, .total = total, .unit = std::move(unit)});
}

}  // namespace puna::trainer
