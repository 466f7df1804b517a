#include "training/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/clock.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "base/version.h"
#include "model/library.h"
#include "os/file.h"
#include "training/base_model.h"
#include "training/child.h"
#include "training/run_folder.h"
#include "training/run_job.h"
#include "wire/tune_schema.h"

namespace puna::training {
namespace {

namespace fs = std::filesystem;
using wire::JobState;
using wire::TuneEventKind;

constexpr std::string_view kKind = "tune";
constexpr std::string_view kLooking = ".looking";  // no run has such a name
constexpr Bytes kCheckedAtOnce = mib(64);          // of data
constexpr Seconds kLookAgain{5};

struct JobRequest {
  std::string run;
  std::string model;
};
BOOST_DESCRIBE_STRUCT(JobRequest, (), (run, model))

std::string title_of(const json::value& request) {
  const auto order = json::decode<JobRequest>(request, json::Unknown::ignore);
  return order ? fmt::format("train {} as {}", order->model, order->run) : "train";
}

std::string now_text() {
  return format_time(std::chrono::system_clock::now());
}

Result<wire::TuneOrder> order_for(const BaseModel& base, const wire::TuneRequest& request, const SettingsStore& settings) {
  wire::TuneOrder out{.name = request.name.value_or(""),
                      .created_at = now_text(),
                      .version = std::string(version()),
                      .request = request,
                      .load = base.detail.path,
                      .base = base.files,
                      .chat_template = base.detail.recipe.chat_template,
                      .threads = settings.snapshot()->get(setting::kThreads)};
  out.request.model = base.detail.model.name;
  return out;
}

Bytes size_of(const std::vector<std::string>& files) {
  Bytes out;
  for (const auto& file : files) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (!error) out += Bytes(size);
  }
  return out;
}

// What the trainer says without training: the base can be trained, the settings fit it, the rows can be used.
Result<> check_in_child(const TuningParts& parts, const RunFolder& folder, const wire::TuneRequest& request) {
  const bool is_small = size_of(request.data) + size_of(request.evaluation.value_or(std::vector<std::string>{})) <= kCheckedAtOnce;
  return run_child({.program = parts.program, .words = {is_small ? "--check" : "--check-model"}, .folder = folder},
                   [](const wire::TuneEvent&) {}, {});
}

std::string plain(std::string_view text) {
  std::string out = lower_ascii(text);
  std::ranges::replace_if(out, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'); }, '-');
  while (!out.empty() && (out.front() == '-' || out.front() == '.')) out.erase(0, 1);
  return out;
}

void remove_folder(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) log::warning("training", "a folder cannot be removed", {{"folder", path.string()}, {"error", error.message()}});
}

Result<> require_absent(model::Library& library, const std::string& name) {
  const auto found = library.find(name);
  if (found) return fail(Code::already_exists, fmt::format("there is a model {} already; give the run another name", found->name));
  return found.error().code == Code::not_found ? Result<>() : fail(found.error());
}

bool is_under_way(JobState state) {
  return state == JobState::queued || state == JobState::running || state == JobState::interrupted;
}

const wire::Job* last_job_of(std::string_view run, std::span<const wire::Job> newest_first) {
  for (const auto& job : newest_first) {
    if (job.kind != kKind) continue;
    const auto request = json::decode<JobRequest>(job.request, json::Unknown::ignore);
    if (request && request->run == run) return &job;
  }
  return nullptr;
}

wire::TuneRun describe(const RunFolder& folder, wire::TuneOrder order, std::span<const wire::Job> jobs) {
  wire::TuneRun out{.name = order.name,
                    .model = order.request.model,
                    .folder = folder.path().string(),
                    .created_at = order.created_at,
                    .updated_at = order.created_at,
                    .request = std::move(order.request)};
  if (auto state = folder.state()) {
    out.state = state->state;
    out.updated_at = state->updated_at;
    out.failure = std::move(state->failure);
  }
  if (const auto* job = last_job_of(out.name, jobs)) {
    out.job = job->id;
    out.state = job->state;
    out.updated_at = job->updated_at;
    out.failure = job->failure;
  }
  if (!out.job && out.state == JobState::queued) {
    out.state = JobState::failed;
    out.failure = wire::JobFailure{std::string(to_string(Code::unavailable)), "the daemon ended before its job began: resume or remove it"};
  }
  auto result = folder.result();
  const bool is_trained = result && *result;
  if (out.state != JobState::completed) {
    // Its checkpoints go with the last step: what is missing then is the adapter's place in the library.
    out.resumes_at = is_trained ? (*result)->steps : folder.resumes_at();
  } else if (is_trained) {
    out.result = std::move(**result);
  }
  return out;
}

}  // namespace

Tuning::Tuning(TuningParts parts) : parts_(std::move(parts)) {
  remove_folder(parts_.folder / kLooking);
}

jobs::JobSpec Tuning::job_spec() {
  return {.kind = kKind,
          .title = title_of,
          .run = [this](jobs::JobContext& context) { return run(context); },
          .resumable = true,
          .pauses_on = {Code::disk_full},
          .background = true};
}

