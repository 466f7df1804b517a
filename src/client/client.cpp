#include "client/client.h"

#include "client/follow_run.h"
#include "client/transport.h"
#include "client/watch.h"

namespace puna::client {
namespace {

std::string model_target(std::string_view collection, std::string_view name, std::string_view verb = "") {
  return fmt::format("/api/v1/{}/{}{}", collection, net::percent_encode(name), verb);
}

std::string job_target(std::string_view id, std::string_view verb = "") {
  return fmt::format("/api/v1/jobs/{}{}", net::percent_encode(id), verb);
}

std::string logs_target(std::string_view source, std::size_t lines, bool follow) {
  return fmt::format("/api/v1/logs?source={}&lines={}{}", net::percent_encode(source), lines, follow ? "&follow=true" : "");
}

bool rests(const wire::Job& job) {
  return wire::is_terminal(job.state) || job.state == wire::JobState::paused || job.state == wire::JobState::interrupted;
}

net::Task<Result<>> discard(net::Task<Result<json::value>> task) {
  auto body = co_await std::move(task);
  if (!body) co_return fail(std::move(body).error());
  co_return Result<>();
}

net::Task<Result<wire::Job>> await_job(Transport& transport, std::string id, const Client::JobSink& on_update) {
  Watch watch(transport);
  while (true) {
    PUNA_CO_TRY(auto event, co_await watch.next());
    std::optional<wire::Job> job;
    if (!event) {
      PUNA_CO_TRY(job, co_await transport.call_as<wire::Job>({.target = job_target(id)}));
    } else if (event->type == "job.updated" && event->data.contains("id") && event->data.at("id") == json::value(id)) {
      PUNA_CO_TRY(job, json::decode<wire::Job>(json::value(event->data), json::Unknown::ignore));
    }
    if (!job) continue;
    if (on_update) on_update(*job);
    if (rests(*job)) co_return std::move(*job);
  }
}

// Never fails: without news of its progress a model loads just the same.
net::Task<void> report_load(Transport& transport, std::string name, const Client::LoadSink& on_progress) {
  Watch watch(transport);
  while (true) {
    auto result = co_await watch.next();
    if (!result) co_return;
    const auto event = std::move(*result);
    if (!event || !event->type.starts_with("worker.")) continue;
    const auto model = json::decode<wire::RunningModel>(json::value(event->data), json::Unknown::ignore);
    if (model && model->name == name) on_progress(*model);
  }
}

// Runs the task, and tells meanwhile how far the model's load is.
template <class T>
net::Task<Result<T>> while_loading(net::Io& io, Transport& transport, std::string name, const Client::LoadSink& on_progress,
                                   net::Task<Result<T>> task) {
  if (!on_progress) co_return co_await std::move(task);
  auto reporter = net::spawn(io, "load progress", report_load(transport, std::move(name), on_progress));
  auto result = co_await std::move(task);
  reporter.cancel();
  // A cancelled wait must still see its reporter end, which holds the caller's sink.
  co_await net::asio::this_coro::reset_cancellation_state();
  co_await reporter.join();
  co_return result;
}

net::Task<Result<ChatEnd>> read_answer(net::Io& io, Transport& transport, Call call, std::string model, const Client::ChatSinks& sinks) {
  auto opened = co_await while_loading(io, transport, std::move(model), sinks.on_load, transport.open(std::move(call)));
  if (!opened) co_return fail(std::move(opened).error());
  ChatReader reader(sinks.on_delta);
  while (true) {  // to the stream's end, which comes with the answer's: who leaves before looks like a client that was lost
    auto result = co_await opened->next();
    if (!result && !reader.done()) co_return fail(std::move(result).error());
    const auto event = result ? std::move(*result) : std::nullopt;
    if (!event) break;
    PUNA_CO_CHECK(reader.take(event->data));
  }
  co_return reader.end();
}

net::Task<Result<>> read_lines(Transport& transport, Call call, const Client::LineSink& on_line) {
  PUNA_CO_TRY(auto stream, co_await transport.open(std::move(call)));
  while (true) {
    PUNA_CO_TRY(auto event, co_await stream.next());
    if (!event) co_return Result<>();
    on_line(event->data);
  }
}

net::Task<Result<>> read_events(Transport& transport, const Client::EventSink& on_event) {
  Watch watch(transport);
  while (true) {
    PUNA_CO_TRY(auto event, co_await watch.next());
    if (on_event(event ? &*event : nullptr) == Next::enough) co_return Result<>();
  }
}

std::string describe(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return exception.what();
  }
}

}  // namespace

