#include "adapter/measured_merge.h"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <vector>

#include "adapter/divergence.h"

namespace puna::adapter {
namespace {

namespace fs = std::filesystem;
using wire::MergeType;

// Below that share of tokens chosen alike, the merged model is not what was trained.
constexpr double kFewestAlike = 0.95;
// Above that share of the distance between base and base with adapter, little of the adapter is left.
constexpr double kMostLost = 0.5;

std::optional<gguf::TensorType> tensor_type(MergeType type) {
  switch (type) {
    case MergeType::same:
      return std::nullopt;
    case MergeType::f32:
      return gguf::TensorType::f32;
    case MergeType::f16:
      return gguf::TensorType::f16;
    case MergeType::bf16:
      return gguf::TensorType::bf16;
    case MergeType::q8_0:
      return gguf::TensorType::q8_0;
  }
  return std::nullopt;
}

bool loses_most(const wire::MergeResult& result) {
  return result.tokens > 0 && (result.same_choice < kFewestAlike || result.lost > kMostLost);
}

std::string loss_text(const wire::MergeResult& result) {
  return fmt::format("another token in {:.0f} % of {} places, {:.0f} % of the adapter's effect gone", 100 * (1 - result.same_choice),
                     result.tokens, 100 * std::min(result.lost, 1.0));
}

// What is next, when a type is too coarse.
std::string_view wider_than(MergeType type) {
  switch (type) {
    case MergeType::same:
      return "q8_0 or f16";
    case MergeType::q8_0:
    case MergeType::bf16:
      return "f16 or f32";
    case MergeType::f16:
    case MergeType::f32:
      return "f32";
  }
  return "f32";
}

std::optional<std::string> advice_for(const wire::MergeResult& result) {
  if (!loses_most(result)) return std::nullopt;
  const std::string stored = result.type == MergeType::same ? "the base's types are" : fmt::format("{} is", json::enum_name(result.type));
  return fmt::format("{} too coarse for this adapter: {}. Merge into {}, or serve base and adapter side by side", stored, loss_text(result),
                     wider_than(result.type));
}

class MeasuredMerge {
 public:
  MeasuredMerge(const MergeCall& call, const fs::path& output, std::span<const std::int32_t> text, const PhaseProgress& progress)
      : call_(call), output_(output), text_(text), progress_(progress) {}

  Result<wire::MergeResult> as(MergeType type, Narrowing narrowing, std::string_view phase = "merging") {
    MergeCall call = call_;
    call.type = tensor_type(type);
    call.narrowing = narrowing;
    PUNA_TRY(const auto outcome, merge(call, output_, [&](Bytes done, Bytes total) { tell(phase, done, total); }));
    wire::MergeResult out{.tensors = static_cast<std::int64_t>(outcome.tensors), .type = type, .rounding = outcome.rounding};
    PUNA_TRY(const auto merged, tune::Model::open(std::vector<fs::path>{output_}));
    tell("comparing", {}, {});
    PUNA_CHECK(read_text());
    PUNA_TRY(const auto found, meant_->measure(call_.team, {merged}));
    out.tokens = static_cast<std::int64_t>(found.tokens);
    out.divergence = found.kl;
    out.same_choice = found.same_choice;
    if (effect_ > 0) out.lost = found.kl / effect_;
    out.advice = advice_for(out);
    return out;
  }

  Result<wire::MergeResult> as_it_fits() {
    const bool can_widen = would_widen(call_, gguf::TensorType::q8_0);
    auto same = as(MergeType::same, Narrowing::allowed);
    if (!can_widen || (same ? !loses_most(*same) : same.error().code != Code::unsupported)) return same;
    const std::string why = same ? fmt::format("would lose most of the adapter ({})", loss_text(*same)) : "cannot be written well";
    std::error_code error;  // what is there is replaced, and need not take room meanwhile
    fs::remove(output_, error);
    PUNA_TRY(auto out, as(MergeType::q8_0, Narrowing::refused, "merging again"));
    out.chosen = fmt::format("the base's types {}, so what it changes is stored as q8_0", why);
    if (same) *out.chosen += "; the type 'same' would keep them";
    return out;
  }

 private:
  void tell(std::string_view phase, Bytes done, Bytes total) const {
    if (progress_) progress_(phase, done, total);
  }
  // What base and adapter say, and how far that is from the base alone.
  Result<> read_text() {
    if (meant_) return {};
    PUNA_TRY(auto meant, Yardstick::of(call_.team, {call_.model, &call_.adapter}, text_));
    PUNA_TRY(const auto effect, meant.measure(call_.team, {call_.model}));
    meant_ = std::move(meant);
    effect_ = effect.kl;
    return {};
  }

  const MergeCall& call_;
  const fs::path& output_;
  const std::span<const std::int32_t> text_;
  const PhaseProgress& progress_;
  std::optional<Yardstick> meant_;
  double effect_ = 0;
};

}  // namespace

Result<wire::MergeResult> merge_measured(const MergeCall& call, std::optional<MergeType> type, const fs::path& output,
                                         std::span<const std::int32_t> text, const PhaseProgress& progress) {
  MeasuredMerge merging(call, output, text, progress);
  return type ? merging.as(*type, Narrowing::allowed) : merging.as_it_fits();
}

}  // namespace puna::adapter
