#include "inference/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "inference/engine.h"
#include "llama.h"

namespace puna::inference {
namespace {

constexpr std::size_t kBatch = 512;  // tokens of prompts computed in one go
constexpr std::size_t kBlock = 256;  // llama.cpp's caches come in such blocks of tokens

struct FreeModel {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};
struct FreeAdapter {
  void operator()(llama_adapter_lora* adapter) const { llama_adapter_lora_free(adapter); }
};

// A batch of llama.cpp's with places for `kBatch` tokens.
class Batch {
 public:
  Batch() : batch_(llama_batch_init(kBatch, 0, 1)) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { llama_batch_free(batch_); }

  enum class Output : bool { none, logits };
  void add(Token token, std::size_t position, std::size_t sequence, Output output) {
    const auto at = static_cast<std::size_t>(batch_.n_tokens++);
    batch_.token[at] = token;
    batch_.pos[at] = static_cast<llama_pos>(position);
    batch_.n_seq_id[at] = 1;
    batch_.seq_id[at][0] = static_cast<llama_seq_id>(sequence);
    batch_.logits[at] = output == Output::logits ? 1 : 0;
  }
  void clear() { batch_.n_tokens = 0; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(batch_.n_tokens); }
  [[nodiscard]] const llama_batch& get() const { return batch_; }

 private:
  llama_batch batch_;
};

}  // namespace

struct Generator::Parts {
  GeneratorOptions options;
  std::unique_ptr<llama_model, FreeModel> model;
  std::unique_ptr<llama_context, FreeContext> context;
  std::unique_ptr<llama_adapter_lora, FreeAdapter> adapter;  // goes before the model
};

// Prompts are read one after another, answers grow side by side.
class Generator::Work {
 public:
  Work(Parts& parts, std::span<const std::vector<Token>> prompts, const std::stop_token& stop, const std::function<void(std::size_t)>& told)
      : parts_(parts), prompts_(prompts), stop_(stop), told_(told), out_(prompts.size()), slots_(parts.options.together) {
    llama_memory_clear(llama_get_memory(parts_.context.get()), true);
  }

  Result<std::vector<Generated>> run() && {
    while (done_ < prompts_.size()) {
      for (std::size_t slot = 0; slot < slots_.size(); ++slot)
        while (!slots_[slot] && next_ < prompts_.size()) PUNA_CHECK(begin(slot, next_++));
      PUNA_CHECK(grow());
    }
    return std::move(out_);
  }

 private:
  struct Slot {
    std::size_t prompt = 0;
    std::size_t position = 0;  // of the token that comes next
    Token last = 0;            // said, but not read yet
  };

  // The last token of the prompt stays for grow(), as if it had been said.
  Result<> begin(std::size_t slot, std::size_t index) {
    const auto& prompt = prompts_[index];
    if (prompt.empty() || prompt.size() >= parts_.options.context) return finish(slot);
    for (std::size_t i = 0; i + 1 < prompt.size(); ++i) {
      batch_.add(prompt[i], i, slot, Batch::Output::none);
      if (batch_.size() == kBatch) PUNA_CHECK(compute());
    }
    if (batch_.size() > 0) PUNA_CHECK(compute());
    slots_[slot] = Slot{.prompt = index, .position = prompt.size() - 1, .last = prompt.back()};
    return {};
  }

  // One token for every answer that is not finished.
  Result<> grow() {
    std::vector<std::size_t> growing;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      auto& at = slots_[slot];
      if (!at) continue;
      batch_.add(at->last, at->position++, slot, Batch::Output::logits);
      growing.push_back(slot);
    }
    if (growing.empty()) return {};
    PUNA_CHECK(compute());
    for (std::size_t i = 0; i < growing.size(); ++i)
      if (auto& at = slots_[growing[i]]) PUNA_CHECK(take(growing[i], *at, likeliest(static_cast<std::int32_t>(i))));
    return {};
  }

  Result<> take(std::size_t slot, Slot& at, Token token) {
    auto& answer = out_[at.prompt];
    if (llama_vocab_is_eog(vocabulary(), token)) {
      answer.ended = true;
      return finish(slot);
    }
    answer.tokens.push_back(token);
    at.last = token;
    const auto most = parts_.options.most_tokens;
    if (answer.tokens.size() == most || at.position >= parts_.options.context) return finish(slot);
    return {};
  }

