// Training, as the daemon sees it: runs, each with a folder of its own, the job kind "tune" that works on one, and the child that computes.
//
// A run's folder is <data>/runs/NAME: run.json (wire::TuneOrder: what was asked for, and with what it was completed), metrics.jsonl
// (wire::TuneEvent), log, checkpoints/, and once it has ended adapter.gguf, report.json and result.json (wire::TuneResult).
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/event_bus.h"
#include "base/settings.h"
#include "base/units.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "os/temporary_folder.h"
#include "wire/tune.h"

namespace puna::model {
class Library;
}

namespace puna::training {

struct TuningParts {
  const SettingsStore& settings;
  model::Library& library;
  EventBus& events;
  std::filesystem::path program;  // whose children train
  std::filesystem::path folder;   // of the runs; ours alone
};

// Thread-safe. Must outlive the queue that runs its jobs. Everything blocks: for a pool or a job, not the network thread.
class Tuning {
 public:
  // Removes what an end without warning left of estimates and previews.
  explicit Tuning(TuningParts parts);

  // For the queue. Its result is a wire::TuneResult; unit "steps"; phases are those of wire::TuneEvent. May be paused, goes on after a
  // restart of the daemon, and pauses by itself when the disk is full. Every line of the child is an event "tune.progress", a
  // wire::TuneEvent, steps at most ten times a second.
  [[nodiscard]] jobs::JobSpec job_spec();

  // Makes the run's folder and puts its job into the queue. Refuses before that, with the reason: Code::invalid_argument (settings, data
  // that cannot be read, targets that the base has not), Code::not_found (the base), Code::unsupported (a base that this build cannot
  // train, and what it can), Code::already_exists (the name, of a run or of a model), Code::conflict (a damaged base). Of more than 64 MiB
  // of data only the names are looked at; its rows are checked when the job begins.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, const wire::TuneRequest& request);
  // Goes on with a run that was paused, cancelled, interrupted or failed, from its last checkpoint, or from the start when there is none.
  // Code::conflict when it runs or has come to its end, or when its base is another one by now.
  [[nodiscard]] Result<wire::Job> resume(jobs::Queue& queue, std::string_view name);

  // What a run would take, by the real rows and one step with the longest of them. Takes as long as reading the data and two steps.
  // Refuses as submit() does, a name that is taken aside. One at a time: Code::overloaded.
  [[nodiscard]] Result<wire::TuneEstimate> estimate(const wire::TuneRequest& request, const std::stop_token& stop = {});
  // The first rows, as they would be trained. Refuses as estimate() does.
  [[nodiscard]] Result<wire::TunePreview> preview(const wire::TuneRequest& request, std::size_t rows, const std::stop_token& stop = {});

  [[nodiscard]] Result<wire::TuneRunList> list(const jobs::Queue& queue);
  [[nodiscard]] Result<wire::TuneRun> get(const jobs::Queue& queue, std::string_view name);
  // Lines of metrics.jsonl, at most `limit`; from its beginning (0), or from where an earlier answer says that the next ones stand.
  [[nodiscard]] Result<wire::TuneMetrics> metrics(std::string_view name, std::int64_t from, std::size_t limit = 10'000);
  // Code::not_found.
  [[nodiscard]] Result<std::filesystem::path> folder(std::string_view name) const;
  // The folder with all that is in it; the adapter stays in the library. Returns the bytes that come back. Code::conflict while its job
  // is queued, running or paused.
  [[nodiscard]] Result<Bytes> remove(const jobs::Queue& queue, std::string_view name);

 private:
  [[nodiscard]] Result<wire::TuneRun> find(std::string_view name, std::span<const wire::Job> jobs);
  [[nodiscard]] Result<json::value> run(jobs::JobContext& context);
  [[nodiscard]] Result<os::TemporaryFolder> make_work_folder() const;
  [[nodiscard]] std::string free_name(const wire::TuneRequest& request) const;
  [[nodiscard]] Result<wire::Job> start(jobs::Queue& queue, const std::string& name);
  [[nodiscard]] Result<> look(std::string_view act, const wire::TuneRequest& request, const std::stop_token& stop,
                              const std::function<Result<>(const std::filesystem::path& folder, const wire::TuneEvent& last)>& take);

  const TuningParts parts_;
  std::mutex mutex_;                                              // guards what follows
  std::map<std::string, wire::TuneEvent, std::less<>> progress_;  // the last step of each run of this daemon's life
  bool looking_ = false;
};

}  // namespace puna::training
