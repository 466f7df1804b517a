#include "worker/load_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "common.h"
#include "llama.h"
#include "os/file.h"

namespace puna::worker {
namespace {

constexpr std::uint64_t kUnstatedContext = 4096;
constexpr Bytes kLargestTemplate = mib(4);

// llama.cpp's HTTP server keeps a thread for each open connection, and queues a connection behind a busy thread when its count of idle
// threads is out of date. With more threads than the daemon opens connections neither can happen; an idle one costs about 12 KiB.
constexpr std::int32_t kHttpThreads = 256;

// The state of conversations that lost their slot, so that coming back costs a copy instead of reading the prompt again. llama.cpp's
// default is 8 GiB for each process, whatever the machine has. This share leaves room for several models, and the bound is some 40,000
// tokens of a model with 8 billion parameters.
Bytes prompt_cache_limit(const os::HardwareInfo& hardware) {
  constexpr std::uint64_t kShare = 16;
  return std::min(gib(2), Bytes(hardware.memory_available_bytes / kShare));
}

// Whether the model was made to embed, and says how its token vectors become one.
bool states_pooling(const gguf::Header& header, std::string_view architecture) {
  return header.find(fmt::format("{}.pooling_type", architecture)) != nullptr;
}

}  // namespace

Result<LoadPlan> plan_load(const ServeArguments& arguments, const gguf::Header& header, const os::HardwareInfo& hardware) {
  const std::string architecture(header.text("general.architecture").value_or(""));
  const std::uint64_t trained = header.integer(architecture + ".context_length").value_or(kUnstatedContext);
  const auto asked = static_cast<std::uint64_t>(arguments.context_length);
  const std::uint64_t context = asked == 0 ? trained : std::min(asked, trained);
  if (context * static_cast<std::uint64_t>(arguments.slots) > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
    return fail(Code::invalid_argument, fmt::format("{} slots of {} tokens are more than llama.cpp can count: ask for a shorter context",
                                                    arguments.slots, context));

  LoadPlan plan;
  plan.context_length = static_cast<std::int32_t>(context);
  plan.slots = static_cast<std::int32_t>(arguments.slots);
  plan.threads = static_cast<std::int32_t>(arguments.threads);
  if (plan.threads == 0) plan.threads = static_cast<std::int32_t>(std::max(1U, std::min(hardware.physical_cores, hardware.usable_cores)));
  plan.gpu_layers = static_cast<std::int32_t>(arguments.gpu_layers);
  plan.prompt_cache = prompt_cache_limit(hardware);
  if (arguments.mode == Mode::embed) {
    plan.micro_batch = plan.context_length;  // all tokens of a text must be in one pass
    plan.batch = plan.micro_batch;
    plan.pooling = states_pooling(header, architecture) ? Pooling::by_model : Pooling::mean;
  }
  if (!arguments.chat_template.empty()) {
    PUNA_TRY(plan.chat_template, os::read_file(arguments.chat_template, kLargestTemplate));
  }
  return plan;
}

common_params engine_parameters(const ServeArguments& arguments, const LoadPlan& plan, bool has_gpu) {
  common_params out;
  out.model.path = arguments.model.string();
  out.model_alias = {arguments.name};
  out.n_parallel = plan.slots;
  // Without a unified cache every slot has a part of its own: a long conversation never takes another one's room.
  out.kv_unified = false;
  out.n_ctx = plan.context_length * plan.slots;
  out.kv_unified_per_slot = plan.context_length;  // exact, where llama.cpp rounds up to 256
  out.ctx_shift = false;                          // a prompt that does not fit is refused, never cut
  out.n_batch = plan.batch;
  out.n_ubatch = plan.micro_batch;
  out.cpuparams.n_threads = plan.threads;
  out.cpuparams_batch.n_threads = plan.threads;
  out.n_threads_http = kHttpThreads;
  out.n_gpu_layers = plan.gpu_layers;
  // The fit step shrinks a load until it fits the GPU's memory. It believes that main memory has no end, so without a GPU it only costs
  // time; the daemon has looked at main memory.
  out.fit_params = has_gpu && plan.gpu_layers < 0;
  if (out.fit_params) out.tensor_buft_overrides.resize(llama_max_tensor_buft_overrides(), {nullptr, nullptr});
  out.cache_ram_mib = static_cast<std::int32_t>(plan.prompt_cache.count >> 20U);
  out.chat_template = plan.chat_template;
  if (arguments.mode == Mode::generate) out.mmproj.path = arguments.projector.string();
  for (const auto& adapter : arguments.adapters) out.lora_adapters.push_back({adapter.string(), 1.0F, "", "", nullptr});
  if (arguments.mode == Mode::embed) {
    out.embedding = true;
    if (plan.pooling == Pooling::mean) out.pooling_type = LLAMA_POOLING_TYPE_MEAN;
  }

  out.hostnames = {arguments.socket.string()};
  out.sse_ping_interval = -1;  // silence is silence; the daemon pings its own clients
  out.cors_origins = "";
  out.cors_credentials = false;
  out.endpoint_slots = true;
  out.endpoint_metrics = true;
  out.endpoint_props = false;
  out.ui = false;
  out.offline = true;
  out.verbosity = 2;
  return out;
}

}  // namespace puna::worker
