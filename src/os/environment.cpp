#include "os/environment.h"

#include <unistd.h>

#include <array>
#include <string_view>

namespace puna::os {

Environment current_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Environment child_environment(const Environment& ours) {
  constexpr std::array<std::string_view, 4> kNames = {"PATH", "HOME", "LANG", "TMPDIR"};
  constexpr std::array<std::string_view, 2> kPrefixes = {"LC_", "XDG_"};
  Environment out;
  for (const auto& [name, value] : ours) {
    bool allowed = false;
    for (const auto known : kNames) allowed = allowed || name == known;
    for (const auto prefix : kPrefixes) allowed = allowed || name.starts_with(prefix);
    if (allowed) out.emplace(name, value);
  }
  return out;
}

}  // namespace puna::os
