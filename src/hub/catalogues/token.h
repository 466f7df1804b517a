// The access token for Hugging Face: from the settings, else from the file that other programs share.
#pragma once

#include "base/secret.h"
#include "hub/catalogues/spec.h"

namespace puna::hub {

// Empty when there is none. Reads a small file: quick enough for the network thread.
[[nodiscard]] Secret hub_token(const SettingsStore& settings, const os::Environment& environment);
[[nodiscard]] Secret hub_token(const Access& access);

}  // namespace puna::hub
