#include "cli/invocation.h"

#include <CLI/CLI.hpp>

#include <charconv>

#include "base/text.h"

namespace puna::cli {

class InvocationReader {
 public:
  InvocationReader(const CommandSpec& command, std::string_view full_name) : command_(command), full_name_(full_name) {
    app_.set_help_flag();
    app_.allow_extras();  // what is no option comes back as it was typed; CLI11's own arguments would take "[a,b]" apart
    for (const auto& option : options_of(command)) add(option);
  }

  Result<Invocation> read(const std::vector<std::string>& words) {
    const auto dashes = std::ranges::find(words, "--");
    try {
      app_.parse(std::vector<std::string>(std::reverse_iterator(dashes), words.rend()));  // CLI11 takes them from the back
    } catch (const CLI::ParseError& error) {
      return fail(explain(error));
    }
    words_ = app_.remaining();
    for (const auto& word : words_)
      if (is_option(word)) return usage_error(unknown_option(word));
    if (dashes != words.end()) words_.insert(words_.end(), dashes + 1, words.end());
    for (auto& [name, values] : values_)
      if (app_.get_option("--" + name)->count() > 0) result_.options_[name] = std::move(values);
    for (const auto& name : switches_)
      if (app_.get_option("--" + name)->count() > 0) result_.options_[name] = {};
    if (result_.has("help")) return std::move(result_);
    PUNA_CHECK(sort_arguments());
    return std::move(result_);
  }

 private:
  // "-x" and "--x", but neither "-" nor "-5".
  static bool is_option(std::string_view word) {
    return word.size() > 1 && word[0] == '-' && (word[1] == '-' || std::isalpha(static_cast<unsigned char>(word[1])));
  }

  void add(const OptionSpec& option) {
    const std::string name(option.name);
    const std::string names = option.letter ? fmt::format("-{},--{}", option.letter, name) : "--" + name;
    if (option.value.empty()) {
      app_.add_flag(names);
      switches_.push_back(name);
    } else {
      app_.add_option(names, values_[name])->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }

  std::unexpected<Error> usage_error(std::string message) const {
    return fail(Code::invalid_argument, fmt::format("{}\nusage: {}", message, usage_line(command_, full_name_)));
  }

  // CLI11's reasons in our words.
  Error explain(const CLI::ParseError& error) const {
    std::string message = error.what();
    for (const auto& option : options_of(command_))
      if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) && message.starts_with(fmt::format("--{}:", option.name)))
        message = option.value.empty() ? fmt::format("--{} takes no value", option.name)
                                       : fmt::format("--{} needs a {}", option.name, option.value);
    return usage_error(std::move(message)).error();
  }

  std::string unknown_option(std::string_view typed) const {
    const std::string_view name = typed.substr(0, typed.find('='));
    std::vector<std::string> known;
    for (const auto& option : options_of(command_))
      if (!option.hidden) known.push_back(fmt::format("--{}", option.name));
    const auto near = nearest(name, std::span<const std::string>(known));
    std::string out = fmt::format("unknown option '{}'", printable(name));
    if (!near.empty()) out += fmt::format("; did you mean {}?", join(near, " or "));
    if (command_.arguments.empty()) return out;
    return out + " (write -- before words that begin with a dash)";
  }

  Result<> sort_arguments() {
    auto word = words_.begin();
    for (const auto& argument : command_.arguments) {
      if (argument.occurs == Occurs::any || argument.occurs == Occurs::some) {
        result_.rest_.assign(word, words_.end());
        word = words_.end();
        if (argument.occurs == Occurs::some && result_.rest_.empty()) return usage_error(missing(argument));
      } else if (word != words_.end()) {
        result_.arguments_[std::string(argument.name)] = *word++;
      } else if (argument.occurs == Occurs::once) {
        return usage_error(missing(argument));
      }
    }
    if (word != words_.end()) return usage_error(fmt::format("'{}' is one word too many", printable(*word)));
    return {};
  }

  static std::string missing(const ArgumentSpec& argument) { return fmt::format("{} is missing: {}", argument.name, argument.help); }

  const CommandSpec& command_;
  std::string_view full_name_;
  CLI::App app_;
  std::map<std::string, std::vector<std::string>> values_;  // nodes stay where they are: CLI11 keeps references
  std::vector<std::string> switches_;
  std::vector<std::string> words_;
  Invocation result_;
};

std::optional<std::string> Invocation::text(std::string_view option) const {
  const auto found = options_.find(option);
  if (found == options_.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Invocation::all(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

Result<std::int64_t> Invocation::number(std::string_view option, std::int64_t absent, std::int64_t min, std::int64_t max) const {
  const auto typed = text(option);
  if (!typed) return absent;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(typed->data(), typed->data() + typed->size(), value);
  if (error != std::errc{} || end != typed->data() + typed->size() || value < min || value > max)
    return fail(Code::invalid_argument, fmt::format("--{}: '{}' is not a whole number from {} to {}", option, printable(*typed), min, max));
  return value;
}

std::string Invocation::argument(std::string_view name) const {
  const auto found = arguments_.find(name);
  return found == arguments_.end() ? std::string() : found->second;
}

std::span<const OptionSpec> common_options() {
  static constexpr std::array kCommon = {
      OptionSpec{.name = "color", .value = "WHEN", .help = "colour the output: auto (on terminals), always, never"},
      OptionSpec{.name = "help", .letter = 'h', .help = "show this help"},
  };
  return kCommon;
}

const OptionSpec& json_option() {
  static constexpr OptionSpec kJson{.name = "json", .help = "print JSON for other programs"};
  return kJson;
}

std::vector<OptionSpec> options_of(const CommandSpec& command) {
  std::vector<OptionSpec> out(command.options.begin(), command.options.end());
  if (command.more_options) out.insert(out.end(), command.more_options().begin(), command.more_options().end());
  if (command.prints_data) out.push_back(json_option());
  out.insert(out.end(), common_options().begin(), common_options().end());
  return out;
}

Result<Invocation> read_invocation(const CommandSpec& command, std::string_view full_name, const std::vector<std::string>& words) {
  return InvocationReader(command, full_name).read(words);
}

std::string usage_line(const CommandSpec& command, std::string_view full_name) {
  std::string out = fmt::format("puna {}", full_name);
  if (!command.children.empty() && !command.run) return out + " COMMAND";
  if (!command.options.empty() || command.prints_data) out += " [OPTIONS]";
  for (const auto& argument : command.arguments) {
    switch (argument.occurs) {
      case Occurs::once:
        out += fmt::format(" {}", argument.name);
        break;
      case Occurs::optional:
        out += fmt::format(" [{}]", argument.name);
        break;
      case Occurs::any:
        out += fmt::format(" [{}...]", argument.name);
        break;
      case Occurs::some:
        out += fmt::format(" {}...", argument.name);
        break;
    }
  }
  return out;
}

}  // namespace puna::cli
