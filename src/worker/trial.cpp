#include "worker/trial.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <span>

#include "gguf/check.h"
#include "inference/kernels.h"
#include "llama.h"
#include "os/descriptor.h"
#include "os/hardware.h"
#include "wire/quantize.h"
#include "worker/child.h"
#include "worker/engine_log.h"

namespace puna::worker {
namespace {

constexpr std::uint32_t kContext = 256;

struct FreeModel {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};
using ModelPointer = std::unique_ptr<llama_model, FreeModel>;
using ContextPointer = std::unique_ptr<llama_context, FreeContext>;

Error load_error(const EngineLog& log) {
  const auto failure = explain_load_failure(log.errors());
  const bool memory = failure.fault == wire::WorkerFault::out_of_memory;
  return {memory ? Code::out_of_memory : Code::corrupt_data, "llama.cpp does not load it: " + failure.message};
}

Result<ModelPointer> load(const std::filesystem::path& file, const EngineLog& log) {
  auto parameters = llama_model_default_params();
  parameters.n_gpu_layers = 0;
  parameters.use_extra_bufts = false;  // repacked weights would be a second copy in memory
  parameters.check_tensors = true;
  ModelPointer model(llama_model_load_from_file(file.c_str(), parameters));
  if (!model) return fail(load_error(log));
  return model;
}

// Logits of a model that writes, the vector of one that embeds (for all tokens, or for each where it does not pool).
std::span<const float> output_of(llama_context* context, const llama_model* model, bool encodes) {
  if (!encodes) return {llama_get_logits_ith(context, -1), static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model)))};
  const float* pooled = llama_get_embeddings_seq(context, 0);
  return {pooled != nullptr ? pooled : llama_get_embeddings_ith(context, 0), static_cast<std::size_t>(llama_model_n_embd_out(model))};
}

Result<> compute(llama_model* model, const EngineLog& log) {
  auto parameters = llama_context_default_params();
  parameters.n_ctx = kContext;
  parameters.n_batch = kContext;
  parameters.n_threads = parameters.n_threads_batch = static_cast<std::int32_t>(std::max(1U, os::probe_hardware().physical_cores));
  const bool encodes = llama_model_has_encoder(model) || !llama_model_has_decoder(model);
  parameters.embeddings = encodes;
  const ContextPointer context(llama_init_from_model(model, parameters));
  if (!context) return fail(load_error(log));
  const llama_token first = llama_vocab_bos(llama_model_get_vocab(model));
  std::array<llama_token, 1> tokens = {std::max<llama_token>(first, 0)};
  const auto batch = llama_batch_get_one(tokens.data(), static_cast<std::int32_t>(tokens.size()));
  const int outcome = encodes ? llama_encode(context.get(), batch) : llama_decode(context.get(), batch);
  if (outcome != 0) return fail(Code::corrupt_data, "it loads, but cannot compute a token");
  const auto numbers = output_of(context.get(), model, encodes);
  if (numbers.data() == nullptr || !std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); }))
    return fail(Code::corrupt_data, "it loads, but what it computes are no numbers");
  return {};
}

Result<> try_out(const std::filesystem::path& file) {
  PUNA_CHECK(gguf::check(file));
  static EngineLog log;
  log.install();
  try {
    PUNA_TRY(const auto kernels, inference::load_kernels());
    llama_backend_init();
    PUNA_TRY(const auto model, load(file, log));
    return compute(model.get(), log);
  } catch (const std::bad_alloc&) {
    return fail(Code::out_of_memory, "memory does not suffice to load it");
  }
}

}  // namespace

int run_trial(const std::filesystem::path& file) {
  behave_as_child(STDOUT_FILENO);
  const auto outcome = try_out(file);
  const wire::QuantizeLine line =
      outcome ? wire::QuantizeLine{.finished = true} : wire::QuantizeLine{.error = wire::to_wire(outcome.error()).error};
  if (!os::write_all(STDOUT_FILENO, json::to_text(json::encode(line)) + "\n")) return 1;
  return outcome ? 0 : 1;
}

}  // namespace puna::worker
