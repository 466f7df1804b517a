#include "hub/catalogues/token.h"

#include <filesystem>

#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "os/file.h"

namespace puna::hub {
namespace {

constexpr Bytes kLargestTokenFile = kib(16);

std::filesystem::path token_file(const Settings& settings, const os::Environment& environment) {
  if (const auto& set = settings.get(setting::kHubTokenFile); !set.empty()) return set;
  const auto variable = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  if (const auto home = variable("HF_HOME"); !home.empty()) return std::filesystem::path(home) / "token";
  if (const auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) return std::filesystem::path(cache) / "huggingface" / "token";
  if (const auto home = variable("HOME"); !home.empty()) return std::filesystem::path(home) / ".cache" / "huggingface" / "token";
  return {};
}

}  // namespace

Secret hub_token(const Access& access) {
  return hub_token(access.settings, access.environment);
}

Secret hub_token(const SettingsStore& store, const os::Environment& environment) {
  const auto settings = store.snapshot();
  if (const auto& set = settings->get(setting::kHubToken); !set.empty()) return Secret(set);
  const auto file = token_file(*settings, environment);
  if (file.empty()) return {};
  auto text = os::read_file(file, kLargestTokenFile);
  if (!text) {
    if (text.error().code != Code::not_found) log::warning("hub", "a token file could not be read", {{"error", text.error().text()}});
    return {};
  }
  const auto token = trim(std::string_view(*text).substr(0, text->find('\n')));
  return net::is_header_value(token) ? Secret(std::string(token)) : Secret();
}

}  // namespace puna::hub
