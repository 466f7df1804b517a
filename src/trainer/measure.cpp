#include "trainer/measure.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "os/disk.h"
#include "os/file.h"
#include "os/hardware.h"
#include "os/usage.h"

namespace puna::trainer {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kBase = "base model, mapped from its file";
constexpr std::int64_t kDiskMargin = 64 << 20;  // metrics, log, report

std::int64_t as_signed(Bytes bytes) {
  return static_cast<std::int64_t>(bytes.count);
}

std::int64_t parameters_of(const tune::Model& model, const tune::TrainerOptions& options) {
  const auto adapter = tune::Adapter::create(model, options.lora);
  return adapter ? static_cast<std::int64_t>(adapter->parameters().size()) : 0;
}

// What one change of the settings would leave of the engine's memory.
struct Change {
  std::string text;
  tune::TrainerOptions options;
};

std::vector<Change> changes(const Plan& plan) {
  std::vector<Change> out;
  const auto add = [&](std::string text, auto&& edit) {
    Change change{std::move(text), plan.options};
    edit(change.options);
    out.push_back(std::move(change));
  };
  if (plan.options.pass.recompute == tune::Recompute::nothing)
    add("set recompute to each_layer", [](tune::TrainerOptions& o) { o.pass.recompute = tune::Recompute::each_layer; });
  if (plan.options.pass.most_tokens > plan.options.pass.longest)
    add(fmt::format("set micro_batch_tokens to {}", plan.options.pass.longest),
        [](tune::TrainerOptions& o) { o.pass.most_tokens = o.pass.longest; });
  for (const std::size_t context : {2048UZ, 1024UZ, 512UZ, 256UZ}) {
    if (context >= plan.options.pass.longest) continue;
    add(fmt::format("set context to {} (longer rows lose their end)", context), [&](tune::TrainerOptions& o) {
      o.pass.longest = context;
      o.pass.most_tokens = context;
    });
  }
  if (plan.options.optimizer.kind == tune::OptimizerKind::adamw)
    add("set optimizer to adamw_8bit", [](tune::TrainerOptions& o) { o.optimizer.kind = tune::OptimizerKind::adamw_8bit; });
  if (plan.options.lora.rank > 8) add("set rank to 8", [](tune::TrainerOptions& o) { o.lora.rank = 8; });
  return out;
}

std::vector<std::string> advice_for(const wire::TuneEstimate& estimate, const Materials& materials, const Plan& plan, std::int64_t engine) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const auto& change : changes(plan)) {
    const auto memory = tune::Trainer::memory(materials.model(), plan.threads, change.options);
    if (!memory || as_signed(*memory) >= engine) continue;
    const auto saved = engine - as_signed(*memory);
    const bool enough = estimate.memory_total - saved <= estimate.memory_free;
    found.emplace_back(saved, fmt::format("{}: saves {}{}", change.text, format_bytes(Bytes(static_cast<std::uint64_t>(saved))),
                                          enough ? ", which is enough" : ""));
  }
  std::ranges::sort(found, std::greater());
  std::vector<std::string> out;
  for (auto& [saved, text] : found) out.push_back(std::move(text));
  out.emplace_back("take a smaller or more strongly quantized base, unload models, or end other programs");
  return out;
}

std::int64_t disk_for(const Plan& plan, std::int64_t parameters) {
  const auto optimizer = as_signed(tune::Optimizer::memory(plan.options.optimizer, static_cast<std::size_t>(parameters)));
  const std::int64_t checkpoint = 4 * parameters + optimizer;
  const std::int64_t adapters = 3 * 4 * parameters;  // the best, the result, its copy in the library
  return (*plan.settings.keep_checkpoints + 1) * checkpoint + adapters + kDiskMargin;
}

