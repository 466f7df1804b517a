#include "worker/load_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "common.h"
#include "llama.h"
#include "os/file.h"
#include "speculative.h"

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

ggml_type type_of(wire::CacheType type) {
  switch (type) {
    case wire::CacheType::f32:
      return GGML_TYPE_F32;
    case wire::CacheType::bf16:
      return GGML_TYPE_BF16;
    case wire::CacheType::f16:
      return GGML_TYPE_F16;
    case wire::CacheType::q8_0:
      return GGML_TYPE_Q8_0;
    case wire::CacheType::q5_1:
      return GGML_TYPE_Q5_1;
    case wire::CacheType::q5_0:
      return GGML_TYPE_Q5_0;
    case wire::CacheType::q4_1:
      return GGML_TYPE_Q4_1;
    case wire::CacheType::q4_0:
      return GGML_TYPE_Q4_0;
    case wire::CacheType::iq4_nl:
      return GGML_TYPE_IQ4_NL;
  }
  return GGML_TYPE_F16;
}

// Absent bounds stay as llama.cpp has them for the method.
void set_ngram_method(common_params_speculative& out, const SpeculationArguments& arguments) {
  const auto bound = [&](common_params_speculative_ngram_map& map) {
    if (arguments.ngram_size) map.size_n = static_cast<std::uint16_t>(*arguments.ngram_size);
    if (arguments.draft_max) map.size_m = static_cast<std::uint16_t>(std::max<std::int64_t>(1, *arguments.draft_max));
  };
  switch (*arguments.ngram) {
    case wire::NgramMethod::simple:
      out.types.push_back(COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE);
      return bound(out.ngram_simple);
    case wire::NgramMethod::map_k:
      out.types.push_back(COMMON_SPECULATIVE_TYPE_NGRAM_MAP_K);
      return bound(out.ngram_map_k);
    case wire::NgramMethod::map_k4v:
      out.types.push_back(COMMON_SPECULATIVE_TYPE_NGRAM_MAP_K4V);
      return bound(out.ngram_map_k4v);
    case wire::NgramMethod::mod:
      out.types.push_back(COMMON_SPECULATIVE_TYPE_NGRAM_MOD);
      if (arguments.ngram_size) out.ngram_mod.n_match = static_cast<std::int32_t>(*arguments.ngram_size);
      if (arguments.draft_max) out.ngram_mod.n_max = static_cast<std::int32_t>(*arguments.draft_max);
      if (arguments.draft_min) out.ngram_mod.n_min = static_cast<std::int32_t>(*arguments.draft_min);
      out.ngram_mod.n_min = std::min(out.ngram_mod.n_min, out.ngram_mod.n_max);
      return;
  }
}

void set_speculation(common_params& out, const SpeculationArguments& arguments, const LoadPlan& plan) {
  if (arguments.draft.empty() && !arguments.ngram) return;
  auto& speculative = out.speculative;
  speculative.types.clear();
  if (arguments.ngram) set_ngram_method(speculative, arguments);
  if (arguments.draft.empty()) return;
  // A head that was trained for its model says so in its file; anything else is a model that drafts.
  auto types = common_speculative_types_from_gguf(arguments.draft.string());
  if (types.empty()) types = {COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE};
  speculative.types.insert(speculative.types.end(), types.begin(), types.end());
  auto& draft = speculative.draft;
  draft.mparams.path = arguments.draft.string();
  draft.n_gpu_layers = plan.gpu_layers;
  draft.cpuparams.n_threads = plan.threads;
  draft.cpuparams_batch.n_threads = plan.threads;
  if (arguments.draft_max) draft.n_max = static_cast<std::int32_t>(*arguments.draft_max);
  if (arguments.draft_min) draft.n_min = static_cast<std::int32_t>(*arguments.draft_min);
  draft.n_min = std::min(draft.n_min, draft.n_max);
  if (arguments.draft_probability) draft.p_min = static_cast<float>(*arguments.draft_probability);
}

void set_engine(common_params& out, const ServeArguments& arguments, const LoadPlan& plan) {
  if (arguments.cache_type_k) out.cache_type_k = type_of(*arguments.cache_type_k);
  if (arguments.cache_type_v) out.cache_type_v = type_of(*arguments.cache_type_v);
  if (arguments.flash_attention)
    out.flash_attn_type = *arguments.flash_attention == wire::Switch::on ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  if (arguments.mode == Mode::generate) set_speculation(out, arguments.speculation, plan);
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
  if (arguments.batch) plan.batch = static_cast<std::int32_t>(*arguments.batch);
  if (arguments.micro_batch) plan.micro_batch = static_cast<std::int32_t>(*arguments.micro_batch);
  plan.micro_batch = std::min(plan.micro_batch, plan.batch);
  plan.prompt_cache = prompt_cache_limit(hardware);
  if (arguments.mode != Mode::generate) {
    plan.micro_batch = plan.context_length;  // all tokens of a text must be in one pass
    plan.batch = plan.micro_batch;
    plan.pooling = states_pooling(header, architecture) ? Pooling::by_model : Pooling::mean;
    if (arguments.mode == Mode::rank) plan.pooling = Pooling::rank;
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
  // This cache finds states by their tokens alone: one that an adapter computed would serve a request without it.
  out.cache_ram_mib = arguments.adapters.empty() ? static_cast<std::int32_t>(plan.prompt_cache.count >> 20U) : 0;
  out.chat_template = plan.chat_template;
  if (arguments.mode == Mode::generate) out.mmproj.path = arguments.projector.string();
  for (const auto& adapter : arguments.adapters)
    out.lora_adapters.push_back({adapter.file.string(), static_cast<float>(adapter.scale), "", "", nullptr});
  set_engine(out, arguments, plan);
  if (arguments.mode != Mode::generate) {
    out.embedding = true;
    if (plan.pooling == Pooling::mean) out.pooling_type = LLAMA_POOLING_TYPE_MEAN;
    if (plan.pooling == Pooling::rank) out.pooling_type = LLAMA_POOLING_TYPE_RANK;
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
