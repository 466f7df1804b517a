#include "worker/arguments.h"

#include <fmt/format.h>

#include <charconv>

#include "os/places.h"

namespace puna::worker {
namespace {

using Range = wire::Bounds;

Result<std::int64_t> parse_number(std::string_view option, std::string_view text, Range range) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < range.min || number > range.max)
    return fail(Code::invalid_argument, fmt::format("{} takes a number from {} to {}, not '{}'", option, range.min, range.max, text));
  return number;
}

Result<double> parse_fraction(std::string_view option, std::string_view text, double min, double max) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !(number >= min && number <= max))
    return fail(Code::invalid_argument, fmt::format("{} takes a number from {} to {}, not '{}'", option, min, max, text));
  return number;
}

template <class Enum>
Result<Enum> parse_choice(std::string_view option, std::string_view text) {
  auto parsed = json::decode<Enum>(json::value(text));
  if (!parsed) return fail(Code::invalid_argument, fmt::format("{}: {}", option, parsed.error().message));
  return parsed;
}

// An option of the engine's set-up; absent when it is none.
std::optional<Result<>> take_engine_option(ServeArguments& out, std::string_view option, std::string_view text) {
  const auto take = [](auto& target, auto parsed) -> Result<> {
    if (!parsed) return fail(parsed.error());
    target = *parsed;
    return {};
  };
  const auto number = [&](auto& target, Range range) { return take(target, parse_number(option, text, range)); };
  auto& speculation = out.speculation;
  if (option == "--context") return number(out.context_length, wire::kContextBounds);
  if (option == "--slots") return number(out.slots, wire::kSlotsBounds);
  if (option == "--threads") return number(out.threads, wire::kThreadsBounds);
  if (option == "--gpu-layers") return number(out.gpu_layers, wire::kGpuLayersBounds);
  if (option == "--batch") return number(out.batch, wire::kBatchBounds);
  if (option == "--micro-batch") return number(out.micro_batch, wire::kBatchBounds);
  if (option == "--cache-type-k") return take(out.cache_type_k, parse_choice<wire::CacheType>(option, text));
  if (option == "--cache-type-v") return take(out.cache_type_v, parse_choice<wire::CacheType>(option, text));
  if (option == "--flash-attention") return take(out.flash_attention, parse_choice<wire::Switch>(option, text));
  if (option == "--warm-least") return number(out.warmth.least, {1, 1 << 24});
  if (option == "--draft") return speculation.draft = text, Result<>();
  if (option == "--ngram") return take(speculation.ngram, parse_choice<wire::NgramMethod>(option, text));
  if (option == "--ngram-size") return number(speculation.ngram_size, wire::kNgramSizeBounds);
  if (option == "--draft-max") return number(speculation.draft_max, wire::kDraftBounds);
  if (option == "--draft-min") return number(speculation.draft_min, wire::kDraftBounds);
  if (option == "--draft-probability") return take(speculation.draft_probability, parse_fraction(option, text, 0, 1));
  if (option == "--adapter-scale") {
    if (out.adapters.empty()) return fail(Code::invalid_argument, "--adapter-scale follows the --adapter that it is for");
    return take(out.adapters.back().scale, parse_fraction(option, text, -wire::kLargestScale, wire::kLargestScale));
  }
  return std::nullopt;
}

