#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "model/model_recipe.h"
#include "model/recipe.h"

namespace puna::model {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";

// One instruction with its arguments.
struct Instruction {
  std::string word;  // lower case
  std::string arguments;
  std::size_t line = 0;
};

std::unexpected<Error> at_line(std::size_t line, Error error) {
  error.message = fmt::format("line {}: {}", line, error.message);
  return fail(std::move(error));
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // Nothing at the end.
  Result<std::optional<Instruction>> next() {
    while (!rest_.empty()) {
      const auto line = take_line();
      const auto text = trim(line);
      if (text.empty() || text.starts_with('#')) continue;
      const auto space = text.find_first_of(" \t");
      Instruction out{lower_ascii(text.substr(0, space)), {}, line_};
      if (space == std::string_view::npos)
        return at_line(line_, {Code::invalid_argument, fmt::format("{} needs something behind it", shown(text))});
      PUNA_TRY(out.arguments, value_of(trim(text.substr(space))));
      return out;
    }
    return std::nullopt;
  }

  static std::string shown(std::string_view text) { return printable(text.substr(0, 80)); }

 private:
  std::string_view take_line() {
    const auto end = rest_.find('\n');
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_;
    return line;
  }

  // What stands between quotes may go on over several lines; `first` is what the instruction's own line has.
  Result<std::string> value_of(std::string_view first) {
    // "user """text" of MESSAGE: the quotes begin behind the first word.
    const auto quotes = first.find(kQuotes);
    if (quotes == std::string_view::npos) return unquoted(first);
    const std::string before(first.substr(0, quotes));
    std::string inside(first.substr(quotes + kQuotes.size()));
    const auto begun = line_;
    while (inside.find(kQuotes) == std::string::npos) {
      if (rest_.empty()) return at_line(begun, {Code::invalid_argument, "the text that begins with \"\"\" does not end"});
      inside += '\n';
      inside += take_line();
    }
    const auto end = inside.find(kQuotes);
    if (!trim(std::string_view(inside).substr(end + kQuotes.size())).empty())
      return at_line(line_, {Code::invalid_argument, "something stands behind the closing \"\"\""});
    inside.resize(end);
    if (inside.starts_with('\n')) inside.erase(0, 1);
    return before + inside;
  }

  static std::string unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return std::string(text.substr(1, text.size() - 2));
    return std::string(text);
  }

  std::string_view rest_;
  std::size_t line_ = 0;
};

Result<> take_message(ModelRecipe& out, std::string_view arguments) {
  const auto space = arguments.find_first_of(" \t");
  const auto role = lower_ascii(arguments.substr(0, space));
  if (role != "system" && role != "user" && role != "assistant")
    return fail(Code::invalid_argument, fmt::format("a message's role is system, user or assistant, not '{}'", Reader::shown(role)));
  if (space == std::string_view::npos) return fail(Code::invalid_argument, "the message has no text");
  auto text = trim(arguments.substr(space));
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  out.recipe.messages.push_back({role, std::string(text)});
  return {};
}

Result<> take_parameter(ModelRecipe& out, std::string_view arguments) {
  const auto space = arguments.find_first_of(" \t");
  if (space == std::string_view::npos)
    return fail(Code::invalid_argument, fmt::format("the parameter {} has no value", Reader::shown(arguments)));
  auto value = trim(arguments.substr(space));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return set_parameter(out.recipe, lower_ascii(arguments.substr(0, space)), value);
}

Result<> take(ModelRecipe& out, const Instruction& instruction) {
  const auto& [word, arguments, line] = instruction;
  if (word == "from") {
    if (!out.from.empty()) return fail(Code::invalid_argument, "FROM stands there twice; a model has one base");
    out.from = trim(arguments);
    return {};
  }
  if (word == "system") return out.recipe.system = arguments, Result<>();
  if (word == "adapter") return out.adapters.emplace_back(trim(arguments)), Result<>();
  if (word == "license") return out.licences.push_back(arguments), Result<>();
  if (word == "message") return take_message(out, arguments);
  if (word == "parameter") return take_parameter(out, arguments);
  if (word == "template") {
    PUNA_CHECK(check_chat_template(arguments));
    out.recipe.chat_template = arguments;
    return {};
  }
  constexpr std::array<std::string_view, 4> kOllamasOwn = {"requires", "draft", "renderer", "parser"};
  if (std::ranges::find(kOllamasOwn, word) != kOllamasOwn.end())
    return fail(Code::unsupported, fmt::format("{} speaks of Ollama's own machinery and cannot be honoured here: remove the line", word));
  return fail(Code::invalid_argument,
              fmt::format("'{}' is no instruction; there are FROM, PARAMETER, TEMPLATE, SYSTEM, MESSAGE, ADAPTER and "
                          "LICENSE",
                          Reader::shown(word)));
}

}  // namespace

Result<ModelRecipe> parse_modelfile(std::string_view text) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the recipe is not UTF-8 text");
  ModelRecipe out;
  Reader reader(text);
  while (true) {
    PUNA_TRY(const auto instruction, reader.next());
    if (!instruction) break;
    if (auto taken = take(out, *instruction); !taken) return at_line(instruction->line, std::move(taken).error());
  }
  if (out.from.empty()) return fail(Code::invalid_argument, "FROM is missing: it names the model or the file that this one is made of");
  return out;
}

}  // namespace puna::model
