#include "worker/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <string>

#include "common.h"
#include "ggml-backend.h"
#include "inference/kernels.h"
#include "llama.h"
#include "os/hardware.h"
#include "server-context.h"
#include "server-http.h"
#include "worker/engine_memory.h"
#include "worker/generation.h"
#include "worker/load_plan.h"
#include "worker/routes.h"
#include "worker/warmth/saved_states.h"
#include "worker/warmth/state_key.h"
#include "worker/warmth/warmth.h"

namespace puna::worker {

// In the order of construction that llama.cpp's server has; the routes refer to everything above them.
struct Engine::Parts {
  std::string kernels;
  common_params parameters;
  LoadPlan plan;
  server_context context;
  server_http_context http;
  std::unique_ptr<server_routes> routes;
  GenerationParts generation;
  std::unique_ptr<Warmth> warmth;  // null: conversations are not saved
};

namespace {

std::vector<std::string> gpu_names() {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type != GGML_BACKEND_DEVICE_TYPE_GPU && type != GGML_BACKEND_DEVICE_TYPE_IGPU) continue;
    out.push_back(fmt::format("{} ({})", ggml_backend_dev_name(device), ggml_backend_dev_description(device)));
  }
  return out;
}

LoadFailure failure_of(const Error& error) {
  wire::WorkerFault fault = wire::WorkerFault::model_malformed;
  if (error.code == Code::not_found) fault = wire::WorkerFault::model_missing;
  if (error.code == Code::out_of_memory) fault = wire::WorkerFault::out_of_memory;
  if (error.code == Code::unsupported || error.code == Code::invalid_argument) fault = wire::WorkerFault::model_unsupported;
  return {fault, error.text()};
}

// Of values of 16 bits; other types are about as large or smaller.
Bytes token_size(const llama_model* model) {
  const auto width =
      static_cast<std::uint64_t>(llama_model_n_embd(model)) / static_cast<std::uint64_t>(std::max(1, llama_model_n_head(model)));
  const auto heads = static_cast<std::uint64_t>(std::max(1, llama_model_n_head_kv(model)));
  return Bytes(2 * 2 * width * heads * static_cast<std::uint64_t>(llama_model_n_layer(model)));
}

// Null when nothing is to be saved, or cannot be: the worker serves without it. A model that drafts has a second cache, which llama.cpp
// does not save.
std::unique_ptr<Warmth> make_warmth(const ServeArguments& arguments, const LoadPlan& plan, std::string_view kernels,
                                    server_context& context) {
  const auto& asked = arguments.warmth;
  if (asked.folder.empty() || arguments.mode != Mode::generate || !arguments.speculation.draft.empty()) return nullptr;
  const auto make = [&]() -> Result<std::unique_ptr<Warmth>> {
    WarmthOptions options{.least_tokens = static_cast<std::size_t>(asked.least),
                          .token_size = token_size(llama_get_model(context.get_llama_context()))};
    for (const auto& adapter : arguments.adapters) {
      PUNA_TRY(auto identity, file_identity(adapter.file));
      options.adapters.push_back(std::move(identity));
    }
    const std::string engine = fmt::format("{} {} {}", llama_version(), kernels, fmt::join(gpu_names(), ","));
    PUNA_TRY(const auto key, state_key(arguments, plan, engine));
    PUNA_TRY(auto states, SavedStates::open({.folder = asked.folder, .key = key, .limit = asked.disk}));
    return std::make_unique<Warmth>(context, std::move(states), std::move(options));
  };
  auto made = make();
  if (made) return std::move(*made);
  write_log_line(fmt::format("conversations are not saved: {}", made.error().text()));
  return nullptr;
}

}  // namespace

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Engine::~Engine() = default;

std::expected<std::unique_ptr<Engine>, LoadFailure> Engine::load(const ServeArguments& arguments, EngineLog& log,
                                                                 const std::function<void(double)>& progress) {
  const auto header = gguf::Header::read_file(arguments.model);
  if (!header) return std::unexpected(failure_of(header.error()));
  auto kernels = inference::load_kernels();
  if (!kernels) return std::unexpected(LoadFailure{wire::WorkerFault::spawn_failed, kernels.error().text()});
  const auto plan = plan_load(arguments, *header, os::probe_hardware());
  if (!plan) return std::unexpected(failure_of(plan.error()));

  auto parts = std::make_unique<Parts>();
  parts->kernels = std::move(*kernels);
  parts->plan = *plan;
  parts->parameters = engine_parameters(arguments, *plan, !gpu_names().empty());
  parts->context.set_state_callback([&progress](server_state state, const common_json& payload) {
    if (state == SERVER_STATE_LOADING && payload.contains("value")) progress(payload.at("value").get<double>());
  });
  try {
    llama_backend_init();
    if (!parts->http.init(parts->parameters))
      return std::unexpected(LoadFailure{wire::WorkerFault::spawn_failed, "the HTTP server failed"});
    parts->routes = std::make_unique<server_routes>(parts->parameters, parts->context);
    if (!parts->context.load_model(parts->parameters)) return std::unexpected(explain_load_failure(log.errors()));
    parts->routes->update_meta(parts->context);
  } catch (const std::bad_alloc&) {
    return std::unexpected(LoadFailure{wire::WorkerFault::out_of_memory, "the system refused memory (std::bad_alloc)"});
  } catch (const std::exception& exception) {
    return std::unexpected(explain_load_failure({exception.what()}));
  }
  parts->warmth = make_warmth(arguments, *plan, parts->kernels, parts->context);
  const auto meta = parts->context.get_meta();
  parts->generation = {.vocab = llama_model_get_vocab(llama_get_model(parts->context.get_llama_context())),
                       .chat = &meta.chat_params,
                       .warmth = parts->warmth.get()};
  for (const auto& adapter : arguments.adapters)
    parts->generation.adapters.emplace(static_cast<int>(parts->generation.adapters.size()), static_cast<float>(adapter.scale));
  register_routes(parts->http, *parts->routes, {arguments.mode, meta.slot_n_ctx}, parts->generation);
  return std::unique_ptr<Engine>(new Engine(std::move(parts)));
}

Readiness Engine::readiness() const {
  Readiness out;
  out.context_length = parts_->context.get_meta().slot_n_ctx;
  out.slots = parts_->plan.slots;
  out.threads = parts_->plan.threads;
  if (parts_->plan.gpu_layers != 0) out.devices = gpu_names();
  if (out.devices.empty()) out.devices = {fmt::format("CPU ({})", parts_->kernels)};
  out.memory = engine_memory(parts_->context.get_llama_context());
  return out;
}

Result<> Engine::listen() {
  const std::string socket = parts_->parameters.hostnames.front();
  if (::unlink(socket.c_str()) != 0 && errno != ENOENT) return fail(errno_error(errno, fmt::format("cannot replace {}", socket)));
  const mode_t before = ::umask(0177);  // the socket is 0600 from its first moment
  const bool listening = parts_->http.start();
  ::umask(before);
  if (!listening) return fail(Code::unavailable, fmt::format("cannot listen on {}", socket));
  parts_->http.is_ready.store(true);
  return {};
}

void Engine::farewell(Milliseconds limit) {
  if (parts_->warmth) parts_->warmth->farewell(limit);
}

void Engine::run() {
  parts_->context.start_loop();
}

}  // namespace puna::worker