// Units as one micro-batch that is as full as any can be, with the longest rows.
Result<tune::MicroBatch> fullest(Units& units, const Plan& plan, wire::TuneMethod method) {
  std::vector<std::uint32_t> order(units.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto lengths = units.lengths();
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) { return std::pair(lengths[b], a) < std::pair(lengths[a], b); });
  std::vector<std::vector<tune::TokenRow>> taken;
  const std::size_t capacity = plan.options.pass.most_tokens;
  std::size_t tokens = 0;
  for (const auto unit : order) {
    if (tokens + lengths[unit] > capacity) continue;
    tokens += lengths[unit];
    PUNA_TRY(auto rows, units.at(unit));
    taken.push_back(std::move(rows));
    if (plan.packing == Packing::alone || tokens + lengths[order.back()] > capacity) break;
  }
  auto batches = micro_batches(std::move(taken), method, capacity, plan.packing);
  return std::move(*std::ranges::max_element(batches, {}, [](const tune::MicroBatch& batch) { return batch.tokens.size(); }));
}

// From up to a thousand units, evenly spread.
Result<std::int64_t> trained_tokens_of(Units& units, std::int64_t tokens) {
  constexpr std::size_t kLookedAt = 1000;
  const std::size_t stride = std::max<std::size_t>(1, units.size() / kLookedAt);
  std::int64_t seen = 0;
  std::int64_t trained = 0;
  for (std::size_t unit = 0; unit < units.size(); unit += stride) {
    PUNA_TRY(const auto rows, units.at(static_cast<std::uint32_t>(unit)));
    for (const auto& row : rows) {
      seen += static_cast<std::int64_t>(row.tokens.size());
      trained += std::count_if(row.weights.begin() + 1, row.weights.end(), [](float weight) { return weight > 0; });
    }
  }
  if (seen == 0) return 0;
  return static_cast<std::int64_t>(static_cast<double>(tokens) * static_cast<double>(trained) / static_cast<double>(seen) + 0.5);
}

std::optional<wire::TuneDevice> device_of(const Materials& materials, const Plan& plan) {
  const auto& device = plan.options.pass.device;
  if (!device) return std::nullopt;
  const auto placement = tune::Pass::placement(materials.model(), plan.options.pass);
  wire::TuneDevice out{.name = device->name,
                       .description = device->description,
                       .memory = as_signed(placement.memory()),
                       .memory_free = as_signed(device->memory_free),
                       .work = {}};
  for (auto& line : tune::work_of(placement))
    out.work.push_back({std::move(line.operation), std::move(line.place), std::move(line.tensors), std::move(line.reason)});
  return out;
}

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

}  // namespace

std::int64_t peak_memory() {
  const auto status = os::read_file("/proc/self/status", mib(1)).value_or("");
  const auto at = status.find("VmHWM:");
  if (at == std::string::npos) return 0;
  const auto digits = trim(std::string_view(status).substr(at + 6, status.find("kB", at) - at - 6));
  std::int64_t kibibytes = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), kibibytes);
  return kibibytes << 10;
}

std::int64_t memory_now() {
  return as_signed(os::own_usage().resident);
}

