// Jobs as Ollama's clients see long work: lines of {"status", "digest", "total", "completed"}.
#pragma once

#include <string>
#include <string_view>

#include "api/call.h"
#include "wire/job.h"

namespace puna::api::ollama {

enum class Work { pull, push, create };

// Writes a job's progress until it has ended: as lines while it runs, or with `stream` off as one answer at the end. A client that leaves
// does not end the job.
class ProgressStream {
 public:
  ProgressStream(Call& call, Work work, bool stream) : call_(call), work_(work), stream_(stream) {}

  // Until the job has ended. Its failure is the error; nothing has been told of it yet.
  [[nodiscard]] net::Task<Result<wire::Job>> follow(wire::Job job);
  [[nodiscard]] net::Task<Result<>> say(std::string_view status);
  // The last line, or the one answer.
  [[nodiscard]] net::Task<Result<>> succeed();
  // Inside a stream that has begun; else the error is left to the route.
  [[nodiscard]] net::Task<Result<>> fail_with(const Error& error);

 private:
  net::Task<Result<>> show(const wire::Job& job);
  net::Task<Result<>> write(json::object line);

  Call& call_;
  const Work work_;
  const bool stream_;
  std::string last_;
};

// The line for a job as it is now; without a status: nothing to tell.
[[nodiscard]] json::object progress_line(Work work, const wire::Job& job);

}  // namespace puna::api::ollama
