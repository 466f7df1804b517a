#include "app/workbench.h"

#include <algorithm>

#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "fleet/check_model.h"
#include "fleet/probe_compute.h"
#include "fleet/warm_folder.h"
#include "model/shared_cache.h"
#include "net/on_network.h"
#include "os/atomic_file.h"
#include "os/disk.h"
#include "os/environment.h"
#include "os/file.h"
#include "os/hardware.h"
#include "profile/recommend.h"
#include "profile/templates.h"

namespace puna::app {
namespace {

constexpr Bytes kLargestSettingsFile = mib(1);
constexpr Milliseconds kLastSpans{3'000};  // that a stop waits for a collector

// Their states can be computed again.
std::filesystem::path conversations_of(const os::Places& places) {
  return places.cache / "conversations";
}

net::ClientOptions client_options(const Settings& settings) {
  net::ClientOptions options;
  if (const auto& proxy = settings.get(setting::kProxy); !proxy.empty()) options.proxy = proxy;
  options.ca_file = settings.get(setting::kCaFile);
  options.offline = settings.get(setting::kOffline);
  return options;
}

Result<std::string> read_settings_text(const std::filesystem::path& file) {
  auto text = os::read_file(file, kLargestSettingsFile);
  if (!text && text.error().code == Code::not_found) return std::string();
  return text;
}

wire::SettingView view_of(const SettingSpec& spec, const Settings::Entry& entry) {
  return {.key = std::string(spec.key),
          .value = shown_setting(spec, entry.value),
          .default_value = std::string(spec.default_value),
          .origin = entry.origin,
          .source = entry.source,
          .kind = std::string(kind_name(spec)),
          .environment = std::string(spec.environment),
          .help = std::string(spec.help),
          .live = spec.live};
}

model::StoreChoice store_choice(const Settings& settings) {
  const auto environment = os::current_environment();
  model::StoreChoice out{.stores = settings.get(setting::kModelStores),
                         .places = {.environment = environment, .folders = settings.get(setting::kModelFolders)}};
  if (settings.get(setting::kShareCache)) out.places.shared_hf_cache = model::shared_cache_folder(environment);
  out.stores.emplace_back("folder");  // named one by one
  return out;
}

// A model that profiles serve goes by force only; a further name of it goes as it likes.
Result<> check_unused(profile::Profiles& profiles, model::Library& library, const wire::Model& model, std::string_view typed) {
  PUNA_TRY(const auto users, profiles.users_of(model.name));
  if (users.empty()) return {};
  PUNA_TRY(const auto models, library.list());
  for (const auto& other : models)
    if (other.alias_of && (equal_ignoring_case(other.name, typed) || equal_ignoring_case(other.name, fmt::format("{}:latest", typed))))
      return {};
  return fail(Code::conflict, fmt::format("model {} is used by the profile{} {}: change or remove that first, or remove the model by force",
                                          model.name, users.size() == 1 ? "" : "s", join(users, ", ")));
}

// A reranker's only output is a score.
Result<> check_purpose(const profile::Served& known, fleet::Purpose purpose) {
  const auto& name = known.launch.name;
  if (known.launch.kind != wire::EngineKind::builtin) return {};
  const auto refuse = [](std::string why) { return fail(Code::unsupported, std::move(why)); };
  if (purpose == fleet::Purpose::rank && !known.ranks)
    return refuse(fmt::format("model {} cannot rank documents; take one whose `puna show` lists \"rerank\"", name));
  if (purpose != fleet::Purpose::rank && known.ranks && !known.generates)
    return refuse(fmt::format("model {} scores documents for a query and does nothing else; use /v1/rerank", name));
  if (purpose == fleet::Purpose::generate && !known.generates)
    return refuse(fmt::format("model {} makes embeddings and cannot write text; use /v1/embeddings", name));
  return {};
}

}  // namespace

Workbench::Workbench(Parts parts) : parts_(std::move(parts)) {}
Workbench::~Workbench() = default;

Result<std::unique_ptr<Workbench>> Workbench::create(Parts parts) {
  std::unique_ptr<Workbench> workbench(new Workbench(std::move(parts)));
  PUNA_CHECK(workbench->build());
  return workbench;
}

Result<> Workbench::build() {
  const auto settings = parts_.settings.snapshot();
  http_ = std::make_unique<net::HttpClient>(parts_.io, client_options(*settings));
  tracer_ = std::make_unique<telemetry::Tracer>(telemetry::Tracer::Parts{
      .io = parts_.io, .http = *http_, .settings = [this] { return parts_.settings.snapshot(); }, .clock = clock_});
  PUNA_TRY(auto database, store::Database::open(parts_.places.database()));
  database_ = std::make_unique<store::Database>(std::move(database));
  responses_ = std::make_unique<responses::Archive>(parts_.io, *database_, [this] {
    const auto now = parts_.settings.snapshot();
    return responses::Bounds{.size = now->get(setting::kResponsesSize), .time = now->get(setting::kResponsesKeep)};
  });
  PUNA_TRY(auto files, batch::Files::open(*database_, parts_.places.data / "files", [this] {
             const auto now = parts_.settings.snapshot();
             return batch::FileBounds{.largest = now->get(setting::kLargestFile), .all = now->get(setting::kFilesSize)};
           }));
  files_ = std::make_unique<batch::Files>(std::move(files));
  batches_ = std::make_unique<batch::Batches>(parts_.io, *database_, *files_, parts_.settings);
  access_ = std::make_unique<access::Access>(access::Access::Parts{.io = parts_.io,
                                                                   .database = *database_,
                                                                   .settings = [this] { return parts_.settings.snapshot(); },
                                                                   .clock = clock_,
                                                                   .request_log = parts_.places.state / "requests.log"});
  PUNA_CHECK(access_->load());
  PUNA_TRY(auto library, model::Library::open(*database_, events_, parts_.places.models(), store_choice(*settings)));
  library_ = std::make_unique<model::Library>(std::move(library));
  library_jobs_ = std::make_unique<model::LibraryJobs>(*library_);
  profiles_ = std::make_unique<profile::Profiles>(*database_, events_, [this](std::string_view name) -> Result<std::string> {
    PUNA_TRY(auto model, library_->find(name));
    return std::move(model.name);
  });

  const auto& worker_program = settings->get(setting::kWorkerProgram);
  const std::filesystem::path program = worker_program.empty() ? parts_.program : std::filesystem::path(worker_program);
  const fleet::FleetPlaces places{.program = program,
                                  .sockets = parts_.places.runtime / "workers",
                                  .logs = parts_.places.state / "logs",
                                  .warm = conversations_of(parts_.places)};
  fleet_ = std::make_unique<fleet::Fleet>(fleet::FleetParts{.io = parts_.io,
                                                            .http = *http_,
                                                            .events = events_,
                                                            .options = [this] { return fleet::options_from(*parts_.settings.snapshot()); },
                                                            .resolve = [this](std::string name) -> net::Task<Result<fleet::Launch>> {
                                                              PUNA_CO_TRY(auto known, co_await know(std::move(name)));
                                                              co_return with_raised_context(loaded_adapters_.with(std::move(known.launch)));
                                                            },
                                                            .places = places,
                                                            .database = database_.get()});

  transfers_ = std::make_unique<hub::transfer::Engine>(hub::transfer::Engine::Parts{
      .settings = parts_.settings, .downloads = parts_.places.partial_downloads(), .http = client_options(*settings)});
  hub_ = std::make_unique<hub::Hub>(*http_, parts_.settings, os::current_environment());
  pulls_ = std::make_unique<hub::Pulls>(
      hub::PullParts{.io = parts_.io,
                     .hub = *hub_,
                     .engine = *transfers_,
                     .settings = parts_.settings,
                     .library = *library_,
                     .downloads = parts_.places.partial_downloads(),
                     .models = parts_.places.models(),
                     .check = [program = parts_.program](const std::filesystem::path& file, const std::stop_token& stop) {
                       return fleet::check_model(program, file, {}, stop);
                     }});
  quantizer_ = std::make_unique<quantize::Quantizer>(quantize::QuantizerParts{.settings = parts_.settings,
                                                                              .library = *library_,
                                                                              .program = parts_.program,
                                                                              .folder = parts_.places.models() / "quantizing",
                                                                              .require_space = os::require_disk_space});
  tuning_ = std::make_unique<training::Tuning>(training::TuningParts{.settings = parts_.settings,
                                                                     .library = *library_,
                                                                     .events = events_,
                                                                     .program = parts_.program,
                                                                     .folder = parts_.places.data / "runs"});
  adapter_jobs_ = std::make_unique<training::AdapterJobs>(training::AdapterJobsParts{.settings = parts_.settings,
                                                                                     .library = *library_,
                                                                                     .program = parts_.program,
                                                                                     .folder = parts_.places.models() / "adapting",
                                                                                     .require_space = os::require_disk_space});
  publisher_ = std::make_unique<hub::publish::Publisher>(hub::publish::Publisher::Parts{
      .settings = parts_.settings,
      .library = *library_,
      .http = client_options(*settings),
      .environment = os::current_environment(),
      .companions_of = [this](const wire::ModelDetail& adapter, jobs::JobContext& context) -> Result<hub::publish::Companions> {
        PUNA_TRY(auto form, adapter_jobs_->make_peft_form(adapter.model.name, context));
        return hub::publish::Companions{std::move(form.folder), std::move(form.files)};
      }});
  prober_ = std::make_unique<probe::Prober>(
      probe::ProberParts{.settings = parts_.settings,
                         .events = events_,
                         .library = *library_,
                         .program = parts_.program,
                         .running = [this](const std::stop_token& stop) {
                           return net::on_network<std::vector<wire::RunningModel>>(
                               parts_.io, "a probe's question",
                               [this]() -> net::Task<Result<std::vector<wire::RunningModel>>> { co_return fleet_->list(); }, stop);
                         }});
  jobs_ = std::make_unique<jobs::Queue>(
      *database_, events_, parts_.settings,
      std::vector{pulls_->job_spec(), quantizer_->job_spec(), tuning_->job_spec(), adapter_jobs_->merge_spec(),
                  adapter_jobs_->export_spec(), adapter_jobs_->import_spec(), publisher_->job_spec(), batches_->job_spec(),
                  library_jobs_->verify_spec(), library_jobs_->adopt_spec(), library_jobs_->create_spec(), prober_->job_spec()});
  return {};
}

Result<wire::ProfileRecommendation> Workbench::recommend_profile(std::string_view model) {
  auto compute = fleet::probe_compute(parts_.program);
  // A driver that does not answer is no reason to say nothing about the processor.
  if (!compute) log::warning("app", "what models can compute on is not known", {{"error", compute.error().text()}});
  return profile::recommend_for(
      *library_, model,
      {.hardware = os::probe_hardware(), .devices = compute ? std::move(compute->devices) : std::vector<wire::ComputeDevice>()});
}

Result<wire::DiskUsage> Workbench::disk_usage() {
  PUNA_TRY(auto usage, library_->usage());
  for (const auto& partial : transfers_->partials())
    usage.partials.push_back({partial.file.string(), "puna", static_cast<std::int64_t>(partial.on_disk.count)});
  usage.conversation_bytes = static_cast<std::int64_t>(fleet::warm_bytes(conversations_of(parts_.places)).count);
  usage.conversation_limit = static_cast<std::int64_t>(parts_.settings.snapshot()->get(setting::kWarmDisk).count);
  return usage;
}

Result<wire::Job> Workbench::pull(const wire::PullRequest& request) {
  return pulls_->submit(*jobs_, request);
}

Result<wire::Job> Workbench::update(std::string_view name) {
  return pulls_->submit_update(*jobs_, name);
}

Result<wire::Job> Workbench::quantize(std::string_view model, const wire::QuantizeRequest& request) {
  return quantizer_->submit(*jobs_, model, request);
}

Result<wire::Job> Workbench::probe(std::string_view model) {
  return prober_->submit(*jobs_, model);
}

Result<wire::Job> Workbench::push(std::string_view model, const wire::PushRequest& request) {
  return publisher_->submit(*jobs_, model, request);
}

metrics::Recorder& Workbench::recorder() {
  for (auto batch = events_.since(counted_events_); !batch.events.empty(); batch = events_.since(counted_events_)) {
    counted_events_ = batch.events.back()->sequence;
    for (const auto& event : batch.events) {
      if (event->type == "worker.evicted") recorder_.evicted(std::string(event->data.at("name").as_string()));
      if (event->type != "worker.state") continue;
      if (const auto worker = json::decode<wire::RunningModel>(json::value(event->data), json::Unknown::ignore)) recorder_.changed(*worker);
    }
  }
  return recorder_;
}

Result<> Workbench::start() {
  PUNA_CHECK(jobs_->start());
  auto_start_ = net::spawn(parts_.io, "auto-start", start_profiles());
  probing_ = std::make_unique<probe::NewModels>(
      probe::NewModels::Parts{.events = events_, .settings = parts_.settings, .library = *library_, .prober = *prober_, .queue = *jobs_});
  return batches_->resume(*jobs_);
}

net::Task<void> Workbench::start_profiles() {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  const auto profiles = co_await net::on_pool(parts_.io, [&] { return profiles_->list(); });
  if (!profiles) {
    log::error("app", "profiles cannot be started", {{"error", profiles.error().text()}});
    co_return;
  }
  const auto dropped =
      co_await net::on_pool(parts_.io, [&] { return profile::drop_unused_templates(*profiles, parts_.places.state / "templates"); });
  if (!dropped) log::warning("app", "templates of removed profiles are left", {{"error", dropped.error().text()}});
  for (const auto& profile : *profiles) {
    if (!profile.settings.auto_start.value_or(false)) continue;
    const auto started = co_await load_model(profile.name, std::nullopt);
    if (!started && started.error().code == Code::cancelled) co_return;
    if (!started)
      log::error("app", "a profile could not be started with the daemon", {{"profile", profile.name}, {"error", started.error().text()}});
  }
}

net::Task<Result<>> Workbench::shut_down(Milliseconds drain) {
  auto_start_.cancel();
  const auto stopped = co_await net::on_pool(parts_.io, [&] {
    probing_.reset();
    return jobs_->stop(drain);
  });
  PUNA_CO_CHECK(co_await fleet_->shutdown(drain));
  PUNA_CO_CHECK(co_await responses_->flush(drain));
  PUNA_CO_CHECK(co_await access_->flush());
  co_await tracer_->close(std::min(drain, kLastSpans));
  co_return stopped;
}

net::Task<Result<profile::Served>> Workbench::know(std::string name) {
  if (const std::pair revision(library_->revision(), profiles_->revision()); revision != known_revision_) {
    known_.clear();
    known_adapters_.clear();
    known_revision_ = revision;
  }
  if (const auto found = known_.find(name); found != known_.end()) co_return found->second;
  PUNA_CO_TRY(auto served, co_await net::on_pool(parts_.io, [&]() -> Result<profile::Served> {
                const auto profile = profiles_->find(name);
                if (profile) return profile::serve_profile(*profile, *library_, parts_.places.state / "templates");
                PUNA_TRY(const auto model, library_->show(name));
                return profile::serve_model(model);
              }));
  known_.insert_or_assign(std::move(name), served);
  co_return served;
}

net::Task<Result<std::vector<fleet::Adapter>>> Workbench::know_adapters(const fleet::Launch& launch,
                                                                        const std::vector<wire::AdapterUse>& uses) {
  if (uses.empty()) co_return std::vector<fleet::Adapter>();
  const std::string key = launch.name + json::to_text(json::encode(uses));
  if (const auto found = known_adapters_.find(key); found != known_adapters_.end()) co_return found->second;
  PUNA_CO_TRY(auto adapters, co_await net::on_pool(parts_.io, [&] { return find_adapters(*library_, launch, uses); }));
  known_adapters_.insert_or_assign(key, adapters);
  co_return adapters;
}

net::Task<Result<std::shared_ptr<const wire::Recipe>>> Workbench::recipe(std::string model) {
  PUNA_CO_TRY(const auto known, co_await know(split_model_name(model).base));
  co_return known.recipe;
}

net::Task<Result<std::string>> Workbench::full_name(std::string model) {
  PUNA_CO_TRY(const auto known, co_await know(split_model_name(model).base));
  co_return known.launch.name;
}

net::Task<Result<wire::EngineKind>> Workbench::engine_of(std::string model) {
  PUNA_CO_TRY(const auto known, co_await know(split_model_name(model).base));
  co_return known.launch.kind;
}

// 0, for a model's own length, is as long as can be.
fleet::Launch Workbench::with_raised_context(fleet::Launch launch) const {
  const auto raised = raised_contexts_.find(launch.name);
  const std::int64_t usual = launch.engine.context.value_or(parts_.settings.snapshot()->get(setting::kContextLength));
  if (raised != raised_contexts_.end() && usual != 0 && raised->second > usual) launch.engine.context = raised->second;
  return launch;
}

net::Task<Result<Workbench::Leased>> Workbench::lease(std::string model, Need need) {
  auto named = split_model_name(model);
  const bool names_adapters = need.adapters.has_value() || !named.adapters.empty();
  if (need.adapters) named.adapters.insert(named.adapters.end(), need.adapters->begin(), need.adapters->end());
  PUNA_CO_TRY(const auto known, co_await know(std::move(named.base)));
  // Other engines serve both with one process.
  if (known.launch.kind != wire::EngineKind::builtin) need.options.purpose = fleet::Purpose::generate;
  PUNA_CO_CHECK(check_purpose(known, need.options.purpose));
  if (need.tools && !known.knows_tools)
    co_return fail(
        Code::unsupported,
        fmt::format("tools: the chat template of {} knows no tools; take a model whose `puna show` lists them", known.launch.name));
  PUNA_CO_TRY(auto adapters, co_await know_adapters(known.launch, named.adapters));
  loaded_adapters_.note(known.launch.name, adapters);
  const std::string& name = known.launch.name;
  const auto before = raised_contexts_.find(name) == raised_contexts_.end() ? 0 : raised_contexts_[name];
  if (need.context && known.launch.kind == wire::EngineKind::builtin) raised_contexts_[name] = std::max(before, *need.context);
  auto lease = co_await fleet_->acquire(name, std::move(need.options));
  // One that does not fit into memory is not tried again with every request.
  if (!lease && lease.error().code == Code::out_of_memory) raised_contexts_[name] = before;
  if (!lease) co_return fail(std::move(lease).error());
  const auto by_setting = wire::overflow_from(parts_.settings.snapshot()->get(setting::kOverflow)).value_or(wire::Overflow::refuse);
  co_return Leased{std::move(*lease), names_adapters ? std::optional(std::move(adapters)) : std::nullopt,
                   known.overflow.value_or(by_setting)};
}

net::Task<Result<wire::RunningModel>> Workbench::load_model(std::string name, std::optional<std::string> keep_alive) {
  fleet::LeaseOptions options;
  if (keep_alive) {
    PUNA_CO_TRY(options.keep_alive, parse_duration(*keep_alive));
  }
  const auto named = split_model_name(name);
  PUNA_CO_TRY(const auto known, co_await know(named.base));
  PUNA_CO_TRY(const auto adapters, co_await know_adapters(known.launch, named.adapters));
  loaded_adapters_.note(known.launch.name, adapters);
  const bool serves_all = known.generates || known.launch.kind != wire::EngineKind::builtin;
  options.purpose = serves_all ? fleet::Purpose::generate : known.ranks ? fleet::Purpose::rank : fleet::Purpose::embed;
  fleet_->forgive(known.launch.name);
  PUNA_CO_TRY(const auto lease, co_await fleet_->acquire(known.launch.name, std::move(options)));
  for (auto& running : fleet_->list())
    if (running.name == lease.model()) co_return std::move(running);
  co_return fail(Code::internal, fmt::format("model {} was loaded and is gone", known.launch.name));
}

net::Task<Result<>> Workbench::unload_model(std::string name) {
  PUNA_CO_TRY(const auto known, co_await know(split_model_name(name).base));
  co_return co_await fleet_->unload(known.launch.name);
}

net::Task<Result<wire::ModelRemoval>> Workbench::remove_model(std::string name, Removing removing) {
  // An alias goes alone, and so does a model that was removed before: nothing is unloaded then.
  const auto model = co_await net::on_pool(parts_.io, [&] { return library_->find(name); });
  if (!model && model.error().code != Code::not_found) co_return fail(model.error());
  if (model && !removing.force)
    PUNA_CO_CHECK(co_await net::on_pool(parts_.io, [&] { return check_unused(*profiles_, *library_, *model, name); }));
  const auto detail = co_await net::on_pool(parts_.io, [&] { return library_->show(name); });
  const Milliseconds undo = removing.now ? Milliseconds(0) : parts_.settings.snapshot()->get(setting::kUndo);
  auto removal = co_await net::on_pool(parts_.io, [&] { return library_->remove(name, {.undo = undo, .force = removing.force}); });
  if (!removal || !model || removal->name != model->name) co_return removal;
  const auto unloaded = co_await fleet_->unload(model->name);
  if (!unloaded && unloaded.error().code != Code::not_found) co_return fail(unloaded.error());
  if (detail)
    PUNA_CO_CHECK(
        co_await net::on_pool(parts_.io, [&] { return fleet::forget_conversations(conversations_of(parts_.places), detail->path); }));
  co_return removal;
}

net::Task<Result<wire::Profile>> Workbench::remove_profile(std::string name) {
  PUNA_CO_TRY(auto profile, co_await net::on_pool(parts_.io, [&] { return profiles_->remove(name); }));
  const auto unloaded = co_await fleet_->unload(profile.name);
  if (!unloaded && unloaded.error().code != Code::not_found) co_return fail(unloaded.error());
  co_return profile;
}

wire::SettingsView Workbench::settings_view() const {
  wire::SettingsView view;
  const auto settings = parts_.settings.snapshot();
  for (const auto* spec : setting::all()) view.settings.push_back(view_of(*spec, settings->entry(*spec)));
  view.problems = settings_problems();
  view.file = parts_.settings.file().string();
  return view;
}

std::vector<std::string> Workbench::settings_problems() const {
  std::vector<std::string> out;
  for (const auto& problem : parts_.settings.problems()) out.push_back(problem.text());
  return out;
}

Result<> Workbench::change_setting(const wire::SettingChange& change) {
  PUNA_TRY(const auto* spec, find_setting(change.key));
  PUNA_TRY(const auto text, read_settings_text(parts_.settings.file()));
  PUNA_TRY(const auto edited, edit_settings_text(text, *spec, change.value));
  return os::write_file_atomic(parts_.settings.file(), edited);
}

std::vector<std::string> Workbench::apply_settings() {
  auto changed = parts_.settings.reload();
  const auto settings = parts_.settings.snapshot();
  http_->configure(client_options(*settings));
  publisher_->configure(client_options(*settings));
  transfers_->configure(client_options(*settings));
  library_->configure(store_choice(*settings));
  log::set_level(json::enum_from_name<log::Level>(settings->get(setting::kLogLevel)).value_or(log::Level::info));
  for (const auto& key : changed) events_.publish("setting.changed", {{"key", key}});
  return changed;
}

}  // namespace puna::app
