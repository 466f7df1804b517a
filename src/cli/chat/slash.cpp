#include "cli/chat/slash.h"

#include <array>

#include "base/text.h"
#include "cli/chat/parameters.h"
#include "cli/model_sheet.h"
#include "cli/screen/entries.h"

namespace puna::cli {
namespace {

// The first word, and the rest without the blanks around it.
std::pair<std::string_view, std::string_view> first_word(std::string_view text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
  return {text.substr(0, end), trim(text.substr(end))};
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::unexpected<Error> usage(std::string_view line) {
  return fail(Code::invalid_argument, fmt::format("write {}", line));
}

// One thing that /set changes.
struct SetSpec {
  std::string_view name;
  std::string_view arguments;
  std::string_view help;
  Result<> (*apply)(ChatDesk&, std::string_view value);
};

Result<> set_system(ChatDesk& desk, std::string_view value) {
  desk.conversation.settings.system = unquoted(value);
  return {};
}

Result<> set_one_parameter(ChatDesk& desk, std::string_view value) {
  const auto [name, text] = first_word(value);
  if (name.empty() || text.empty()) return usage("/set parameter NAME VALUE");
  return set_parameter(desk.conversation.settings.parameters, name, unquoted(text));
}

Result<> set_format(ChatDesk& desk, std::string_view value) {
  PUNA_TRY(desk.conversation.settings.response_format, read_format(std::string(value)));
  return {};
}

// Switches take no value; captureless lambdas keep the table short.
constexpr std::array kSets = {
    SetSpec{"system", "TEXT", "what the model is told before everything else", set_system},
    SetSpec{"parameter", "NAME VALUE", "how the model writes: temperature, top_p, seed …", set_one_parameter},
    SetSpec{"format", "json|FILE", "answer as JSON, or by the JSON schema in a file", set_format},
    SetSpec{"noformat", "", "answer as text again",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.response_format.reset();
              return {};
            }},
    SetSpec{"think", "", "let the model think first, if it can",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.think = true;
              return {};
            }},
    SetSpec{"nothink", "", "let it answer at once",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.think = false;
              return {};
            }},
    SetSpec{"verbose", "", "show timings behind each answer",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.verbose = true;
              return {};
            }},
    SetSpec{"quiet", "", "show none",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.verbose = false;
              return {};
            }},
    SetSpec{"wordwrap", "", "break lines between words",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.manner.wrapping = Wrapping::words;
              return {};
            }},
    SetSpec{"nowordwrap", "", "leave lines as they come",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.conversation.settings.manner.wrapping = Wrapping::none;
              return {};
            }},
    SetSpec{"history", "", "keep what is typed for later chats",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.keep_history = true;
              return {};
            }},
    SetSpec{"nohistory", "", "do not keep it",
            [](ChatDesk& desk, std::string_view) -> Result<> {
              desk.keep_history = false;
              return {};
            }},
};

void print_entries(Stream& stream, const std::vector<Entry>& entries) {
  stream.write(list_entries(entries, stream.width()));
}

Result<After> set(ChatDesk& desk, std::string_view arguments) {
  const auto [name, value] = first_word(arguments);
  const auto found = std::ranges::find(kSets, name, &SetSpec::name);
  if (found == kSets.end()) {
    std::vector<Entry> rows;
    for (const auto& row : kSets) rows.push_back({fmt::format("/set {} {}", row.name, row.arguments), std::string(row.help)});
    print_entries(desk.context.console().err, rows);
    return After::go_on;
  }
  if (!found->arguments.empty() && value.empty() && name != "system") return usage(fmt::format("/set {} {}", name, found->arguments));
  PUNA_CHECK(found->apply(desk, value));
  return After::go_on;
}

std::string value_text(const json::value& value) {
  return json::to_text(value);
}

