// Adapters on their way out of the library and into it, as jobs: "merge" makes one model of a base and its adapters, "export" writes an
// adapter for other programs, "import" takes one in that PEFT made. A child does what takes a model's arithmetic.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "base/units.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "os/temporary_folder.h"
#include "wire/adapter_work.h"

namespace puna::model {
class Library;
}

namespace puna::training {

struct AdapterJobsParts {
  const SettingsStore& settings;
  model::Library& library;
  std::filesystem::path program;  // whose children work
  std::filesystem::path folder;   // for files on their way, on the disk of the library; ours alone
  // Code::disk_full unless so many bytes fit there.
  std::function<Result<>(const std::filesystem::path& folder, Bytes needed)> require_space;
};

// adapter_config.json and adapter_model.safetensors; they go with the folder.
struct PeftForm {
  os::TemporaryFolder folder;
  std::vector<std::filesystem::path> files;
};

// Thread-safe. Must outlive the queue that runs its jobs. Blocks.
class AdapterJobs {
 public:
  // Removes what an end without warning left in the folder.
  explicit AdapterJobs(AdapterJobsParts parts);

  // For the queue. Results are a wire::MergeResult, wire::ExportResult, wire::ImportResult. A job that ends in any other way leaves
  // nothing behind. Phases: "merging" (bytes of the base), "comparing", and "merging again" where that lost too much, "adding"; "writing";
  // "reading", "adding".
  [[nodiscard]] jobs::JobSpec merge_spec();
  [[nodiscard]] jobs::JobSpec export_spec();
  [[nodiscard]] jobs::JobSpec import_spec();

  // Each refuses at once what cannot work: Code::invalid_argument (names, an adapter of another base), not_found, already_exists (the new
  // name), conflict (a damaged model, a folder that has something in it), unsupported, disk_full. Who asks for the same again gets the
  // job that is under way.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, const wire::MergeRequest& request);
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, const wire::ExportRequest& request);
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, const wire::ImportRequest& request);

  // For a job that gives an adapter to others. Code::invalid_argument when nobody knows its base, otherwise as an export.
  [[nodiscard]] Result<PeftForm> make_peft_form(std::string_view adapter, jobs::JobContext& context) const;

 private:
  const AdapterJobsParts parts_;
};

}  // namespace puna::training