struct Client::Core {
  explicit Core(Address address) : transport(io, std::move(address)) {}

  net::Io io{1};
  Transport transport;

  template <class T>
  Result<T> wait(net::Task<Result<T>> task, const std::stop_token& stop) {
    if (stop.stop_requested()) return fail(net::cancelled_error());
    struct State {
      net::asio::cancellation_signal cancel;
      bool ended = false;
      Result<T> result = fail(Code::internal, "the request never ended");
    };
    auto state = std::make_shared<State>();  // a late stop may still be on its way when this returns
    auto ended = [state](const std::exception_ptr& thrown, Result<T> result) {
      if (thrown) result = fail(Code::internal, "the request failed for a reason of ours: " + describe(thrown));
      state->result = std::move(result);
      state->ended = true;
    };
    net::asio::co_spawn(io.context(), catching(std::move(task)), net::asio::bind_cancellation_slot(state->cancel.slot(), std::move(ended)));
    std::stop_callback on_stop(
        stop, [this, state] { net::asio::post(io.context(), [state] { state->cancel.emit(net::asio::cancellation_type::terminal); }); });
    if (io.context().stopped()) io.context().restart();
    while (!state->ended) io.context().run_one();
    return std::move(state->result);
  }

  template <class T>
  Result<T> call(Call call, const std::stop_token& stop) {
    return wait(transport.call_as<T>(std::move(call)), stop);
  }

 private:
  // Cancelling makes the waits end with an Error; without this asio would throw instead.
  template <class T>
  static net::Task<Result<T>> catching(net::Task<Result<T>> task) {
    co_await net::asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(task);
  }
};

Client::Client(Address address) : core_(std::make_unique<Core>(std::move(address))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const Address& Client::address() const {
  return core_->transport.address();
}

Result<wire::Version> Client::version(std::stop_token stop) {
  return core_->call<wire::Version>({.target = "/api/v1/version"}, stop);
}

Result<wire::Status> Client::status(std::stop_token stop) {
  return core_->call<wire::Status>({.target = "/api/v1/status"}, stop);
}

Result<> Client::shutdown(std::stop_token stop) {
  return core_->wait(discard(core_->transport.call({.method = "POST", .target = "/api/v1/shutdown"})), stop);
}

Result<wire::ModelList> Client::models(std::stop_token stop) {
  return core_->call<wire::ModelList>({.target = "/api/v1/models"}, stop);
}

Result<wire::ModelDetail> Client::model(std::string_view name, std::stop_token stop) {
  return core_->call<wire::ModelDetail>({.target = model_target("models", name)}, stop);
}

Result<> Client::copy_model(std::string_view from, std::string_view to, std::stop_token stop) {
  const wire::ModelCopy copy{std::string(to)};
  Call call{.method = "POST", .target = model_target("models", from, "/copy"), .body = json::encode(copy)};
  return core_->wait(discard(core_->transport.call(std::move(call))), stop);
}

Result<wire::ModelRemoval> Client::remove_model(std::string_view name, RemoveOptions options, std::stop_token stop) {
  std::string query = options.now ? "?now=true" : "";
  if (options.force) query += query.empty() ? "?force=true" : "&force=true";
  return core_->call<wire::ModelRemoval>({.method = "DELETE", .target = model_target("models", name, query)}, stop);
}

Result<wire::Model> Client::undo_removal(const wire::ModelUndo& undo, std::stop_token stop) {
  return core_->call<wire::Model>({.method = "POST", .target = "/api/v1/models/undo", .body = json::encode(undo)}, stop);
}

Result<wire::Model> Client::alias_model(std::string_view name, std::string_view alias, std::stop_token stop) {
  const wire::ModelAlias body{std::string(alias)};
  return core_->call<wire::Model>({.method = "POST", .target = model_target("models", name, "/alias"), .body = json::encode(body)}, stop);
}

Result<wire::Model> Client::pin_model(std::string_view name, bool pinned, std::stop_token stop) {
  const wire::ModelPin body{pinned};
  return core_->call<wire::Model>({.method = "POST", .target = model_target("models", name, "/pin"), .body = json::encode(body)}, stop);
}

Result<wire::Job> Client::adopt_model(std::string_view name, std::string_view new_name, std::stop_token stop) {
  const wire::ModelCopy body{std::string(new_name)};
  return core_->call<wire::Job>({.method = "POST", .target = model_target("models", name, "/adopt"), .body = json::encode(body)}, stop);
}

Result<wire::Job> Client::create_model(const wire::CreateModel& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = "/api/v1/models/create", .body = json::encode(request)}, stop);
}

