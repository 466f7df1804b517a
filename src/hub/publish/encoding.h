// How the hub wants contents written and named.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "hub/publish/cargo.h"

namespace puna::hub::publish {

[[nodiscard]] std::string base64(std::string_view bytes);
// The name that git gives the content: SHA-1 of "blob <size>\0" and the bytes.
[[nodiscard]] std::string git_blob_sha1(std::string_view content);
[[nodiscard]] Result<std::string> beginning_of(const CargoFile& file, std::size_t most);

}  // namespace puna::hub::publish
