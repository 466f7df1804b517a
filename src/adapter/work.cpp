#include "adapter/work.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "adapter/combine.h"
#include "adapter/divergence.h"
#include "adapter/merge.h"
#include "adapter/peft.h"
#include "base/json.h"
#include "inference/vocabulary.h"
#include "os/descriptor.h"
#include "os/file.h"
#include "os/hardware.h"
#include "tune/adapter_file.h"

namespace puna::adapter {
namespace {

namespace fs = std::filesystem;

constexpr int kLowPriority = 10;
constexpr std::size_t kMostCompared = 128;  // tokens
constexpr Bytes kLargestOrder = mib(1);

// What both forms of a merged model read: prose, a list, code and another language, so that more than one corner of a model speaks.
constexpr std::string_view kText =
    "Llamas carry loads over high passes. A grown animal takes about a quarter of its weight; when that is too much, it lies down and "
    "waits.\n\n1. Look at its feet.\n2. Give it water, then hay.\n3. Rest before noon.\n\ndef load(weight):\n    return 0.25 * "
    "weight\n\nEl camino es largo y el aire es frío; nadie tiene prisa. Question: how much can a llama of 150 kg carry? Answer: about "
    "37 kg, or less on steep ground.";

void tell(const wire::AdapterLine& line) {
  // Without a reader there is no daemon, and the parent's death ends this process.
  if (!os::write_all(STDOUT_FILENO, json::to_text(json::encode(line)) + "\n")) ::_exit(1);
}

// Tells of progress a few times a second.
class Teller {
 public:
  explicit Teller(std::string phase) : phase_(std::move(phase)) {}
  void operator()(Bytes done, Bytes total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < std::chrono::milliseconds(200) && done != total) return;
    told_ = now;
    tell({.phase = phase_, .done = static_cast<std::int64_t>(done.count), .total = static_cast<std::int64_t>(total.count)});
  }

 private:
  const std::string phase_;
  std::chrono::steady_clock::time_point told_;
};

std::vector<fs::path> paths_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::optional<gguf::TensorType> tensor_type(wire::MergeType type) {
  switch (type) {
    case wire::MergeType::same:
      return std::nullopt;
    case wire::MergeType::f32:
      return gguf::TensorType::f32;
    case wire::MergeType::f16:
      return gguf::TensorType::f16;
    case wire::MergeType::bf16:
      return gguf::TensorType::bf16;
    case wire::MergeType::q8_0:
      return gguf::TensorType::q8_0;
  }
  return std::nullopt;
}

class Work {
 public:
  Work(const wire::AdapterOrder& order, const tune::Model& model, tune::Team& team)
      : order_(order), base_(paths_of(order.base)), model_(model), team_(team) {}

  Result<> merge_all() {
    std::vector<tune::Adapter> adapters;
    for (const auto& file : order_.adapters) {
      PUNA_TRY(auto adapter, tune::read_adapter(file, model_));
      adapters.push_back(std::move(adapter));
    }
    const auto adapter = combine(model_, adapters);
    const MergeCall call{
        .base = base_, .model = model_, .adapter = adapter, .type = tensor_type(order_.type), .name = order_.name, .team = team_};
    Teller teller("merging");
    PUNA_TRY(const auto outcome, merge(call, order_.output, [&](Bytes done, Bytes total) { teller(done, total); }));
    wire::MergeResult result{.tensors = static_cast<std::int64_t>(outcome.tensors), .rounding = outcome.rounding};
    PUNA_CHECK(compare(adapter, result));
    tell({.merged = std::move(result)});
    return {};
  }

  Result<> to_peft() {
    PUNA_TRY(const auto adapter, tune::read_adapter(order_.adapters.front(), model_));
    return write_peft(order_.output, model_, adapter, order_.base_model);
  }
  Result<> from_peft() {
    PUNA_TRY(const auto adapter, read_peft(order_.adapters.front(), model_));
    return tune::write_adapter(order_.output, model_, adapter);
  }

 private:
  Result<> compare(const tune::Adapter& adapter, wire::MergeResult& result) {
    tell({.phase = "comparing"});
    PUNA_TRY(const auto vocabulary, inference::Vocabulary::open(order_.output));
    auto tokens = vocabulary.prompt(kText);
    tokens.resize(std::min(tokens.size(), kMostCompared));
    PUNA_TRY(const auto merged, tune::Model::open(std::vector<fs::path>{order_.output}));
    PUNA_TRY(const auto found, measure_divergence(team_, {model_, &adapter}, {merged}, tokens));
    result.tokens = static_cast<std::int64_t>(found.tokens);
    result.divergence = found.kl;
    result.same_choice = found.same_choice;
    return {};
  }

  const wire::AdapterOrder& order_;
  const std::vector<fs::path> base_;
  const tune::Model& model_;
  tune::Team& team_;
};

Result<> work(std::span<const std::string_view> words) {
  if (words.size() != 1) return fail(Code::invalid_argument, "usage: puna adapter ORDER.json");
  PUNA_TRY(const auto text, os::read_file(std::string(words.front()), kLargestOrder));
  PUNA_TRY(const auto order, json::decode_text<wire::AdapterOrder>(text));
  if (order.adapters.empty()) return fail(Code::invalid_argument, "the order names no adapter");
  PUNA_TRY(const auto model, tune::Model::open(paths_of(order.base)));
  tune::Team team(order.threads > 0 ? static_cast<std::size_t>(order.threads) : os::probe_hardware().usable_cores);
  Work all(order, model, team);
  switch (order.act) {
    case wire::AdapterAct::merge:
      return all.merge_all();
    case wire::AdapterAct::to_peft:
      return all.to_peft();
    case wire::AdapterAct::from_peft:
      return all.from_peft();
  }
  return {};
}

}  // namespace

int run(std::span<const std::string_view> words) {
  // ignored: it works at the usual priority, too
  (void)::setpriority(PRIO_PROCESS, 0, kLowPriority);
  const auto done = work(words);
  tell(done ? wire::AdapterLine{.finished = true} : wire::AdapterLine{.error = wire::to_wire(done.error()).error});
  return done ? 0 : 1;
}

}  // namespace puna::adapter