Result<wire::Job> Client::probe_model(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = model_target("models", name, "/probe")}, stop);
}

Result<wire::Job> Client::verify_models(const wire::VerifyModels& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = "/api/v1/models/verify", .body = json::encode(request)}, stop);
}

Result<wire::DiskUsage> Client::disk_usage(std::stop_token stop) {
  return core_->call<wire::DiskUsage>({.target = "/api/v1/usage"}, stop);
}

Result<wire::PullPlan> Client::plan_pull(const wire::PullRequest& request, std::stop_token stop) {
  return core_->call<wire::PullPlan>(
      {.method = "POST", .target = "/api/v1/hub/plan", .body = json::encode(request), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::Job> Client::update_model(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = model_target("models", name, "/update")}, stop);
}

Result<wire::OutdatedList> Client::outdated(std::span<const std::string> names, std::stop_token stop) {
  net::Query query;
  for (const auto& name : names) query.add("name", name);
  return core_->call<wire::OutdatedList>(
      {.target = fmt::format("/api/v1/models/outdated?{}", query.text()), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::HubPage> Client::search_hub(const net::Query& query, std::stop_token stop) {
  return core_->call<wire::HubPage>({.target = fmt::format("/api/v1/hub/search?{}", query.text()), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::HubModel> Client::hub_model(std::string_view source, Card card, std::stop_token stop) {
  const auto target = fmt::format("{}{}", model_target("hub/models", source), card == Card::bring ? "?card=true" : "");
  return core_->call<wire::HubModel>({.target = target, .deadlines = kPatientDeadlines}, stop);
}

Result<wire::Job> Client::pull(const wire::PullRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = "/api/v1/models/pull", .body = json::encode(request)}, stop);
}

Result<wire::QuantizeLevels> Client::quantize_levels(std::string_view model, std::stop_token stop) {
  const std::string query = model.empty() ? std::string() : fmt::format("?model={}", net::percent_encode(model));
  return core_->call<wire::QuantizeLevels>({.target = "/api/v1/quantize/levels" + query}, stop);
}

Result<wire::QuantizePlan> Client::plan_quantize(std::string_view model, const wire::QuantizeRequest& request, std::stop_token stop) {
  return core_->call<wire::QuantizePlan>(
      {.method = "POST", .target = model_target("models", model, "/quantize/plan"), .body = json::encode(request)}, stop);
}

Result<wire::Job> Client::quantize(std::string_view model, const wire::QuantizeRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = model_target("models", model, "/quantize"), .body = json::encode(request)},
                                stop);
}

Result<wire::Job> Client::push(std::string_view model, const wire::PushRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = model_target("models", model, "/push"), .body = json::encode(request)}, stop);
}

Result<wire::Job> Client::merge_adapter(const wire::MergeRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = "/api/v1/tune/merge", .body = json::encode(request)}, stop);
}

Result<wire::Job> Client::export_adapter(const wire::ExportRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = "/api/v1/tune/export", .body = json::encode(request)}, stop);
}

Result<wire::Job> Client::import_adapter(const wire::ImportRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = "/api/v1/tune/import", .body = json::encode(request)}, stop);
}

