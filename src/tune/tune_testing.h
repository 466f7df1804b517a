// What the trainer's tests share: small models on disk, rows of tokens, and llama.cpp as the judge.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/random_model.h"
#include "os/temporary_folder.h"
#include "tune/adapter.h"
#include "tune/arithmetic/team.h"
#include "tune/batch.h"
#include "tune/model.h"
#include "tune/pass.h"

struct llama_model;
struct llama_context;
struct llama_adapter_lora;

namespace puna::tune {

// A model with random weights in a folder of its own, open.
class TestModel {
 public:
  explicit TestModel(const tiny_model::RandomModel& random = {});
  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path file_ = folder_.path() / "model.gguf";
  std::optional<Model> model_;
};

// SmolLM2-135M-Instruct in Q4_1, where `./dev setup` put it; absent elsewhere.
[[nodiscard]] std::optional<std::filesystem::path> real_model();

// `count` tokens by chance; the first `prompt` of them are not trained.
[[nodiscard]] TokenRow random_row(std::size_t count, std::size_t vocabulary, std::uint64_t seed, std::size_t prompt = 0);
// An adapter whose B is not zero, so that every gradient has something to say.
[[nodiscard]] Adapter stirred_adapter(const Model& model, const LoraOptions& options, float size = 0.05F);

// The same file in llama.cpp: 32-bit cache, no flash attention, one thread.
class Judge {
 public:
  explicit Judge(const std::filesystem::path& model, const std::filesystem::path& adapter = {});
  Judge(const Judge&) = delete;
  ~Judge();
  // [tokens, vocabulary]
  [[nodiscard]] std::vector<float> logits(std::span<const std::int32_t> tokens);

 private:
  llama_model* model_ = nullptr;
  llama_adapter_lora* adapter_ = nullptr;
  llama_context* context_ = nullptr;
};

// All logits [tokens, vocabulary] by our own arithmetic.
[[nodiscard]] std::vector<float> own_logits(const Model& model, std::span<const std::int32_t> tokens, const Adapter* adapter = nullptr,
                                            std::size_t threads = 2);
// |a - b| / |b|, by the square root of the sum of squares.
[[nodiscard]] double relative_distance(std::span<const float> a, std::span<const float> b);

}  // namespace puna::tune
