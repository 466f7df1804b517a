#include "worker/arguments.h"

#include <fmt/format.h>

#include <charconv>

#include "os/places.h"

namespace puna::worker {
namespace {

struct Range {
  std::int64_t min, max;
};

Result<std::int64_t> parse_number(std::string_view option, std::string_view text, Range range) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < range.min || number > range.max)
    return fail(Code::invalid_argument, fmt::format("{} takes a number from {} to {}, not '{}'", option, range.min, range.max, text));
  return number;
}

Result<> take_option(ServeArguments& out, std::string_view option, std::string_view text) {
  const auto number = [&](auto& target, Range range) -> Result<> {
    PUNA_TRY(const std::int64_t parsed, parse_number(option, text, range));
    target = static_cast<int>(parsed);
    return {};
  };
  if (option == "--model") return out.model = text, Result<>();
  if (option == "--socket") return out.socket = text, Result<>();
  if (option == "--name") return out.name = text, Result<>();
  if (option == "--projector") return out.projector = text, Result<>();
  if (option == "--adapter") return out.adapters.emplace_back(text), Result<>();
  if (option == "--chat-template-file") return out.chat_template = text, Result<>();
  if (option == "--context") return number(out.context_length, {0, 1 << 24});
  if (option == "--slots") return number(out.slots, {1, 256});
  if (option == "--threads") return number(out.threads, {0, 1024});
  if (option == "--gpu-layers") return number(out.gpu_layers, {-1, 10000});
  if (option == "--status-fd") return number(out.status_fd, {3, 1 << 20});
  if (option == "--mode") {
    if (text != "generate" && text != "embed")
      return fail(Code::invalid_argument, fmt::format("--mode is generate or embed, not '{}'", text));
    out.mode = text == "embed" ? Mode::embed : Mode::generate;
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

}  // namespace

Result<Arguments> parse_arguments(std::span<const std::string_view> words) {
  if (words.size() == 2 && words[0] == "--check") return CheckArguments{words[1]};
  if (words.size() == 2 && words[0] == "--try") return TrialArguments{words[1]};
  if (!words.empty() && words[0] == "--quantize") return parse_quantize(words);
  ServeArguments out;
  PUNA_CHECK(take_options(out, words));
  if (out.model.empty()) return fail(Code::invalid_argument, "--model PATH is needed");
  if (out.socket.extension() != ".sock") return fail(Code::invalid_argument, "--socket PATH is needed and ends in .sock");
  PUNA_CHECK(os::check_socket_path(out.socket));
  if (out.name.empty()) out.name = out.model.stem().string();
  return out;
}

}  // namespace puna::worker