Result<json::value> Tuning::run(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<JobRequest>(context.request()));
  const RunFolder folder(parts_.folder / request.run);
  const auto on_event = [&](wire::TuneEvent event) {
    event.run = request.run;
    if (event.kind == TuneEventKind::step) {
      const std::lock_guard lock(mutex_);
      progress_.insert_or_assign(request.run, event);
    }
    parts_.events.publish_as("tune.progress", event);
  };
  auto result = run_job(parts_, folder, context, on_event);
  RunState state{.state = JobState::completed, .updated_at = now_text(), .failure = {}};
  if (!result) {
    const bool ended = result.error().code == Code::cancelled;
    state.state = ended ? JobState::cancelled : JobState::failed;
    if (!ended) state.failure = wire::JobFailure{std::string(to_string(result.error().code)), result.error().text()};
  }
  if (const auto written = folder.write(state); !written)
    log::warning("training", "a run's state cannot be written", {{"run", request.run}, {"error", written.error().text()}});
  if (!result) return fail(std::move(result).error());
  return json::encode(*result);
}

std::string Tuning::free_name(const wire::TuneRequest& request) const {
  constexpr std::size_t kLongestPart = 28;
  const auto model = plain(request.model.substr(request.model.rfind('/') + 1)).substr(0, kLongestPart);
  const auto data = plain(fs::path(request.data.front()).filename().replace_extension().stem().string()).substr(0, kLongestPart);
  const std::string wanted = fmt::format("{}-{}", model.empty() ? "model" : model, data.empty() ? "run" : data);
  const auto taken = [&](const std::string& name) {
    std::error_code error;
    return fs::exists(parts_.folder / name, error) || parts_.library.find(name).has_value();
  };
  std::string out = wanted;
  for (int number = 2; taken(out); ++number) out = fmt::format("{}-{}", wanted, number);
  return out;
}

Result<wire::Job> Tuning::start(jobs::Queue& queue, const std::string& name) {
  const RunFolder folder(parts_.folder / name);
  PUNA_TRY(const auto order, folder.order());
  return queue.submit(kKind, json::encode(JobRequest{.run = name, .model = order.request.model}), name);
}

Result<wire::Job> Tuning::submit(jobs::Queue& queue, const wire::TuneRequest& request) {
  PUNA_CHECK(wire::check(request));
  PUNA_TRY(const auto base, find_base(parts_.library, request.model));
  auto wanted = request;
  wanted.model = base.detail.model.name;
  if (!wanted.name) wanted.name = free_name(wanted);
  PUNA_CHECK(require_absent(parts_.library, *wanted.name));
  PUNA_TRY(const auto order, order_for(base, wanted, parts_.settings));
  const RunFolder folder(parts_.folder / *wanted.name);
  PUNA_CHECK(folder.require_absent());
  // Under its name it appears when nothing speaks against it.
  PUNA_TRY(const auto work, make_work_folder());
  const RunFolder draft(work.path());
  PUNA_CHECK(draft.write(order));
  PUNA_CHECK(check_in_child(parts_, draft, wanted));
  PUNA_CHECK(draft.become(folder));
  auto begun = start(queue, *wanted.name);
  if (!begun) remove_folder(folder.path());
  return begun;
}

