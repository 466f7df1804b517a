// What reading from Ollama's registry and writing to it share: a dialect of the Docker registry's protocol, version 2.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/settings.h"
#include "hub/reference.h"
#include "net/url.h"
#include "wire/model.h"

namespace puna::hub {

inline constexpr std::string_view kManifestType = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kLayerPrefix = "application/vnd.ollama.image.";

struct LayerKind {
  std::string_view media;  // behind kLayerPrefix
  wire::FileRole role;
  std::string_view path;  // what the file is called here
};
// In the order of a manifest.
[[nodiscard]] std::span<const LayerKind> layer_kinds();

// "latest" unless another one is named.
[[nodiscard]] std::string tag_of(const Reference& reference);
// The registry that the reference names, else the one of the settings.
[[nodiscard]] Result<net::Url> registry_of(const Settings& settings, const Reference& reference);
// Where the challenge of a 401 sends for a token, with what it wants to be asked there. Code::permission_denied when that is another host
// than the registry: a registry must not make us call, or sign for, others.
[[nodiscard]] Result<net::Url> token_address(const net::Url& registry, std::string_view challenge);

}  // namespace puna::hub