void show_parameters(ChatDesk& desk) {
  auto& out = desk.context.console().out;
  const auto& settings = desk.conversation.settings;
  std::vector<Entry> rows;
  for (const auto& parameter : settings.parameters)
    rows.push_back({std::string(std::string_view(parameter.key())), value_text(parameter.value())});
  if (settings.response_format) rows.push_back({"format", json::to_text(*settings.response_format)});
  if (settings.think) rows.push_back({"think", *settings.think ? "yes" : "no"});
  if (rows.empty()) out.line("nothing is set: the model's defaults hold");
  print_entries(out, rows);
}

Result<After> show(ChatDesk& desk, std::string_view arguments) {
  auto& out = desk.context.console().out;
  const auto what = first_word(arguments).first;
  if (what.empty() || what == "info") {
    print_model(out, desk.model, desk.context.now());
  } else if (what == "parameters") {
    show_parameters(desk);
  } else if (what == "system") {
    out.line(desk.conversation.settings.system.empty() ? "no system message is set" : printable(desk.conversation.settings.system));
  } else if (what == "template") {
    out.line(printable(desk.model.chat_template.value_or("the model has no chat template")));
  } else {
    return usage("/show info|parameters|system|template");
  }
  return After::go_on;
}

Result<After> clear(ChatDesk& desk, std::string_view) {
  desk.conversation.forget();
  desk.context.console().err.line("the model has forgotten this conversation");
  return After::go_on;
}

Result<After> bye(ChatDesk&, std::string_view) {
  return After::leave;
}

Result<After> help(ChatDesk& desk, std::string_view) {
  std::vector<Entry> rows;
  for (const auto& command : slash_commands())
    rows.push_back({fmt::format("/{} {}", command.name, command.arguments), std::string(command.help)});
  rows.push_back({"\"\"\"", "begins and ends a message of several lines; Alt-Enter breaks a line, too"});
  rows.push_back({"Ctrl-C", "stops the answer; twice on an empty line leaves"});
  rows.push_back({"Ctrl-R", "searches what was typed before"});
  print_entries(desk.context.console().err, rows);
  return After::go_on;
}

}  // namespace

std::span<const SlashSpec> slash_commands() {
  static constexpr std::array kCommands = {
      SlashSpec{"set", "", "WHAT …", "change how the chat goes; /set alone lists what can be set", set},
      SlashSpec{"show", "", "[info|parameters|system|template]", "show the model, or what is set", show},
      SlashSpec{"clear", "", "", "begin anew: the model forgets what was said", clear},
      SlashSpec{"help", "?", "", "show this", help},
      SlashSpec{"bye", "exit", "", "leave (or Ctrl-D)", bye},
  };
  return kCommands;
}

bool is_slash_command(std::string_view line) {
  if (!line.starts_with('/')) return false;
  const auto name = first_word(line.substr(1)).first;
  return !name.empty() && !line.starts_with("/ ") && !name.contains('/');
}

Result<After> run_slash_command(ChatDesk& desk, std::string_view line) {
  const auto [name, arguments] = first_word(line.substr(1));
  std::vector<std::string> known;
  for (const auto& command : slash_commands()) {
    if (command.name == name || (!command.alias.empty() && command.alias == name)) return command.run(desk, arguments);
    known.push_back(fmt::format("/{}", command.name));
  }
  const auto near = nearest(fmt::format("/{}", name), std::span<const std::string>(known));
  return fail(Code::invalid_argument, near.empty()
                                          ? fmt::format("unknown command '/{}'; /help lists them", printable(name))
                                          : fmt::format("unknown command '/{}'; did you mean {}?", printable(name), join(near, " or ")));
}

std::vector<std::string> complete_slash_command(std::string_view begun) {
  std::vector<std::string> all;
  for (const auto& command : slash_commands()) all.push_back(fmt::format("/{}", command.name));
  for (const auto& row : kSets) all.push_back(fmt::format("/set {}", row.name));
  for (const auto& row : parameter_specs()) all.push_back(fmt::format("/set parameter {}", row.name));
  std::erase_if(all, [&](const std::string& line) { return begun.empty() || !line.starts_with(begun); });
  return all;
}

}  // namespace puna::cli