Result<os::TemporaryFolder> Tuning::make_work_folder() const {
  const auto parent = parts_.folder / kLooking;
  std::error_code error;
  fs::create_directories(parent, error);
  if (!error) fs::permissions(parts_.folder, fs::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", parent.string())));
  return os::TemporaryFolder::create(parent);
}

Result<wire::Job> Tuning::resume(jobs::Queue& queue, std::string_view name) {
  PUNA_TRY(const auto run, get(queue, name));
  if (run.state == JobState::completed)
    return fail(Code::conflict,
                fmt::format("run {} has come to its end; its adapter is {}", run.name, run.result ? run.result->adapter : ""));
  if (is_under_way(run.state)) return fail(Code::conflict, fmt::format("run {} is {} already", run.name, json::enum_name(run.state)));
  PUNA_TRY(const auto base, find_base(parts_.library, run.model));
  const RunFolder folder(parts_.folder / run.name);
  PUNA_TRY(const auto order, folder.order());
  PUNA_CHECK(check_same(order, base));
  if (run.state == JobState::paused && run.job) return queue.resume(*run.job);
  return start(queue, run.name);
}

Result<> Tuning::look(std::string_view act, const wire::TuneRequest& request, const std::stop_token& stop,
                      const std::function<Result<>(const fs::path&, const wire::TuneEvent&)>& take) {
  PUNA_CHECK(wire::check(request));
  PUNA_TRY(const auto base, find_base(parts_.library, request.model));
  {
    const std::lock_guard lock(mutex_);
    if (looking_) {
      Error busy(Code::overloaded, "another run is being looked at; try again in a moment");
      busy.retry_after = kLookAgain;
      return fail(std::move(busy));
    }
    looking_ = true;
  }
  auto done = [&]() -> Result<> {
    PUNA_TRY(const auto work, make_work_folder());
    const RunFolder folder(work.path());
    PUNA_TRY(auto order, order_for(base, request, parts_.settings));
    if (order.name.empty()) order.name = "run";
    PUNA_CHECK(folder.write(order));
    wire::TuneEvent last;
    const auto hear = [&](const wire::TuneEvent& event) {
      if (event.kind == TuneEventKind::estimate) last = event;
    };
    PUNA_CHECK(run_child({.program = parts_.program, .words = {std::string(act)}, .folder = folder}, hear, stop));
    return take(work.path(), last);
  }();
  const std::lock_guard lock(mutex_);
  looking_ = false;
  return done;
}

Result<wire::TuneEstimate> Tuning::estimate(const wire::TuneRequest& request, const std::stop_token& stop) {
  wire::TuneEstimate out;
  PUNA_CHECK(look("--estimate", request, stop, [&](const fs::path&, const wire::TuneEvent& last) -> Result<> {
    if (!last.estimate) return fail(Code::internal, "the trainer estimated nothing");
    out = *last.estimate;
    return {};
  }));
  return out;
}

Result<wire::TunePreview> Tuning::preview(const wire::TuneRequest& request, std::size_t rows, const std::stop_token& stop) {
  constexpr std::size_t kMostRows = 1000;
  wire::TunePreview out;
  PUNA_CHECK(look(fmt::format("--preview={}", std::clamp<std::size_t>(rows, 1, kMostRows)), request, stop,
                  [&](const fs::path& folder, const wire::TuneEvent&) -> Result<> {
                    PUNA_TRY(const auto text, os::read_file(RunFolder(folder).preview(), gib(1)));
                    PUNA_TRY(out, json::decode_text<wire::TunePreview>(text));
                    return {};
                  }));
  return out;
}

Result<wire::TuneRunList> Tuning::list(const jobs::Queue& queue) {
  wire::TuneRunList out;
  const auto jobs = queue.list();
  std::error_code error;
  for (fs::directory_iterator at(parts_.folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() == kLooking) continue;
    if (auto run = find(at->path().filename().string(), jobs)) out.runs.push_back(std::move(*run));
  }
  std::ranges::sort(out.runs, [](const auto& a, const auto& b) { return a.created_at > b.created_at; });
  return out;
}

Result<wire::TuneRun> Tuning::get(const jobs::Queue& queue, std::string_view name) {
  return find(name, queue.list());
}

Result<wire::TuneRun> Tuning::find(std::string_view name, std::span<const wire::Job> jobs) {
  PUNA_TRY(const auto path, folder(name));
  const RunFolder run_folder(path);
  PUNA_TRY(auto order, run_folder.order());
  auto out = describe(run_folder, std::move(order), jobs);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = progress_.find(out.name); found != progress_.end()) out.progress = found->second;
  }
  if (!out.progress) out.progress = run_folder.last(TuneEventKind::step);
  return out;
}

Result<wire::TuneMetrics> Tuning::metrics(std::string_view name, std::int64_t from, std::size_t limit) {
  PUNA_TRY(const auto path, folder(name));
  wire::TuneMetrics out{.next = std::max<std::int64_t>(from, 0)};
  std::ifstream lines(RunFolder(path).metrics(), std::ios::binary);
  lines.seekg(out.next);
  std::string line;
  while (out.events.size() < limit && std::getline(lines, line)) {
    if (lines.eof()) break;  // its end is being written
    out.next += static_cast<std::int64_t>(line.size()) + 1;
    auto event = json::decode_text<wire::TuneEvent>(line, json::Unknown::ignore);
    if (!event)
      return fail(Code::corrupt_data,
                  fmt::format("run {}: a line of its metrics cannot be read: {}", printable(name), event.error().message));
    out.events.push_back(std::move(*event));
  }
  return out;
}

Result<fs::path> Tuning::folder(std::string_view name) const {
  const auto absent = [&] { return fail(Code::not_found, fmt::format("there is no run called '{}'", printable(name))); };
  if (!wire::check_run_name(name)) return absent();
  auto out = parts_.folder / name;
  std::error_code error;
  if (!fs::exists(out / "run.json", error)) return absent();
  return out;
}

Result<Bytes> Tuning::remove(const jobs::Queue& queue, std::string_view name) {
  PUNA_TRY(const auto run, get(queue, name));
  if (is_under_way(run.state) || run.state == JobState::paused)
    return fail(Code::conflict, fmt::format("run {} is {}; stop it first", run.name, json::enum_name(run.state)));
  const RunFolder folder(parts_.folder / run.name);
  const auto size = folder.size();
  std::error_code error;
  fs::remove_all(folder.path(), error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot remove {}", folder.path().string())));
  const std::lock_guard lock(mutex_);
  progress_.erase(run.name);
  return size;
}

}  // namespace puna::training
