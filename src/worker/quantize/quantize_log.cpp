#include "worker/quantize/quantize_log.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace puna::worker {
namespace {

constexpr std::size_t kErrorsKept = 16;

struct Clue {
  std::string_view words;
  Code code;
  std::string_view message;  // empty: the quantizer's own
};
constexpr std::array kClues = {
    Clue{"requires an imatrix", Code::invalid_argument, "this level needs an importance matrix: give one with --imatrix"},
    Clue{"Missing importance matrix", Code::invalid_argument, "the importance matrix lacks tensors that this level needs it for"},
    Clue{"imatrix size", Code::invalid_argument, "the importance matrix was made from another model"},
    Clue{"imatrix contains non-finite", Code::corrupt_data, "the importance matrix holds values that are no numbers"},
    Clue{"requantizing from type", Code::unsupported, "its weights are quantized already: --requantize takes them nonetheless, at a loss"},
    Clue{"unsupported for integer quantization", Code::unsupported, ""},
    Clue{"cannot dequantize", Code::unsupported, ""},
    Clue{"no tensor type fallback", Code::unsupported, ""},
    Clue{"unknown model architecture", Code::unsupported, ""},
    Clue{"data validation failed", Code::corrupt_data, "its weights hold values that are no numbers"},
    Clue{"has invalid data", Code::corrupt_data, "its weights hold values that are no numbers"},
    Clue{"iostream error", Code::disk_full, "the new file cannot be written to its end: the disk is full or failing"},
    Clue{"bad_alloc", Code::out_of_memory, "memory does not suffice"},
};

// "llama_model_quantize_impl: WARNING: 12 of 21 tensor(s) required fallback quantization\n"
std::optional<std::int64_t> fallbacks_in(std::string_view text) {
  constexpr std::string_view kBefore = "WARNING: ";
  const auto at = text.find(kBefore);
  std::int64_t count = 0;
  if (at == std::string_view::npos || !text.contains("required fallback quantization")) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at + kBefore.size(), text.data() + text.size(), count);
  return error == std::errc() ? std::optional(count) : std::nullopt;
}

}  // namespace

// "[   3/  21] blk.0.attn_k.weight                  - [   64,    32,     1,     1], type =    f32, "
// "size =     0.03 MiB ->     0.01 MiB (q8_0)\n"
void QuantizeLog::hear(std::string_view text) {
  if (text.starts_with('[')) {
    const auto name_begin = text.find("] ");
    const auto name_end = text.find(" - [", name_begin);
    if (name_end != std::string_view::npos) sinks_.tensor(trim(text.substr(name_begin + 2, name_end - name_begin - 2)));
  } else if (text.starts_with("size =") && text.contains(" -> ")) {
    const auto open = text.rfind('(');
    const auto close = text.rfind(')');
    if (open != std::string_view::npos && close != std::string_view::npos && open < close)
      sinks_.type(text.substr(open + 1, close - open - 1));
  } else if (const auto count = fallbacks_in(text)) {
    sinks_.fallbacks(*count);
  }
}

void QuantizeLog::hear_error(std::string_view text) {
  const auto line = trim(text);
  if (line.find_first_not_of("= ") != std::string_view::npos && errors_.size() < kErrorsKept) errors_.push_back(printable(line));
}

Error QuantizeLog::failure() const {
  for (const auto& clue : kClues)
    for (const auto& line : errors_)
      if (line.contains(clue.words)) return {clue.code, clue.message.empty() ? line : std::string(clue.message)};
  if (errors_.empty()) return {Code::upstream_failed, "llama.cpp's quantizer failed and did not say why"};
  return {Code::upstream_failed, errors_.back()};
}

}  // namespace puna::worker
