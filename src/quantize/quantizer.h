// The job kind "quantize": makes a smaller model from one of the library.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/settings.h"
#include "base/units.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "wire/quantize.h"

namespace puna::model {
class Library;
}

namespace puna::quantize {

struct QuantizerParts {
  const SettingsStore& settings;
  model::Library& library;
  std::filesystem::path program;  // whose children work
  std::filesystem::path folder;   // for files on their way, on the disk of the library; ours alone
  // Code::disk_full unless so many bytes fit there.
  std::function<Result<>(const std::filesystem::path& folder, Bytes needed)> require_space;
};

// Thread-safe. Must outlive the queue that runs its jobs. All but the table of levels blocks.
class Quantizer {
 public:
  // Removes what an end without warning left in the folder.
  explicit Quantizer(QuantizerParts parts);

  // For the queue. Phases: "planning", "quantizing" (bytes of the source), "checking" (in a child: it loads and computes), "hashing",
  // "adding". The result is a wire::QuantizeResult. A job that ends in any other way leaves nothing behind.
  [[nodiscard]] jobs::JobSpec job_spec();

  // With expected sizes for a model when one is named.
  [[nodiscard]] Result<wire::QuantizeLevels> levels(std::string_view model);
  // Everything short of writing. Fails as submit() does.
  [[nodiscard]] Result<wire::QuantizePlan> plan(std::string_view model, const wire::QuantizeRequest& request);
  // Refuses at once what cannot work: Code::invalid_argument, not_found, already_exists (the new name), unsupported and conflict (the
  // source). Who asks for the same again gets the job that is under way.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, std::string_view model, const wire::QuantizeRequest& request);

 private:
  const QuantizerParts parts_;
};

}  // namespace puna::quantize