Result<> take_option(ServeArguments& out, std::string_view option, std::string_view text) {
  if (auto taken = take_engine_option(out, option, text)) return std::move(*taken);
  if (option == "--model") return out.model = text, Result<>();
  if (option == "--socket") return out.socket = text, Result<>();
  if (option == "--name") return out.name = text, Result<>();
  if (option == "--projector") return out.projector = text, Result<>();
  if (option == "--adapter") return out.adapters.push_back({text}), Result<>();
  if (option == "--chat-template-file") return out.chat_template = text, Result<>();
  if (option == "--warm-folder") return out.warmth.folder = text, Result<>();
  if (option == "--warm-disk") {
    PUNA_TRY(const std::int64_t parsed, parse_number(option, text, {1, std::int64_t{1} << 60}));
    out.warmth.disk = Bytes(static_cast<std::uint64_t>(parsed));
    return {};
  }
  if (option == "--status-fd") {
    PUNA_TRY(const std::int64_t parsed, parse_number(option, text, {3, 1 << 20}));
    out.status_fd = static_cast<int>(parsed);
    return {};
  }
  if (option == "--mode") {
    if (text != "generate" && text != "embed" && text != "rank")
      return fail(Code::invalid_argument, fmt::format("--mode is generate, embed or rank, not '{}'", text));
    out.mode = text == "embed" ? Mode::embed : text == "rank" ? Mode::rank : Mode::generate;
    return {};
  }
  return fail(Code::invalid_argument, fmt::format("unknown option '{}'", option));
}

Result<> take_option(QuantizeArguments& out, std::string_view option, std::string_view text) {
  if (option == "--quantize") return out.source = text, Result<>();
  if (option == "--output") return out.output = text, Result<>();
  if (option == "--imatrix") return out.imatrix = text, Result<>();
  if (option == "--requantize") return out.requantize = text == "yes", Result<>();
  if (option == "--plan-only") return out.plan_only = text == "yes", Result<>();
  std::int64_t* number = option == "--file-type" ? &out.file_type : option == "--threads" ? &out.threads : nullptr;
  if (number == nullptr) return fail(Code::invalid_argument, fmt::format("unknown option '{}'", option));
  PUNA_TRY(*number, parse_number(option, text, {0, 1024}));
  return {};
}

Result<> take_option(ProbeArguments& out, std::string_view option, std::string_view text) {
  if (option == "--probe") return out.file = text, Result<>();
  if (option == "--chat-template-file") return out.chat_template = text, Result<>();
  if (option == "--load") return out.load = text == "yes", Result<>();
  return fail(Code::invalid_argument, fmt::format("unknown option '{}'", option));
}

template <class T>
Result<> take_options(T& out, std::span<const std::string_view> words) {
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) return fail(Code::invalid_argument, fmt::format("{} needs a value", words[i]));
    PUNA_CHECK(take_option(out, words[i], words[i + 1]));
  }
  return {};
}

Result<Arguments> parse_quantize(std::span<const std::string_view> words) {
  QuantizeArguments out;
  PUNA_CHECK(take_options(out, words));
  if (out.source.empty() || out.file_type < 0) return fail(Code::invalid_argument, "--quantize FILE and --file-type NUMBER are needed");
  if (out.output.empty() && !out.plan_only) return fail(Code::invalid_argument, "--output FILE is needed");
  return out;
}

Result<Arguments> parse_probe(std::span<const std::string_view> words) {
  ProbeArguments out;
  PUNA_CHECK(take_options(out, words));
  return out;
}

}  // namespace

Result<Arguments> parse_arguments(std::span<const std::string_view> words) {
  if (words.size() == 2 && words[0] == "--check") return CheckArguments{words[1]};
  if (words.size() == 2 && words[0] == "--try") return TrialArguments{words[1]};
  if (words.size() == 1 && words[0] == "--devices") return DevicesArguments();
  if (!words.empty() && words[0] == "--quantize") return parse_quantize(words);
  if (!words.empty() && words[0] == "--probe") return parse_probe(words);
  ServeArguments out;
  PUNA_CHECK(take_options(out, words));
  if (out.model.empty()) return fail(Code::invalid_argument, "--model PATH is needed");
  if (out.socket.extension() != ".sock") return fail(Code::invalid_argument, "--socket PATH is needed and ends in .sock");
  PUNA_CHECK(os::check_socket_path(out.socket));
  if (out.name.empty()) out.name = out.model.stem().string();
  return out;
}

}  // namespace puna::worker
