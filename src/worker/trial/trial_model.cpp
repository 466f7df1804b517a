#include "worker/trial/trial_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "llama.h"
#include "os/hardware.h"
#include "worker/engine_log.h"

namespace puna::worker {
namespace {

constexpr std::uint32_t kContext = 256;

struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};
using ContextPointer = std::unique_ptr<llama_context, FreeContext>;

Error load_error(const EngineLog& log) {
  const auto failure = explain_load_failure(log.errors());
  const bool memory = failure.fault == wire::WorkerFault::out_of_memory;
  return {memory ? Code::out_of_memory : Code::corrupt_data, "llama.cpp does not load it: " + failure.message};
}

std::string metadata(const llama_model* model, const std::string& key) {
  std::array<char, 64> text{};
  const auto length = llama_model_meta_val_str(model, key.c_str(), text.data(), text.size());
  return length < 0 ? std::string() : std::string(text.data());
}

// As a worker that embeds has it: the model's own, else the mean.
enum llama_pooling_type pooling_of(const llama_model* model) {
  const auto key = fmt::format("{}.pooling_type", metadata(model, "general.architecture"));
  return metadata(model, key).empty() ? LLAMA_POOLING_TYPE_MEAN : LLAMA_POOLING_TYPE_UNSPECIFIED;
}

// Logits of a model that writes; the vector, or the score, of one that embeds (for all tokens, or for each where it does not pool).
std::span<const float> output_of(llama_context* context, const llama_model* model, TrialTask task) {
  if (task == TrialTask::write)
    return {llama_get_logits_ith(context, -1), static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model)))};
  const bool scores = llama_pooling_type(context) == LLAMA_POOLING_TYPE_RANK;
  const auto length = static_cast<std::size_t>(scores ? llama_model_n_cls_out(model) : llama_model_n_embd_out(model));
  const float* pooled = llama_get_embeddings_seq(context, 0);
  return {pooled != nullptr ? pooled : llama_get_embeddings_ith(context, 0), length};
}

}  // namespace

void FreeTrialModel::operator()(llama_model* model) const {
  llama_model_free(model);
}

Result<TrialModel> load_for_trial(const std::filesystem::path& file, TrialWeights weights, const EngineLog& log) {
  auto parameters = llama_model_default_params();
  parameters.n_gpu_layers = 0;
  parameters.use_extra_bufts = false;  // repacked weights would be a second copy in memory
  parameters.vocab_only = weights == TrialWeights::none;
  parameters.check_tensors = weights == TrialWeights::verified;
  TrialModel model(llama_model_load_from_file(file.c_str(), parameters));
  if (!model) return fail(load_error(log));
  return model;
}

TrialTask usual_task(const llama_model* model) {
  return llama_model_has_encoder(model) || !llama_model_has_decoder(model) ? TrialTask::embed : TrialTask::write;
}

Result<> compute_once(llama_model* model, TrialTask task, const EngineLog& log) {
  auto parameters = llama_context_default_params();
  parameters.n_ctx = kContext;
  parameters.n_batch = kContext;
  parameters.n_threads = parameters.n_threads_batch = static_cast<std::int32_t>(std::max(1U, os::probe_hardware().physical_cores));
  parameters.embeddings = task == TrialTask::embed;
  if (task == TrialTask::embed) parameters.pooling_type = pooling_of(model);
  const ContextPointer context(llama_init_from_model(model, parameters));
  if (!context) return fail(load_error(log));
  const llama_token first = llama_vocab_bos(llama_model_get_vocab(model));
  std::array<llama_token, 1> tokens = {std::max<llama_token>(first, 0)};
  const auto batch = llama_batch_get_one(tokens.data(), static_cast<std::int32_t>(tokens.size()));
  const bool encodes = usual_task(model) == TrialTask::embed;
  const int outcome = encodes ? llama_encode(context.get(), batch) : llama_decode(context.get(), batch);
  if (outcome != 0) return fail(Code::corrupt_data, "it loads, but cannot compute a token");
  const auto numbers = output_of(context.get(), model, task);
  if (numbers.data() == nullptr || !std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); }))
    return fail(Code::corrupt_data, "it loads, but what it computes are no numbers");
  return {};
}

}  // namespace puna::worker
