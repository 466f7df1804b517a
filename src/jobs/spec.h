// What a kind of job is: data and one function, given to the queue when it is built.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"
#include "wire/job.h"

namespace puna::jobs {

class Queue;
struct Entry;

// What a running job is given. Used on the job's own thread.
class JobContext {
 public:
  JobContext(Queue& queue, Entry& entry, std::stop_token stop);
  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const json::value& request() const { return request_; }
  // Asked to end: by cancel, by pause, or because the daemon stops. The function returns Code::cancelled soon (goal: 250 ms), and
  // leaves what it needs to go on in its checkpoint.
  [[nodiscard]] std::stop_token stop() const { return stop_; }
  // Code::cancelled once asked to end: PUNA_CHECK(context.go_on());
  [[nodiscard]] Result<> go_on() const;

  // Cheap enough for every block of a transfer: shown a few times a second, the last one always. `done` never goes backward within a
  // phase; speed and remaining time are worked out when they are absent.
  void progress(wire::JobProgress progress);

  // What the last attempt saved; kept over restarts.
  [[nodiscard]] std::optional<json::value> checkpoint() const;
  // On disk when it returns.
  [[nodiscard]] Result<> save_checkpoint(json::value checkpoint);

 private:
  Queue& queue_;
  Entry& entry_;
  const std::string id_;
  const json::value request_;
  const std::stop_token stop_;
};

// A failure that may pass (a network, a server) puts the job back into the queue, until it failed this often in a row without
// a new checkpoint between. The wait grows by `factor`, is a random part of its bound, and obeys the failure's own retry_after.
struct RetryPolicy {
  int attempts = 1;
  Milliseconds base = std::chrono::seconds(1);
  Milliseconds cap = std::chrono::minutes(1);
  double factor = 2;
};

struct JobSpec {
  std::string_view kind;                                 // "pull"
  std::function<std::string(const json::value&)> title;  // for people, of a request: "pull smollm2:135m"
  std::function<Result<json::value>(JobContext&)> run;   // the result that the completed job shows
  bool resumable = false;                                // can go on from its checkpoint: may be paused, survives a restart
  RetryPolicy retry;
  // Failures that somebody has to do something about first (a full disk): the job pauses, shows the failure, and goes on when resumed.
  // Only of a resumable kind.
  std::vector<Code> pauses_on = {};
  // May take days and gives way to others by itself: beside those that jobs.parallel counts, one of its kind at a time.
  bool background = false;
};

}  // namespace puna::jobs