Result<wire::Job> Client::tune(const wire::TuneRequest& request, std::stop_token stop) {
  return core_->call<wire::Job>(
      {.method = "POST", .target = "/api/v1/tune/runs", .body = json::encode(request), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::TuneEstimate> Client::estimate_tune(const wire::TuneRequest& request, std::stop_token stop) {
  return core_->call<wire::TuneEstimate>(
      {.method = "POST", .target = "/api/v1/tune/estimate", .body = json::encode(request), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::TunePreview> Client::preview_tune(const wire::TuneRequest& request, std::int64_t rows, std::stop_token stop) {
  return core_->call<wire::TunePreview>({.method = "POST",
                                         .target = fmt::format("/api/v1/tune/preview?rows={}", rows),
                                         .body = json::encode(request),
                                         .deadlines = kPatientDeadlines},
                                        stop);
}

Result<wire::TuneRunList> Client::tune_runs(std::stop_token stop) {
  return core_->call<wire::TuneRunList>({.target = "/api/v1/tune/runs"}, stop);
}

Result<wire::TuneRun> Client::tune_run(std::string_view name, std::stop_token stop) {
  return core_->call<wire::TuneRun>({.target = run_target(name)}, stop);
}

Result<wire::Job> Client::pause_tune(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = run_target(name, "/pause")}, stop);
}

Result<wire::Job> Client::resume_tune(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = run_target(name, "/resume"), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::Job> Client::cancel_tune(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = run_target(name, "/cancel")}, stop);
}

Result<wire::TuneRemoval> Client::remove_tune(std::string_view name, std::stop_token stop) {
  return core_->call<wire::TuneRemoval>({.method = "DELETE", .target = run_target(name)}, stop);
}

Result<wire::TuneRun> Client::follow_tune(std::string_view name, const TuneSink& on_event, std::stop_token stop) {
  return core_->wait(follow_run(core_->transport, std::string(name), on_event), stop);
}

Result<wire::ProfileList> Client::profiles(std::stop_token stop) {
  return core_->call<wire::ProfileList>({.target = "/api/v1/profiles"}, stop);
}

Result<wire::Profile> Client::profile(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Profile>({.target = model_target("profiles", name)}, stop);
}

Result<wire::Profile> Client::create_profile(std::string_view name, const json::object& settings, std::stop_token stop) {
  const json::object body{{"name", name}, {"settings", settings}};
  return core_->call<wire::Profile>({.method = "POST", .target = "/api/v1/profiles", .body = body}, stop);
}

Result<wire::Profile> Client::change_profile(std::string_view name, const json::object& settings, std::stop_token stop) {
  const json::object body{{"settings", settings}};
  return core_->call<wire::Profile>({.method = "PATCH", .target = model_target("profiles", name), .body = body}, stop);
}

Result<wire::Profile> Client::remove_profile(std::string_view name, std::stop_token stop) {
  return core_->call<wire::Profile>({.method = "DELETE", .target = model_target("profiles", name)}, stop);
}

Result<wire::ProfileHistory> Client::profile_history(std::string_view name, std::stop_token stop) {
  return core_->call<wire::ProfileHistory>({.target = model_target("profiles", name, "/history")}, stop);
}

Result<wire::Profile> Client::restore_profile(std::string_view name, std::int64_t version, std::stop_token stop) {
  const wire::RestoreProfile body{version};
  return core_->call<wire::Profile>({.method = "POST", .target = model_target("profiles", name, "/restore"), .body = json::encode(body)},
                                    stop);
}

Result<wire::ProfileRecommendation> Client::recommend_profile(std::string_view model, std::stop_token stop) {
  const wire::RecommendProfile body{std::string(model)};
  return core_->call<wire::ProfileRecommendation>(
      {.method = "POST", .target = "/api/v1/profiles/recommend", .body = json::encode(body), .deadlines = kPatientDeadlines}, stop);
}

Result<wire::RunningList> Client::running(std::stop_token stop) {
  return core_->call<wire::RunningList>({.target = "/api/v1/running"}, stop);
}

Result<wire::RunningModel> Client::load(std::string_view name, const wire::LoadRequest& request, const LoadSink& on_progress,
                                        std::stop_token stop) {
  Call call{.method = "POST", .target = model_target("running", name), .body = json::encode(request), .deadlines = kPatientDeadlines};
  auto loading = core_->transport.call_as<wire::RunningModel>(std::move(call));
  return core_->wait(while_loading(core_->io, core_->transport, std::string(name), on_progress, std::move(loading)), stop);
}

Result<> Client::unload(std::string_view name, std::stop_token stop) {
  // Running requests get time to end first.
  Call call{.method = "DELETE", .target = model_target("running", name), .deadlines = kPatientDeadlines};
  return core_->wait(discard(core_->transport.call(std::move(call))), stop);
}

Result<ChatEnd> Client::chat(const ChatRequest& request, const ChatSinks& sinks, std::stop_token stop) {
  Call call{.method = "POST", .target = "/v1/chat/completions", .body = chat_body(request), .deadlines = kPatientDeadlines};
  return core_->wait(read_answer(core_->io, core_->transport, std::move(call), request.model, sinks), stop);
}

Result<wire::JobList> Client::jobs(std::stop_token stop) {
  return core_->call<wire::JobList>({.target = "/api/v1/jobs"}, stop);
}

Result<wire::Job> Client::job(std::string_view id, std::stop_token stop) {
  return core_->call<wire::Job>({.target = job_target(id)}, stop);
}

Result<wire::Job> Client::cancel_job(std::string_view id, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = job_target(id, "/cancel")}, stop);
}

Result<wire::Job> Client::pause_job(std::string_view id, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = job_target(id, "/pause")}, stop);
}