Result<wire::TuneEstimate> estimate_of(const Materials& materials, Units& units, const Units& evaluation, const Plan& plan, Bytes beside) {
  const auto& statistics = materials.data().report().statistics;
  wire::TuneEstimate out{.model = materials.order().request.model, .settings = plan.settings};
  out.rows = statistics.train_rows;
  out.eval_rows = statistics.eval_rows;
  for (const auto length : units.lengths()) out.tokens += length;
  PUNA_TRY(out.trained_tokens, trained_tokens_of(units, out.tokens));
  out.longest_row = static_cast<std::int64_t>(std::max(units.longest(), evaluation.longest()));
  for (const auto& finding : materials.data().report().findings)
    if (finding.kind == "truncated") out.truncated_rows = finding.count;
  out.steps = plan.course.steps();
  out.trained_parameters = parameters_of(materials.model(), plan.options);

  std::int64_t base = 0;
  for (const auto& file : materials.order().base) base += file.size;
  PUNA_TRY(const auto engine, tune::Trainer::memory(materials.model(), plan.threads, plan.options));
  const auto optimizer = as_signed(tune::Optimizer::memory(plan.options.optimizer, static_cast<std::size_t>(out.trained_parameters)));
  const std::int64_t adapter = 2 * 4 * out.trained_parameters;
  out.memory = {{std::string(kBase), base},
                {"adapter and its gradients", adapter},
                {"optimizer", optimizer},
                {"activations and scratch", as_signed(engine) - adapter - optimizer},
                {"program, vocabulary and rows", as_signed(beside)}};
  for (const auto& part : out.memory) out.memory_total += part.bytes;
  out.memory_free = as_signed(os::probe_memory().available) + memory_now();
  out.device = device_of(materials, plan);
  out.disk = disk_for(plan, out.trained_parameters);
  PUNA_TRY(const auto disk, os::disk_space(materials.folder()));
  out.disk_free = as_signed(disk.available);
  out.fits = out.memory_total <= out.memory_free && out.disk <= out.disk_free;
  if (out.memory_total > out.memory_free) out.advice = advice_for(out, materials, plan, as_signed(engine));
  if (out.disk > out.disk_free)
    out.advice.push_back(fmt::format("make room on the disk: {} are needed at most, {} are free",
                                     format_bytes(Bytes(static_cast<std::uint64_t>(out.disk))), format_bytes(disk.available)));
  if (out.truncated_rows > 0)
    out.notes.push_back(fmt::format("{} longer than {} tokens and will lose {} end",
                                    out.truncated_rows == 1 ? "1 row is" : fmt::format("{} rows are", out.truncated_rows),
                                    *plan.settings.context, out.truncated_rows == 1 ? "its" : "their"));
  return out;
}

Result<> try_out(wire::TuneEstimate& estimate, const Materials& materials, Units& units, const Plan& plan, const std::stop_token& stop) {
  tune::Team team(plan.threads);
  PUNA_TRY(auto trainer, tune::Trainer::create(materials.model(), team, plan.options));
  PUNA_TRY(const auto batch, fullest(units, plan, materials.method()));
  const std::span one(&batch, 1);
  // The first one reads the base from the disk.
  PUNA_CHECK(trainer.step(one, stop));
  auto began = steady_clock::now();
  PUNA_TRY(const auto step, trainer.step(one, stop));
  const double training = seconds_since(began) / static_cast<double>(step.tokens);
  began = steady_clock::now();
  PUNA_CHECK(trainer.score(one, tune::Trainer::With::adapter, stop));
  const double scoring = seconds_since(began) / static_cast<double>(step.tokens);
  const double all = training * static_cast<double>(plan.course.tokens_after(0));
  double evaluations = 0;
  if (plan.eval_every > 0) {
    const auto rows =
        std::min<std::int64_t>(estimate.eval_rows, *plan.settings.eval_rows > 0 ? *plan.settings.eval_rows : estimate.eval_rows);
    const double tokens =
        static_cast<double>(rows) * static_cast<double>(estimate.tokens) / static_cast<double>(std::max<std::int64_t>(1, estimate.rows));
    evaluations = scoring * tokens * static_cast<double>(estimate.steps / plan.eval_every + 1);
  }
  estimate.measured = peak_memory();
  estimate.step_seconds = all / static_cast<double>(plan.course.steps());
  estimate.seconds = static_cast<std::int64_t>(all + evaluations + 0.5);
  return {};
}

Result<> require_memory(const wire::TuneEstimate& estimate) {
  std::int64_t needed = 0;
  for (const auto& part : estimate.memory)
    if (part.name != kBase) needed += part.bytes;
  if (needed <= estimate.memory_free) return {};
  const auto bytes = [](std::int64_t count) { return format_bytes(Bytes(static_cast<std::uint64_t>(count))); };
  return fail(Code::out_of_memory, fmt::format("the run needs {} beside the base, and {} are free: {}", bytes(needed),
                                               bytes(estimate.memory_free), join(estimate.advice, "; ")));
}

}  // namespace puna::trainer
