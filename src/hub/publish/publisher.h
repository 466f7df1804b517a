// The job kind "push": brings a model of the library to a place where others find it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "hub/publish/courier.h"
#include "hub/publish/huggingface.h"
#include "hub/publish/ollama.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "os/environment.h"
#include "os/temporary_folder.h"
#include "wire/model.h"
#include "wire/publish.h"

namespace puna::model {
class Library;
}

namespace puna::hub::publish {

// Other forms of a model, for those who look for them beside it. The files go with the folder.
struct Companions {
  os::TemporaryFolder folder;
  std::vector<std::filesystem::path> files;
};

// Thread-safe. Must outlive the queue that runs its jobs.
class Publisher {
 public:
  struct Parts {
    const SettingsStore& settings;
    model::Library& library;
    net::ClientOptions http;
    os::Environment environment;    // where other programs keep their tokens and keys
    Bytes registry_part = mib(64);  // what a broken upload to a registry loses at most
    // Of an adapter, on a job's thread. Without it, and when it fails, the adapter goes alone.
    std::function<Result<Companions>(const wire::ModelDetail& adapter, jobs::JobContext& context)> companions_of = {};
  };
  explicit Publisher(Parts parts);

  // For the queue. Hugging Face gets an adapter's companions, too. Phases: "hashing" (files that nobody has hashed yet), "uploading" (bytes
  // that the destination lacks). The result is a wire::PushResult. A failure that may pass is tried again, and goes on where it was: what
  // the destination has is not sent twice.
  [[nodiscard]] jobs::JobSpec job_spec();
  // Refuses at once what cannot work: Code::invalid_argument (the destination), not_found and conflict (the model). Who asks for the same
  // again gets the job that is under way. Blocks shortly.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, std::string_view model, const wire::PushRequest& request);
  // Bytes of files that went away since the start, those that had to go again included.
  [[nodiscard]] Bytes sent() const { return courier_.sent(); }
  // For requests from now on.
  void configure(net::ClientOptions options) { courier_.configure(std::move(options)); }

 private:
  [[nodiscard]] Result<json::value> run(jobs::JobContext& context);
  // Into the cargo; `note` says why there are none of an adapter.
  [[nodiscard]] Result<std::optional<Companions>> add_companions(const wire::ModelDetail& detail, jobs::JobContext& context, Cargo& cargo,
                                                                 std::optional<std::string>& note) const;
  [[nodiscard]] Result<Published> publish(const Cargo& cargo, const wire::Provenance& provenance, jobs::JobContext& context);
  [[nodiscard]] Result<OllamaParts> registry_parts(const Reference& destination, const wire::Provenance& provenance);

  const Parts parts_;
  Courier courier_;
  HalfSentFiles half_sent_;
  HalfSentBlobs half_sent_blobs_;
};

}  // namespace puna::hub::publish