Result<wire::Job> Client::resume_job(std::string_view id, std::stop_token stop) {
  return core_->call<wire::Job>({.method = "POST", .target = job_target(id, "/resume")}, stop);
}

Result<wire::Job> Client::wait_for_job(std::string_view id, const JobSink& on_update, std::stop_token stop) {
  return core_->wait(await_job(core_->transport, std::string(id), on_update), stop);
}

Result<wire::KeyList> Client::keys(std::stop_token stop) {
  return core_->call<wire::KeyList>({.target = "/api/v1/keys"}, stop);
}

Result<wire::ApiKey> Client::key(std::string_view id_or_name, std::stop_token stop) {
  return core_->call<wire::ApiKey>({.target = model_target("keys", id_or_name)}, stop);
}

Result<wire::NewKey> Client::create_key(const wire::KeyRequest& request, std::stop_token stop) {
  return core_->call<wire::NewKey>({.method = "POST", .target = "/api/v1/keys", .body = json::encode(request)}, stop);
}

Result<wire::ApiKey> Client::revoke_key(std::string_view id_or_name, std::stop_token stop) {
  return core_->call<wire::ApiKey>({.method = "DELETE", .target = model_target("keys", id_or_name)}, stop);
}

Result<wire::Certificate> Client::make_certificate(const wire::CertificateRequest& request, std::stop_token stop) {
  return core_->call<wire::Certificate>({.method = "POST", .target = "/api/v1/certificate", .body = json::encode(request)}, stop);
}

Result<wire::UsageReport> Client::usage(const net::Query& query, std::stop_token stop) {
  const auto parameters = query.text();
  return core_->call<wire::UsageReport>({.target = parameters.empty() ? "/api/v1/access/usage" : "/api/v1/access/usage?" + parameters},
                                        stop);
}

Result<wire::SettingsView> Client::settings(std::stop_token stop) {
  return core_->call<wire::SettingsView>({.target = "/api/v1/settings"}, stop);
}

Result<wire::SettingsView> Client::change_setting(const wire::SettingChange& change, std::stop_token stop) {
  return core_->call<wire::SettingsView>({.method = "PATCH", .target = "/api/v1/settings", .body = json::encode(change)}, stop);
}

Result<wire::LogLines> Client::logs(std::string_view source, std::size_t lines, std::stop_token stop) {
  return core_->call<wire::LogLines>({.target = logs_target(source, lines, false)}, stop);
}

Result<> Client::follow_logs(std::string_view source, std::size_t lines, const LineSink& on_line, std::stop_token stop) {
  Call call{.target = logs_target(source, lines, true), .deadlines = kStreamDeadlines};
  return core_->wait(read_lines(core_->transport, std::move(call), on_line), stop);
}

Result<> Client::watch(const EventSink& on_event, std::stop_token stop) {
  return core_->wait(read_events(core_->transport, on_event), stop);
}

}  // namespace puna::client
