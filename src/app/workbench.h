// The object graph: builds every part top down, joins them, and takes them down again. No HTTP, no SQL, no domain logic.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "access/access.h"
#include "app/request_adapters.h"
#include "base/event_bus.h"
#include "base/settings.h"
#include "batch/batches.h"
#include "fleet/fleet.h"
#include "hub/hub.h"
#include "hub/publish/publisher.h"
#include "hub/pull.h"
#include "hub/transfer/transfer.h"
#include "jobs/queue.h"
#include "metrics/recorder.h"
#include "model/library.h"
#include "model/library_jobs.h"
#include "net/http_client.h"
#include "net/io.h"
#include "os/places.h"
#include "probe/new_models.h"
#include "probe/prober.h"
#include "profile/profiles.h"
#include "profile/served.h"
#include "quantize/quantizer.h"
#include "responses/archive.h"
#include "store/database.h"
#include "telemetry/tracer.h"
#include "training/adapter_jobs.h"
#include "training/tuning.h"
#include "wire/model.h"
#include "wire/publish.h"
#include "wire/quantize.h"
#include "wire/system.h"

namespace puna::app {

class Workbench {
 public:
  struct Parts {
    net::Io& io;
    os::Places places;
    SettingsStore& settings;
    std::filesystem::path program;  // this executable, for workers
  };
  // Opens the database (migrating it), reconciles the library with the disk. Jobs wait until start().
  [[nodiscard]] static Result<std::unique_ptr<Workbench>> create(Parts parts);
  ~Workbench();

  // Begins to run jobs, those interrupted by the last end first. Network thread.
  [[nodiscard]] Result<> start();
  // Ends jobs (they resume at the next start) and workers. Network thread.
  [[nodiscard]] net::Task<Result<>> shut_down(Milliseconds drain);

  [[nodiscard]] net::Io& io() { return parts_.io; }
  [[nodiscard]] const os::Places& places() const { return parts_.places; }
  [[nodiscard]] EventBus& events() { return events_; }
  [[nodiscard]] access::Access& access() { return *access_; }
  // Up to date with the workers' changes: they are counted when somebody asks or a request ends, not one by one. Network thread.
  [[nodiscard]] metrics::Recorder& recorder();
  [[nodiscard]] telemetry::Tracer& tracer() { return *tracer_; }
  [[nodiscard]] jobs::Queue& jobs() { return *jobs_; }
  [[nodiscard]] model::Library& library() { return *library_; }
  [[nodiscard]] model::LibraryJobs& library_jobs() { return *library_jobs_; }
  [[nodiscard]] profile::Profiles& profiles() { return *profiles_; }
  [[nodiscard]] fleet::Fleet& fleet() { return *fleet_; }
  [[nodiscard]] quantize::Quantizer& quantizer() { return *quantizer_; }
  [[nodiscard]] training::Tuning& tuning() { return *tuning_; }
  [[nodiscard]] training::AdapterJobs& adapter_jobs() { return *adapter_jobs_; }
  [[nodiscard]] net::HttpClient& http() { return *http_; }
  [[nodiscard]] responses::Archive& responses() { return *responses_; }
  [[nodiscard]] batch::Files& files() { return *files_; }
  [[nodiscard]] batch::Batches& batches() { return *batches_; }
  [[nodiscard]] hub::Hub& hub() { return *hub_; }
  [[nodiscard]] hub::Pulls& pulls() { return *pulls_; }
  [[nodiscard]] hub::transfer::Engine& transfers() { return *transfers_; }
  [[nodiscard]] Bytes published_bytes() const { return publisher_->sent(); }  // since the start
  [[nodiscard]] std::shared_ptr<const Settings> settings() const { return parts_.settings.snapshot(); }

