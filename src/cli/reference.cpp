#include "cli/reference.h"

#include <array>

#include "base/error.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/help.h"
#include "cli/invocation.h"
#include "cli/registry.h"

namespace puna::cli {
namespace {

struct ExitMeaning {
  int code;
  std::string_view meaning;
};
constexpr std::array kExitMeanings = {
    ExitMeaning{0, "all is well"},
    ExitMeaning{1, "failure"},
    ExitMeaning{2, "the command line, or what it asks for, is wrong"},
    ExitMeaning{3, "the named thing does not exist"},
    ExitMeaning{4, "not allowed"},
    ExitMeaning{5, "the daemon or something it needs cannot be reached, is busy, or took too long"},
    ExitMeaning{130, "interrupted"},
};

struct Variable {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array kVariables = {
    Variable{"PUNA_HOST",
             "another daemon's address, such as http://box:17862; without it the own daemon is meant. A plain loopback "
             "address is the setting server.host"},
    Variable{"PUNA_HOME", "one folder for everything: settings, models, logs, sockets"},
    Variable{"NO_COLOR", "no colours, whatever the terminal can do"},
};

constexpr std::string_view kAbout =
    "Puna keeps language models in a library on this machine, loads them into memory when they are asked, and answers in the terminal and "
    "over HTTP, as OpenAI's API does.\n\n"
    "A daemon owns the library, the loaded models and all long work. Every command talks to it over a Unix socket, and starts one that "
    "leaves when it is idle where none runs; puna serve keeps one for good.\n\n"
    "Data goes to standard output and everything else to standard error. Commands that print data print JSON with --json.";

bool is_common(const OptionSpec& option) {
  return std::ranges::find(common_options(), option.name, &OptionSpec::name) != common_options().end();
}

std::vector<OptionSpec> shown_options(const CommandSpec& command) {
  std::vector<OptionSpec> out = options_of(command);
  std::erase_if(out, [](const OptionSpec& option) { return option.hidden || is_common(option); });
  return out;
}

// troff reads a leading dot or quote as a request, a backslash as an escape, and a bare dash as a hyphen.
std::string troff(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
    at_start = c == '\n';
  }
  return out;
}

std::string troff_paragraphs(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    out += fmt::format("{}{}\n", out.empty() ? "" : ".PP\n", troff(text.substr(at, end - at)));
    at = end + 2;
  }
  return out;
}

std::string troff_entry(std::string_view label, std::string_view text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", troff(trim(label)), troff(text));
}

std::string troff_command(const CommandSpec& command, const std::string& full_name) {
  std::string out = fmt::format(".SS {}\n{}", troff(usage_line(command, full_name)), troff_paragraphs(command.description));
  for (const auto& argument : command.arguments) out += troff_entry(argument.name, argument.help);
  for (const auto& option : shown_options(command)) out += troff_entry(option_label(option), option.help);
  for (const auto& example : command.examples)
    out += fmt::format(".PP\n{}:\n.PP\n.RS\n.nf\n{}\n.fi\n.RE\n", troff(example.what), troff(example.command));
  return out;
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string markdown_rows(const CommandSpec& command) {
  std::string out;
  for (const auto& argument : command.arguments) out += fmt::format("| `{}` | {} |\n", argument.name, cell(argument.help));
  for (const auto& option : shown_options(command)) out += fmt::format("| `{}` | {} |\n", trim(option_label(option)), cell(option.help));
  return out.empty() ? out : "\n| | |\n|---|---|\n" + out;
}

std::string markdown_command(const CommandSpec& command, const std::string& full_name) {
  std::string out = fmt::format("\n## puna {}\n\n    {}\n", full_name, usage_line(command, full_name));
  if (!command.alias.empty()) out += fmt::format("\nAlso: `{}`.\n", command.alias);
  out += fmt::format("\n{}\n", command.description) + markdown_rows(command);
  out += command.examples.empty() ? "" : "\n```sh\n";
  for (const auto& example : command.examples) out += fmt::format("{}  # {}\n", example.command, example.what);
  return out + (command.examples.empty() ? "" : "```\n");
}

}  // namespace

std::string manual_page() {
  std::string out = fmt::format(".TH PUNA 1 \"\" \"puna {}\" \"Puna manual\"\n", version());
  out += ".SH NAME\npuna \\- run language models on this machine\n";
  out += ".SH SYNOPSIS\n\\fBpuna\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  out += ".SH DESCRIPTION\n" + troff_paragraphs(kAbout);
  out += ".SH COMMANDS\n";
  for_each_command([&](const CommandSpec& command, const std::string& full_name) { out += troff_command(command, full_name); });
  out += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const auto& option : common_options()) out += troff_entry(option_label(option), option.help);
  out += ".SH EXIT STATUS\n";
  for (const auto& row : kExitMeanings) out += troff_entry(std::to_string(row.code), row.meaning);
  out += ".SH ENVIRONMENT\n";
  for (const auto& row : kVariables) out += troff_entry(row.name, row.meaning);
  for (const auto* spec : setting::all()) out += troff_entry(spec->environment, fmt::format("setting {}: {}", spec->key, spec->help));
  return out;
}

std::string markdown_reference() {
  std::string out = fmt::format("# Command line\n\n<!-- Printed by `puna help --markdown`. -->\n\n{}\n\n", kAbout);
  out += "| command | |\n|---|---|\n";
  for (const auto* command : commands())
    if (command->group != Group::hidden)
      out += fmt::format("| [`{}`](#puna-{}) | {} |\n", command->name, command->name, cell(command->summary));
  for_each_command([&](const CommandSpec& command, const std::string& full_name) { out += markdown_command(command, full_name); });
  out += "\n## Options of every command\n\n| | |\n|---|---|\n";
  for (const auto& option : common_options()) out += fmt::format("| `{}` | {} |\n", trim(option_label(option)), cell(option.help));
  out += "\n## Exit status\n\n| | |\n|---|---|\n";
  for (const auto& row : kExitMeanings) out += fmt::format("| {} | {} |\n", row.code, row.meaning);
  out += "\n## Environment\n\nEvery setting has a variable too: see `puna config show --origin`.\n\n| | |\n|---|---|\n";
  for (const auto& row : kVariables) out += fmt::format("| `{}` | {} |\n", row.name, cell(row.meaning));
  return out;
}

}  // namespace puna::cli
