// The job kind "pull": brings a model into the library, from wherever it is, and again when there is a newer one.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/settings.h"
#include "gguf/summary.h"
#include "hub/hub.h"
#include "hub/plan.h"
#include "hub/transfer/transfer.h"
#include "hub/turns.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "net/io.h"
#include "wire/model.h"

namespace puna::hub {

// Whether a file is a model, or a part of one, and what it is. Blocks; reads the file where it can do no harm.
using ModelCheck = std::function<Result<gguf::Summary>(const std::filesystem::path& file, const std::stop_token& stop)>;

struct PullParts {
  net::Io& io;
  Hub& hub;
  transfer::Engine& engine;
  const SettingsStore& settings;
  model::Library& library;
  std::filesystem::path downloads;  // for files on their way: os::Places::partial_downloads()
  std::filesystem::path models;     // os::Places::models()
  ModelCheck check;
};

// Of a completed job.
enum class PullChange { added, replaced, unchanged };
BOOST_DESCRIBE_ENUM(PullChange, added, replaced, unchanged)
struct PullResult {
  std::string name;
  std::string sha256;                     // of the first file of weights
  std::int64_t size = 0;                  // of all files
  PullChange change = PullChange::added;  // of what the name stands for
  std::vector<std::string> changed;       // of a model that was replaced: as wire::OutdatedModel says it
};
BOOST_DESCRIBE_STRUCT(PullResult, (), (name, sha256, size, change, changed))

// Thread-safe, but for the tasks, which belong to the network thread. Must outlive the queue that runs its jobs.
class Pulls {
 public:
  explicit Pulls(PullParts parts);

  // For the queue. Phases: "resolving", those of the transfer engine, "verifying", "adding". The result is a PullResult.
  [[nodiscard]] jobs::JobSpec job_spec();
  // Refuses at once what cannot work: Code::invalid_argument. Who asks for the same again gets the job that is under way. Credentials
  // inside an URL are kept in memory only: such a job does not go on after a restart of the daemon, it says that it must be asked again.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, const wire::PullRequest& request);
  // The same model anew, with the filter that it was pulled with. Code::unsupported when it has no upstream.
  [[nodiscard]] Result<wire::Job> submit_update(jobs::Queue& queue, std::string_view name);

  // What a pull would do.
  [[nodiscard]] net::Task<Result<wire::PullPlan>> plan(wire::PullRequest request);
  // Which models of the library have something new upstream; those without an upstream are left out. With names: only these.
  [[nodiscard]] net::Task<Result<wire::OutdatedList>> outdated(std::vector<std::string> names);

 private:
  [[nodiscard]] Result<json::value> run(jobs::JobContext& context);
  [[nodiscard]] net::Task<wire::OutdatedModel> look_upstream(wire::Model model);
  [[nodiscard]] PlanParts plan_parts() const;
  [[nodiscard]] Result<Secret> secret_for(const std::string& key);
  void forget_secret(const std::string& key);

  const PullParts parts_;
  Turns turns_;
  std::mutex mutex_;                       // guards secrets_
  std::map<std::string, Secret> secrets_;  // by dedupe key
};

}  // namespace puna::hub
