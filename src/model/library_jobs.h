// The library's long work as jobs: "verify" reads every byte of models again, "adopt" makes a model of another program the library's own,
// "create" makes one of another one's files and a recipe.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "model/library.h"

namespace puna::model {

// Thread-safe. Must outlive the queue that runs its jobs.
class LibraryJobs {
 public:
  explicit LibraryJobs(Library& library) : library_(library) {}

  // For the queue. Results are a wire::Verification, and wire::Models.
  [[nodiscard]] jobs::JobSpec verify_spec();
  [[nodiscard]] jobs::JobSpec adopt_spec();
  [[nodiscard]] jobs::JobSpec create_spec();

  // Without names: every model. What is found wrong becomes the models' problem until the file is another one; the job completes.
  [[nodiscard]] Result<wire::Job> verify(jobs::Queue& queue, std::vector<std::string> names);
  // By shared blocks, a hard link or a copy, whichever the file systems offer, after reading every byte. Code::invalid_argument for what
  // is the library's own.
  [[nodiscard]] Result<wire::Job> adopt(jobs::Queue& queue, std::string_view name, std::string_view new_name);
  // The recipe is read at once: Code::invalid_argument and Code::unsupported name its line. The base's files are shared, and what its own
  // recipe says holds where the new one says nothing.
  [[nodiscard]] Result<wire::Job> create(jobs::Queue& queue, const wire::CreateModel& request);

 private:
  [[nodiscard]] Result<json::value> run_verify(jobs::JobContext& context);
  [[nodiscard]] Result<json::value> run_adopt(jobs::JobContext& context);
  [[nodiscard]] Result<json::value> run_create(jobs::JobContext& context);

  Library& library_;
};

}  // namespace puna::model
