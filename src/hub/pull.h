// The job kind "pull": brings a model from a source into the library.
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
#include "hub/part_file.h"
#include "hub/turns.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "net/http_client.h"
#include "net/io.h"
#include "wire/model.h"

namespace puna::model {
class Library;
}

namespace puna::hub {

// Whether a file is a whole model, and what it is. Blocks; reads the file where it can do no harm.
using ModelCheck = std::function<Result<gguf::Summary>(const std::filesystem::path& file, const std::stop_token& stop)>;

struct PullParts {
  net::Io& io;
  net::HttpClient& http;
  const SettingsStore& settings;
  model::Library& library;
  std::filesystem::path downloads;  // for files on their way: os::Places::partial_downloads()
  std::filesystem::path models;     // os::Places::models()
  ModelCheck check;
  CheckpointPolicy checkpoints = {};
};

// Of a completed job.
enum class PullChange { added, replaced, unchanged };
BOOST_DESCRIBE_ENUM(PullChange, added, replaced, unchanged)
struct PullResult {
  std::string name;
  std::string sha256;
  std::int64_t size = 0;
  PullChange change = PullChange::added;  // of what the name stands for
};
BOOST_DESCRIBE_STRUCT(PullResult, (), (name, sha256, size, change))

// Thread-safe. Must outlive the queue that runs its jobs.
class Pulls {
 public:
  explicit Pulls(PullParts parts);

  // For the queue. Phases: "resuming" (what came earlier is read), "downloading" or "copying", "verifying", "adding"; "waiting" while
  // another job brings the same file. The result is a PullResult.
  [[nodiscard]] jobs::JobSpec job_spec();
  // Refuses at once what cannot work: Code::invalid_argument. Who asks for the same again gets the job that is under way. Credentials
  // inside the source are kept in memory only: such a job does not go on after a restart of the daemon, it says that it must be asked
  // again.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, const wire::PullRequest& request);

 private:
  [[nodiscard]] Result<json::value> run(jobs::JobContext& context);
  [[nodiscard]] Result<Secret> secret_for(const std::string& key);
  void forget_secret(const std::string& key);

  const PullParts parts_;
  Turns turns_;
  std::mutex mutex_;                       // guards secrets_
  std::map<std::string, Secret> secrets_;  // by dedupe key
};

}  // namespace puna::hub
