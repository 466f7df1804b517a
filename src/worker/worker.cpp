#include "worker/worker.h"

#include <fmt/format.h>

#include <clocale>
#include <string>

#include "gguf/check.h"
#include "worker/arguments.h"
#include "worker/child.h"
#include "worker/devices.h"
#include "worker/engine.h"
#include "worker/engine_log.h"
#include "worker/lifeline.h"
#include "worker/page_in.h"
#include "worker/quantize/quantize.h"
#include "worker/status.h"
#include "worker/trial/check.h"
#include "worker/trial/probe.h"
#include "worker/trial/trial.h"

namespace puna::worker {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// Shares of a load as people feel it: reading from the disk, when the file is not in memory yet, is most of it; the rest of llama.cpp's
// part is the context and the first run.
constexpr double kReadShare = 0.7;
constexpr double kLoadShare = 0.97;

// Of the time between SIGTERM and SIGKILL.
constexpr Milliseconds kFarewell{3'000};

int report_failure(StatusWriter& status, const LoadFailure& failure) {
  write_log_line("error: " + failure.message);
  status.failed(failure.fault, failure.message);
  return kFailed;
}

std::optional<LoadFailure> check_file(const std::filesystem::path& file) {
  const auto checked = gguf::check(file);
  if (checked) return std::nullopt;
  const bool missing = checked.error().code == Code::not_found;
  return LoadFailure{missing ? wire::WorkerFault::model_missing : wire::WorkerFault::model_malformed, checked.error().text()};
}

int serve(const ServeArguments& arguments) {
  StatusWriter status(arguments.status_fd);
  behave_as_child(arguments.status_fd);
  if (const auto lifeline = prepare_lifeline(); !lifeline)
    return report_failure(status, {wire::WorkerFault::spawn_failed, lifeline.error().text()});
  if (const auto lifeline = start_lifeline(arguments.socket); !lifeline)
    return report_failure(status, {wire::WorkerFault::spawn_failed, lifeline.error().text()});
  status.loading(0);

  if (const auto failure = check_file(arguments.model)) return report_failure(status, *failure);
  double begin = 0;
  const auto paged = page_in(arguments.model, [&](const PageInProgress& progress) {
    begin = kReadShare * static_cast<double>(progress.done.count) / static_cast<double>(progress.total.count);
    status.loading(begin);
  });
  if (!paged) return report_failure(status, {wire::WorkerFault::model_malformed, paged.error().text()});

  // llama.cpp logs from static objects' destructors and detached threads: its log outlives this function.
  static EngineLog log;
  log.install();
  auto engine = Engine::load(arguments, log, [&](double value) { status.loading(begin + (kLoadShare - begin) * value); });
  if (!engine) return report_failure(status, engine.error());
  log.serve();
  if (const auto listening = (*engine)->listen(); !listening)
    return report_failure(status, {wire::WorkerFault::spawn_failed, listening.error().text()});
  const Readiness readiness = (*engine)->readiness();
  status.ready(readiness);
  write_log_line(fmt::format("ready: {} slots of {} tokens, {} threads, {}", readiness.slots, readiness.context_length, readiness.threads,
                             fmt::join(readiness.devices, ", ")));
  set_farewell([&engine] { (*engine)->farewell(kFarewell); });
  (*engine)->run();
  return 0;
}

}  // namespace

int run(std::span<const std::string_view> words) {
  // Numbers in llama.cpp's templates and JSON must not follow the user's locale.
  std::setlocale(LC_NUMERIC, "C");
  const auto arguments = parse_arguments(words);
  if (!arguments) {
    write_log_line("puna worker: " + arguments.error().text());
    return kUsage;
  }
  if (const auto* check = std::get_if<CheckArguments>(&*arguments)) return print_check(check->file);
  if (const auto* quantize = std::get_if<QuantizeArguments>(&*arguments)) return run_quantize(*quantize);
  if (std::holds_alternative<DevicesArguments>(*arguments)) return print_devices();
  if (const auto* trial = std::get_if<TrialArguments>(&*arguments)) return run_trial(trial->file);
  if (const auto* probe = std::get_if<ProbeArguments>(&*arguments)) return run_probe(*probe);
  return serve(std::get<ServeArguments>(*arguments));
}

}  // namespace puna::worker