  // What a model adds to requests that do not say otherwise; null: nothing. Network thread.
  [[nodiscard]] net::Task<Result<std::shared_ptr<const wire::Recipe>>> recipe(std::string model);
  // What a request's model name stands for. Network thread.
  [[nodiscard]] net::Task<Result<std::string>> full_name(std::string model);
  // What answers for it: ours, or another's. Network thread.
  [[nodiscard]] net::Task<Result<wire::EngineKind>> engine_of(std::string model);
  // A worker for a model of the library. Code::unsupported when the model cannot do what is asked. Network thread.
  struct Need {
    fleet::LeaseOptions options;
    bool tools = false;                                          // the request offers tools
    std::optional<std::vector<wire::AdapterUse>> adapters = {};  // besides those that the model's name has
    // Tokens of context at least: a worker with fewer is replaced once its requests have ended, and the model keeps the larger one until
    // the daemon ends. No more than it was trained for.
    std::optional<std::int64_t> context = {};
  };
  struct Leased {
    fleet::Lease lease;
    std::optional<std::vector<fleet::Adapter>> adapters;  // that the request named, instead of the model's own
    wire::Overflow overflow = wire::Overflow::refuse;     // for a conversation that is too long, unless the request says
  };
  [[nodiscard]] net::Task<Result<Leased>> lease(std::string model, Need need);
  // Network thread.
  [[nodiscard]] net::Task<Result<wire::RunningModel>> load_model(std::string name, std::optional<std::string> keep_alive);
  [[nodiscard]] net::Task<Result<>> unload_model(std::string name);
  // Unloads it first. Can be undone for the time of the setting, unless it is asked for at once.
  struct Removing {
    bool now = false;
    bool force = false;  // although it is pinned
  };
  [[nodiscard]] net::Task<Result<wire::ModelRemoval>> remove_model(std::string name, Removing removing);
  // Ends its worker, too. Network thread.
  [[nodiscard]] net::Task<Result<wire::Profile>> remove_profile(std::string name);
  // Any thread; blocks shortly.
  [[nodiscard]] Result<wire::ProfileRecommendation> recommend_profile(std::string_view model);
  // The library's, with what transfers left on their way and the saved conversations.
  [[nodiscard]] Result<wire::DiskUsage> disk_usage();
  [[nodiscard]] Result<wire::Job> pull(const wire::PullRequest& request);
  [[nodiscard]] Result<wire::Job> quantize(std::string_view model, const wire::QuantizeRequest& request);
  [[nodiscard]] Result<wire::Job> probe(std::string_view model);
  [[nodiscard]] Result<wire::Job> push(std::string_view model, const wire::PushRequest& request);
  [[nodiscard]] Result<wire::Job> update(std::string_view name);

  [[nodiscard]] wire::SettingsView settings_view() const;
  [[nodiscard]] std::vector<std::string> settings_problems() const;
  // Writes the user's file. Blocks.
  [[nodiscard]] Result<> change_setting(const wire::SettingChange& change);
  // Reads the sources anew and tells every part that cares; returns the keys that changed. Network thread.
  std::vector<std::string> apply_settings();

 private:
  explicit Workbench(Parts parts);
  [[nodiscard]] Result<> build();
  [[nodiscard]] fleet::Launch with_raised_context(fleet::Launch launch) const;
  [[nodiscard]] net::Task<Result<profile::Served>> know(std::string name);
  [[nodiscard]] net::Task<Result<std::vector<fleet::Adapter>>> know_adapters(const fleet::Launch& launch,
                                                                             const std::vector<wire::AdapterUse>& uses);
  // The profiles that want it, one after the other, beside everything else.
  [[nodiscard]] net::Task<void> start_profiles();

  Parts parts_;
  SystemClock clock_;
  EventBus events_;
  metrics::Recorder recorder_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<telemetry::Tracer> tracer_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<responses::Archive> responses_;
  std::unique_ptr<batch::Files> files_;
  std::unique_ptr<batch::Batches> batches_;
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<model::Library> library_;
  std::unique_ptr<model::LibraryJobs> library_jobs_;
  std::unique_ptr<profile::Profiles> profiles_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::unique_ptr<hub::transfer::Engine> transfers_;
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<hub::Pulls> pulls_;
  std::unique_ptr<quantize::Quantizer> quantizer_;
  std::unique_ptr<training::Tuning> tuning_;
  std::unique_ptr<training::AdapterJobs> adapter_jobs_;
  std::unique_ptr<hub::publish::Publisher> publisher_;
  std::unique_ptr<probe::Prober> prober_;
  net::Spawned auto_start_;
  std::unique_ptr<jobs::Queue> jobs_;          // its jobs use what is above
  std::unique_ptr<probe::NewModels> probing_;  // gives the queue jobs
  // Names already looked up, so that a request costs no query; valid for one revision of the library and of the profiles. Network thread.
  std::map<std::string, profile::Served> known_;
  std::map<std::string, std::vector<fleet::Adapter>> known_adapters_;
  LoadedAdapters loaded_adapters_;
  std::pair<std::uint64_t, std::uint64_t> known_revision_;
  std::map<std::string, std::int64_t> raised_contexts_;  // by the launch's name. Network thread.
  std::uint64_t counted_events_ = 0;                     // by recorder_
};

}  // namespace puna::app
