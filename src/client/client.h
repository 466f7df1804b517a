// The daemon's API as typed calls that return when they are done.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "client/chat.h"
#include "net/http_types.h"
#include "wire/access.h"
#include "wire/adapter_work.h"
#include "wire/certificate.h"
#include "wire/hub.h"
#include "wire/job.h"
#include "wire/model.h"
#include "wire/profile.h"
#include "wire/publish.h"
#include "wire/quantize.h"
#include "wire/system.h"
#include "wire/tune.h"

namespace puna::client {

struct Address;

enum class Next { go_on, enough };

// One thread at a time. Each call runs the network on the calling thread, calls its sinks there, ends with Code::cancelled soon after
// `stop` is requested, and has a deadline for the daemon's silence (Code::deadline_exceeded). Code::unavailable says where no daemon
// answered and what to do. Other errors are the daemon's own.
class Client {
 public:
  explicit Client(Address address);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  [[nodiscard]] const Address& address() const;

  [[nodiscard]] Result<wire::Version> version(std::stop_token stop = {});
  [[nodiscard]] Result<wire::Status> status(std::stop_token stop = {});
  // Lets running requests end, then the daemon leaves.
  [[nodiscard]] Result<> shutdown(std::stop_token stop = {});

  [[nodiscard]] Result<wire::ModelList> models(std::stop_token stop = {});
  [[nodiscard]] Result<wire::ModelDetail> model(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<> copy_model(std::string_view from, std::string_view to, std::stop_token stop = {});
  struct RemoveOptions {
    bool now = false;
    bool force = false;
  };
  [[nodiscard]] Result<wire::ModelRemoval> remove_model(std::string_view name, RemoveOptions options, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Model> undo_removal(const wire::ModelUndo& undo, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Model> alias_model(std::string_view name, std::string_view alias, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Model> pin_model(std::string_view name, bool pinned, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> adopt_model(std::string_view name, std::string_view new_name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> create_model(const wire::CreateModel& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> probe_model(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> verify_models(const wire::VerifyModels& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::DiskUsage> disk_usage(std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> pull(const wire::PullRequest& request, std::stop_token stop = {});
  // What a pull would do.
  [[nodiscard]] Result<wire::PullPlan> plan_pull(const wire::PullRequest& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> update_model(std::string_view name, std::stop_token stop = {});
  // Of these models, or of all.
  [[nodiscard]] Result<wire::OutdatedList> outdated(std::span<const std::string> names, std::stop_token stop = {});
  // Parameters as the route has them: "q", "sort", "cursor" …
  [[nodiscard]] Result<wire::HubPage> search_hub(const net::Query& query, std::stop_token stop = {});
  enum class Card { leave, bring };
  [[nodiscard]] Result<wire::HubModel> hub_model(std::string_view source, Card card, std::stop_token stop = {});
  // With expected sizes where a model is named.
  [[nodiscard]] Result<wire::QuantizeLevels> quantize_levels(std::string_view model, std::stop_token stop = {});
  [[nodiscard]] Result<wire::QuantizePlan> plan_quantize(std::string_view model, const wire::QuantizeRequest& request,
                                                         std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> quantize(std::string_view model, const wire::QuantizeRequest& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> push(std::string_view model, const wire::PushRequest& request, std::stop_token stop = {});

  // What becomes of adapters, as jobs.
  [[nodiscard]] Result<wire::Job> merge_adapter(const wire::MergeRequest& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> export_adapter(const wire::ExportRequest& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> import_adapter(const wire::ImportRequest& request, std::stop_token stop = {});
  // Begins a run of training, as a job.
  [[nodiscard]] Result<wire::Job> tune(const wire::TuneRequest& request, std::stop_token stop = {});
  // What a run would take, by one step with its longest rows.
  [[nodiscard]] Result<wire::TuneEstimate> estimate_tune(const wire::TuneRequest& request, std::stop_token stop = {});
  // The first rows, as they would be trained.
  [[nodiscard]] Result<wire::TunePreview> preview_tune(const wire::TuneRequest& request, std::int64_t rows, std::stop_token stop = {});
  [[nodiscard]] Result<wire::TuneRunList> tune_runs(std::stop_token stop = {});
  [[nodiscard]] Result<wire::TuneRun> tune_run(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> pause_tune(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> resume_tune(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> cancel_tune(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::TuneRemoval> remove_tune(std::string_view name, std::stop_token stop = {});
  // Tells all that the run has told so far, in order and nothing twice, and then what it tells, until it ends or rests.
  using TuneSink = std::function<void(const wire::TuneEvent&)>;
  [[nodiscard]] Result<wire::TuneRun> follow_tune(std::string_view name, const TuneSink& on_event, std::stop_token stop = {});

  [[nodiscard]] Result<wire::ProfileList> profiles(std::stop_token stop = {});
  [[nodiscard]] Result<wire::Profile> profile(std::string_view name, std::stop_token stop = {});
  // Settings as wire::ProfileSettings has them.
  [[nodiscard]] Result<wire::Profile> create_profile(std::string_view name, const json::object& settings, std::stop_token stop = {});
  // Of the settings that are named; null takes one away.
  [[nodiscard]] Result<wire::Profile> change_profile(std::string_view name, const json::object& settings, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Profile> remove_profile(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::ProfileHistory> profile_history(std::string_view name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Profile> restore_profile(std::string_view name, std::int64_t version, std::stop_token stop = {});
  [[nodiscard]] Result<wire::ProfileRecommendation> recommend_profile(std::string_view model, std::stop_token stop = {});

  [[nodiscard]] Result<wire::RunningList> running(std::stop_token stop = {});
  // Returns when the model is ready; tells how far its load is meanwhile (for a full name, as model() has it).
  using LoadSink = std::function<void(const wire::RunningModel&)>;
  [[nodiscard]] Result<wire::RunningModel> load(std::string_view name, const wire::LoadRequest& request, const LoadSink& on_progress = {},
                                                std::stop_token stop = {});
  [[nodiscard]] Result<> unload(std::string_view name, std::stop_token stop = {});
  // The answer piece by piece; how far the model's load is, when it has to be loaded first. `request.model` is the full name then.
  struct ChatSinks {
    ChatSink on_delta;
    LoadSink on_load = {};
  };
  [[nodiscard]] Result<ChatEnd> chat(const ChatRequest& request, const ChatSinks& sinks, std::stop_token stop = {});

  [[nodiscard]] Result<wire::JobList> jobs(std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> job(std::string_view id, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> cancel_job(std::string_view id, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> pause_job(std::string_view id, std::stop_token stop = {});
  [[nodiscard]] Result<wire::Job> resume_job(std::string_view id, std::stop_token stop = {});
  // Returns once the job has ended, or rests (paused, interrupted); tells each change. Outlives a short
  // absence of the daemon.
  using JobSink = std::function<void(const wire::Job&)>;
  [[nodiscard]] Result<wire::Job> wait_for_job(std::string_view id, const JobSink& on_update, std::stop_token stop = {});

  [[nodiscard]] Result<wire::KeyList> keys(std::stop_token stop = {});
  [[nodiscard]] Result<wire::ApiKey> key(std::string_view id_or_name, std::stop_token stop = {});
  [[nodiscard]] Result<wire::NewKey> create_key(const wire::KeyRequest& request, std::stop_token stop = {});
  [[nodiscard]] Result<wire::ApiKey> revoke_key(std::string_view id_or_name, std::stop_token stop = {});

  // Makes the daemon's certificate, or shows the one that it made.
  [[nodiscard]] Result<wire::Certificate> make_certificate(const wire::CertificateRequest& request, std::stop_token stop = {});

  // Parameters as the route has them: "from", "to", "key", "model".
  [[nodiscard]] Result<wire::UsageReport> usage(const net::Query& query, std::stop_token stop = {});

  [[nodiscard]] Result<wire::SettingsView> settings(std::stop_token stop = {});
  [[nodiscard]] Result<wire::SettingsView> change_setting(const wire::SettingChange& change, std::stop_token stop = {});

  // The last lines of the daemon's own log ("daemon"), or of a model's worker (its name).
  [[nodiscard]] Result<wire::LogLines> logs(std::string_view source, std::size_t lines, std::stop_token stop = {});
  // The same, and then every further line until `stop`.
  using LineSink = std::function<void(std::string_view)>;
  [[nodiscard]] Result<> follow_logs(std::string_view source, std::size_t lines, const LineSink& on_line, std::stop_token stop = {});

  // Every change of state, until the sink has enough. Null comes first, and again whenever events may have been missed (the stream broke
  // and was taken up again): whoever keeps a picture of the state reads it anew then.
  using EventSink = std::function<Next(const wire::EventView*)>;
  [[nodiscard]] Result<> watch(const EventSink& on_event, std::stop_token stop = {});

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace puna::client
