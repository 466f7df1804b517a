#include "trainer/trainer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <charconv>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/text.h"
#include "inference/engine.h"
#include "os/descriptor.h"
#include "os/file.h"
#include "os/readable.h"
#include "trainer/materials.h"
#include "trainer/measure.h"
#include "trainer/plan.h"
#include "trainer/preview.h"
#include "trainer/run.h"
#include "trainer/teller.h"
#include "trainer/units.h"
#include "wire/error.h"
#include "wire/tune_schema.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;
using wire::TuneEventKind;

constexpr int kLowPriority = 10;

// SIGTERM and SIGINT as a stop token, for as long as it lives.
class AskedToEnd {
 public:
  AskedToEnd() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    // Before any other thread begins, so that all of them leave these signals to this one.
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    descriptor_ = os::UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC));
    thread_ = std::jthread([this](const std::stop_token& done) {
      const os::StopDescriptor stopped(done);
      if (os::wait_readable(descriptor_.get(), stopped, std::chrono::steady_clock::time_point::max()) == os::Wake::readable)
        source_.request_stop();
    });
  }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  os::UniqueFd descriptor_;
  std::jthread thread_;
};

// Those that say what is trained of the base, and where.
wire::TuneSettings adapter_settings(const wire::TuneSettings& all) {
  return {.rank = all.rank,
          .alpha = all.alpha,
          .dropout = all.dropout,
          .rank_stabilized = all.rank_stabilized,
          .targets = all.targets,
          .ranks = all.ranks,
          .device = all.device};
}

// The process ends right after it.
void tell_last_words(const char* message) {
  const Error error{Code::upstream_failed,
                    fmt::format("ggml gave up ({}), as it does when a GPU fails; the log may say more. Go on from the "
                                "last checkpoint, or begin again with device cpu",
                                message)};
  Teller teller;
  if (!teller.tell({.kind = TuneEventKind::failed, .error = wire::to_wire(error).error})) fmt::print(stderr, "{}\n", error.text());
}

Result<> check_base(const wire::TuneOrder& order) {
  PUNA_CHECK(inference::start_engine());  // the devices are its
  PUNA_TRY(const auto model, open_base(order));
  const auto settings = adapter_settings(order.request.settings.value_or(wire::TuneSettings{}));
  PUNA_TRY(const auto complete, wire::complete(settings, wire::TuneTask::text_generation, wire::TuneMethod::sft));
  PUNA_TRY(auto options, trainer_options(complete));
  PUNA_TRY(const auto adapter, tune::Adapter::create(model, options.lora));
  return {};
}

Result<> check_rows(const wire::TuneOrder& order, const fs::path& folder, const std::stop_token& stop) {
  Teller teller;
  PUNA_TRY(const auto rows, open_rows(order, folder, teller, stop));
  PUNA_TRY(const auto settings, settings_for(order, rows));
  return {};
}

Result<> estimate(const wire::TuneOrder& order, const fs::path& folder, const std::stop_token& stop) {
  Teller teller;
  PUNA_TRY(const auto materials, Materials::open(order, folder, teller, stop));
  Units units(materials->data().rows(), materials->renderer(), materials->method(), materials->context());
  const Units held_out(materials->data().evaluation(), materials->renderer(), materials->method(), materials->context());
  PUNA_TRY(const auto plan, make_plan(*materials, units, held_out));
  PUNA_TRY(auto out, estimate_of(*materials, units, held_out, plan, Bytes(static_cast<std::uint64_t>(memory_now()))));
  PUNA_CHECK(teller.phase("measuring"));
  if (require_memory(out)) PUNA_CHECK(try_out(out, *materials, units, plan, stop));
  return teller.tell({.kind = TuneEventKind::estimate, .estimate = std::move(out)});
}

Result<> write_preview(const wire::TuneOrder& order, const fs::path& folder, std::size_t rows, const std::stop_token& stop) {
  Teller teller;
  PUNA_TRY(const auto materials, Materials::open(order, folder, teller, stop));
  PUNA_TRY(const auto out, preview(materials->data(), materials->renderer(), order.request.model, rows));
  return os::write_file_atomic(folder / "preview.json", json::to_text(json::encode(out)));
}

Result<> act(std::string_view what, const fs::path& folder, const std::stop_token& stop) {
  if (what.empty()) return run(folder, stop);
  PUNA_TRY(const auto order, read_order(folder));
  if (what == "--estimate") return estimate(order, folder, stop);
  if (what == "--check-model") return check_base(order);
  if (what == "--check") {
    PUNA_CHECK(check_base(order));
    return check_rows(order, folder, stop);
  }
  constexpr std::string_view kPreview = "--preview=";
  if (!what.starts_with(kPreview)) return fail(Code::invalid_argument, fmt::format("the trainer knows no '{}'", printable(what)));
  const auto digits = what.substr(kPreview.size());
  std::size_t rows = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return write_preview(order, folder, rows, stop);
}

}  // namespace

int run(std::span<const std::string_view> words) {
  const AskedToEnd asked;
  // Whoever chats beside it comes first. Without the right to change it, it stays as it is.
  if (::setpriority(PRIO_PROCESS, 0, kLowPriority) != 0) fmt::print(stderr, "cannot lower the priority\n");
  const os::UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score && !os::write_all(score.get(), "500")) fmt::print(stderr, "cannot set oom_score_adj\n");
  inference::before_abort(tell_last_words);
  const auto done =
      words.empty() || words.size() > 2
          ? Result<>(fail(Code::invalid_argument, "usage: puna trainer [--check|--check-model|--estimate|--preview=N] FOLDER"))
          : act(words.size() == 2 ? words.front() : std::string_view(), fs::path(words.back()), asked.token());
  Teller teller;
  const auto told = done ? teller.tell({.kind = TuneEventKind::finished})
                         : teller.tell({.kind = TuneEventKind::failed, .error = wire::to_wire(done.error()).error});
  if (!done) fmt::print(stderr, "{}\n", done.error().text());
  return done && told ? 0 : 1;
}

}  // namespace puna::trainer
