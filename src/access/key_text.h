// The text of an API key. It is 256 random bits, so nobody can guess it from its hash: SHA-256 stores it as safely as a slow hash would,
// and costs a microsecond a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "net/http_types.h"

namespace puna::access {

inline constexpr std::string_view kKeyBeginning = "puna_";

// "puna_" and 43 letters and digits, from the kernel's generator.
[[nodiscard]] Result<Secret> new_key_text();
[[nodiscard]] bool looks_like_key(std::string_view text);
// What may be shown of it.
[[nodiscard]] std::string shown_beginning(std::string_view key);

// What a request carries as `Authorization: Bearer …` or `x-api-key: …`: the one that looks like a key of ours, if any does. Clients that
// must send something send words such as "none".
[[nodiscard]] std::optional<Secret> presented_key(const net::Headers& headers);

}  // namespace puna::access
