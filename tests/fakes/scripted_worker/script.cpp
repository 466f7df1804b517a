#include "fakes/scripted_worker/script.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace puna::fakes {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 10> kVerbs = {{{"say", Verb::say},
                                                                       {"progress", Verb::progress},
                                                                       {"gate", Verb::gate},
                                                                       {"fail", Verb::fail},
                                                                       {"exit", Verb::exit},
                                                                       {"signal", Verb::signal},
                                                                       {"allocate", Verb::allocate},
                                                                       {"sleep", Verb::sleep},
                                                                       {"ready", Verb::ready},
                                                                       {"deaf", Verb::deaf}}};

std::optional<Verb> find_verb(std::string_view word) {
  for (const auto& [name, verb] : kVerbs)
    if (name == word) return verb;
  return std::nullopt;
}

}  // namespace

Result<Script> parse_script(std::string_view text) {
  Script script;
  for (const auto raw : split(text, '\n')) {
    const auto line = trim(raw);
    if (line.empty()) continue;
    const auto space = line.find(' ');
    const auto verb = find_verb(line.substr(0, space));
    if (!verb) return fail(Code::invalid_argument, fmt::format("'{}' is no step of a script", line));
    if (*verb == Verb::ready) {
      script.becomes_ready = true;
      continue;
    }
    auto& steps = script.becomes_ready ? script.request : script.load;
    steps.push_back({*verb, std::string(space == std::string_view::npos ? "" : trim(line.substr(space)))});
  }
  if (script.load.empty()) script.becomes_ready = true;
  return script;
}

}  // namespace puna::fakes
