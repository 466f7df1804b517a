#include "adapter/work.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "adapter/combine.h"
#include "adapter/measured_merge.h"
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

// Tells of progress a few times a second, and of each phase at once.
class Teller {
 public:
  void operator()(std::string_view phase, Bytes done, Bytes total) {
    const auto now = std::chrono::steady_clock::now();
    if (phase == phase_ && now - told_ < std::chrono::milliseconds(200) && done != total) return;
    phase_ = phase;
    told_ = now;
    wire::AdapterLine line{.phase = phase_};
    if (total.count > 0) {
      line.done = static_cast<std::int64_t>(done.count);
      line.total = static_cast<std::int64_t>(total.count);
    }
    tell(line);
  }

 private:
  std::string phase_;
  std::chrono::steady_clock::time_point told_;
};

std::vector<fs::path> paths_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
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
    PUNA_TRY(const auto vocabulary, inference::Vocabulary::open(base_.front()));
    auto text = vocabulary.prompt(kText);
    text.resize(std::min(text.size(), kMostCompared));
    const MergeCall call{.base = base_, .model = model_, .adapter = adapter, .name = order_.name, .team = team_};
    Teller teller;
    PUNA_TRY(auto result, merge_measured(call, order_.type, order_.output, text,
                                         [&](std::string_view phase, Bytes done, Bytes total) { teller(phase, done, total); }));
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
