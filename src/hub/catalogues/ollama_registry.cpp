#include "hub/catalogues/ollama_registry.h"

#include <fmt/format.h>

#include <array>

#include "base/settings_registry.h"
#include "base/text.h"
#include "net/http_types.h"

namespace puna::hub {
namespace {

using wire::FileRole;

constexpr std::string_view kLatest = "latest";

constexpr std::array kLayers = {
    LayerKind{"model", FileRole::weights, "model.gguf"},     LayerKind{"projector", FileRole::projector, "projector.gguf"},
    LayerKind{"adapter", FileRole::adapter, "adapter.gguf"}, LayerKind{"template", FileRole::chat_template, "template"},
    LayerKind{"system", FileRole::system, "system"},         LayerKind{"params", FileRole::parameters, "params"},
    LayerKind{"messages", FileRole::messages, "messages"},   LayerKind{"license", FileRole::licence, "LICENSE"},
};

// The parameter of a challenge such as: Bearer realm="…",service="…",scope="…"
std::optional<std::string> challenge_part(std::string_view challenge, std::string_view name) {
  const std::string key = fmt::format("{}=\"", name);
  const auto at = challenge.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const auto rest = challenge.substr(at + key.size());
  return std::string(rest.substr(0, rest.find('"')));
}

}  // namespace

std::span<const LayerKind> layer_kinds() {
  return kLayers;
}

std::string tag_of(const Reference& reference) {
  return reference.revision.empty() ? std::string(kLatest) : reference.revision;
}

Result<net::Url> registry_of(const Settings& settings, const Reference& reference) {
  if (reference.host.empty()) return net::Url::parse(settings.get(setting::kOllamaRegistry), "https");
  PUNA_TRY(auto url, net::Url::parse(reference.host, "https"));
  if (url.is_loopback()) url.scheme = "http";  // a registry on this machine has no certificate
  return url;
}

Result<net::Url> token_address(const net::Url& registry, std::string_view challenge) {
  PUNA_TRY(auto realm, registry.resolve(challenge_part(challenge, "realm").value_or("")));
  if (!challenge.starts_with("Bearer ") || lower_ascii(realm.host) != lower_ascii(registry.host) || realm.scheme != registry.scheme)
    return fail(Code::permission_denied,
                fmt::format("{} sends us to {} for a token: refused, as that is another host", registry.authority(), realm.printable()));
  net::Query parameters = net::Query::parse(realm.query.value_or(""));
  for (const std::string_view name : {"service", "scope"})
    if (auto value = challenge_part(challenge, name)) parameters.add(std::string(name), std::move(*value));
  realm.query = parameters.text();
  return realm;
}

}  // namespace puna::hub