  Result<> finish(std::size_t slot) {
    slots_[slot].reset();
    llama_memory_seq_rm(llama_get_memory(parts_.context.get()), static_cast<llama_seq_id>(slot), -1, -1);
    ++done_;
    if (told_) told_(done_);
    return {};
  }

  Result<> compute() {
    if (stop_.stop_requested()) return fail(Code::cancelled, "generation was stopped");
    const int failed = llama_decode(parts_.context.get(), batch_.get());
    batch_.clear();
    if (failed != 0) return fail(Code::internal, fmt::format("llama.cpp could not compute an answer (llama_decode: {})", failed));
    return {};
  }

  [[nodiscard]] Token likeliest(std::int32_t output) const {
    const float* logits = llama_get_logits_ith(parts_.context.get(), output);
    return static_cast<Token>(std::max_element(logits, logits + llama_vocab_n_tokens(vocabulary())) - logits);
  }
  [[nodiscard]] const llama_vocab* vocabulary() const { return llama_model_get_vocab(parts_.model.get()); }

  Parts& parts_;
  std::span<const std::vector<Token>> prompts_;
  const std::stop_token& stop_;
  const std::function<void(std::size_t)>& told_;
  std::vector<Generated> out_;
  std::vector<std::optional<Slot>> slots_;
  Batch batch_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
};

Generator::Generator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;
Generator::~Generator() = default;

Result<Generator> Generator::open(const std::filesystem::path& model, const GeneratorOptions& options) {
  PUNA_CHECK(start_engine());
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  auto model_parameters = llama_model_default_params();
  model_parameters.n_gpu_layers = 0;
  model_parameters.use_extra_bufts = false;  // they copy the weights, which are mapped already
  auto context_parameters = llama_context_default_params();
  context_parameters.n_ctx = static_cast<std::uint32_t>((options.context + kBlock - 1) / kBlock * kBlock * options.together);
  context_parameters.n_batch = kBatch;
  context_parameters.n_seq_max = static_cast<std::uint32_t>(options.together);
  context_parameters.n_outputs_max = context_parameters.n_seq_max;  // logits of a whole batch would take more than the weights
  context_parameters.n_threads = static_cast<std::int32_t>(options.threads);
  context_parameters.n_threads_batch = context_parameters.n_threads;
  context_parameters.offload_kqv = false;
  context_parameters.op_offload = false;
  const auto complaint = complaints_of([&] {
    parts->model.reset(llama_model_load_from_file(model.c_str(), model_parameters));
    if (parts->model) parts->context.reset(llama_init_from_model(parts->model.get(), context_parameters));
  });
  if (!parts->model) return fail(Code::unsupported, fmt::format("llama.cpp cannot load {}: {}", model.string(), complaint));
  if (!parts->context)
    return fail(Code::out_of_memory, fmt::format("no room for {} answers of {} tokens: {}", options.together, options.context, complaint));
  return Generator(std::move(parts));
}

Result<> Generator::use_adapter(const std::filesystem::path& adapter) {
  llama_set_adapters_lora(parts_->context.get(), nullptr, 0, nullptr);
  parts_->adapter.reset();
  if (adapter.empty()) return {};
  const auto complaint = complaints_of([&] { parts_->adapter.reset(llama_adapter_lora_init(parts_->model.get(), adapter.c_str())); });
  if (!parts_->adapter) return fail(Code::unsupported, fmt::format("llama.cpp cannot load {}: {}", adapter.string(), complaint));
  std::array adapters = {parts_->adapter.get()};
  std::array scales = {1.0F};
  if (llama_set_adapters_lora(parts_->context.get(), adapters.data(), adapters.size(), scales.data()) != 0)
    return fail(Code::unsupported, fmt::format("llama.cpp cannot use {}", adapter.string()));
  return {};
}

Result<std::vector<Generated>> Generator::answer(std::span<const std::vector<Token>> prompts, const std::stop_token& stop,
                                                 const std::function<void(std::size_t)>& told) {
  return Work(*parts_, prompts, stop, told).run();
}

}  // namespace puna::inference
