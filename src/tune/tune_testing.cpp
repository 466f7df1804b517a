#include "tune/tune_testing.h"

#include <gtest/gtest.h>
#include <llama.h>

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "tune/arithmetic/random.h"

namespace puna::tune {

TestModel::TestModel(const tiny_model::RandomModel& random) {
  tiny_model::write(file_, random).value();
  model_.emplace(Model::open(std::span(&file_, 1)).value());
}

std::optional<std::filesystem::path> real_model() {
  const char* folder = std::getenv("PUNA_TEST_MODELS");
  const auto file = std::filesystem::path(folder != nullptr ? folder : PUNA_TEST_MODELS) / "SmolLM2-135M-Instruct.Q4_1.gguf";
  return std::filesystem::exists(file) ? std::optional(file) : std::nullopt;
}

TokenRow random_row(std::size_t count, std::size_t vocabulary, std::uint64_t seed, std::size_t prompt) {
  TokenRow row;
  for (std::size_t i = 0; i < count; ++i) {
    row.tokens.push_back(static_cast<std::int32_t>(mix(seed * 1000003 + i) % vocabulary));
    row.weights.push_back(i < prompt ? 0.0F : 1.0F);
  }
  return row;
}

Adapter stirred_adapter(const Model& model, const LoraOptions& options, float size) {
  Adapter adapter = Adapter::create(model, options).value();
  for (const auto& pair : adapter.pairs())
    for (std::size_t i = 0; i < pair.b_size(); ++i)
      adapter.parameters().data()[pair.b + i] = size * (2 * uniform(derive(77, pair.b), i) - 1);
  return adapter;
}

Judge::Judge(const std::filesystem::path& model, const std::filesystem::path& adapter) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  auto model_parameters = llama_model_default_params();
  model_parameters.use_extra_bufts = false;  // weights as they are, not in the order of other kernels
  model_ = llama_model_load_from_file(model.c_str(), model_parameters);
  if (model_ == nullptr) throw std::runtime_error("llama.cpp does not load " + model.string());
  auto parameters = llama_context_default_params();
  parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 512;
  parameters.n_threads = parameters.n_threads_batch = 1;
  parameters.type_k = parameters.type_v = GGML_TYPE_F32;
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  context_ = llama_init_from_model(model_, parameters);
  if (adapter.empty()) return;
  adapter_ = llama_adapter_lora_init(model_, adapter.c_str());
  if (adapter_ == nullptr) throw std::runtime_error("llama.cpp does not load " + adapter.string());
  float scale = 1;
  llama_set_adapters_lora(context_, &adapter_, 1, &scale);
}

Judge::~Judge() {
  llama_free(context_);
  llama_model_free(model_);
}

std::vector<float> Judge::logits(std::span<const std::int32_t> tokens) {
  llama_batch batch = llama_batch_init(static_cast<std::int32_t>(tokens.size()), 0, 1);
  batch.n_tokens = static_cast<std::int32_t>(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    batch.token[i] = tokens[i];
    batch.pos[i] = static_cast<llama_pos>(i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  llama_memory_clear(llama_get_memory(context_), true);
  std::vector<float> out;
  if (llama_decode(context_, batch) == 0) {
    const auto vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model_)));
    const float* all = llama_get_logits(context_);
    out.assign(all, all + tokens.size() * vocabulary);
  }
  llama_batch_free(batch);
  return out;
}

std::vector<float> own_logits(const Model& model, std::span<const std::int32_t> tokens, const Adapter* adapter, std::size_t threads) {
  TokenRow row{{tokens.begin(), tokens.end()}, std::vector<float>(tokens.size(), 1)};
  const auto batch = lay_out(std::span(&row, 1));
  std::vector<std::uint32_t> places(tokens.size());
  std::iota(places.begin(), places.end(), 0U);
  Team team(threads);
  Pass pass(model, team, adapter, {.most_tokens = tokens.size(), .longest = tokens.size()});
  return pass.logits(batch, places, adapter).value();
}

double relative_distance(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size() || a.empty()) return HUGE_VAL;
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    size += double(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace puna::tune
