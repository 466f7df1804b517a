#include "quantize/survey.h"

#include "base/settings_registry.h"
#include "base/text.h"
#include "quantize/child.h"

namespace puna::quantize {
namespace {

constexpr std::uint32_t kTypeNumbers = 64;  // of ggml, at most

// ggml writes "q4_K" where people write "Q4_K".
std::optional<gguf::TensorType> type_named(std::string_view name) {
  for (std::uint32_t number = 0; number < kTypeNumbers; ++number)
    if (const auto* found = gguf::find_traits(number); found != nullptr && equal_ignoring_case(found->name, name)) return found->type;
  return std::nullopt;
}

Bytes padded(Bytes size) {
  return Bytes((size.count + gguf::kDefaultAlignment - 1) / gguf::kDefaultAlignment * gguf::kDefaultAlignment);
}

}  // namespace

Result<std::vector<std::string>> quantize_words(const QuantizerParts& parts, const Source& source, const Order& order) {
  PUNA_TRY(const auto* level, find_level(order.level));
  std::vector<std::string> words = {"--quantize",  source.detail.path,
                                    "--file-type", std::to_string(level->file_type),
                                    "--threads",   std::to_string(parts.settings.snapshot()->get(setting::kThreads))};
  if (order.imatrix) words.insert(words.end(), {"--imatrix", *order.imatrix});
  if (order.requantize.value_or(false)) words.insert(words.end(), {"--requantize", "yes"});
  return words;
}

Result<Survey> survey_of(const QuantizerParts& parts, const Source& source, const Order& order, const WorkFolder& work,
                         const std::stop_token& stop) {
  PUNA_TRY(auto words, quantize_words(parts, source, order));
  words.insert(words.end(), {"--plan-only", "yes"});
  Survey out{.size = source.rest};
  const gguf::TensorInfo* current = nullptr;
  const auto count = [&](gguf::TensorType type) { out.size += padded(gguf::tensor_size(type, current->shape).value_or(current->size)); };
  const auto hear = [&](const wire::QuantizeLine& line) {
    if (line.fallbacks) out.fallbacks = *line.fallbacks;
    if (line.type && current != nullptr) {
      count(type_named(*line.type).value_or(current->type));
      current = nullptr;
    }
    if (!line.tensor && !line.finished) return;
    if (current != nullptr) count(current->type);  // the one before stays as it is
    const auto found = line.tensor ? source.tensors.find(*line.tensor) : source.tensors.end();
    current = found == source.tensors.end() ? nullptr : &found->second;
  };
  PUNA_CHECK(run_child({.program = parts.program, .words = std::move(words), .log = work.log()}, hear, stop));
  return out;
}

}  // namespace puna::quantize
