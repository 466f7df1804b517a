// Files that clients bring before they make a model of them, by the SHA-256 of their content.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "api/call.h"

namespace puna::api::ollama {

// "sha256:…" or "sha256-…" to its digits. Code::invalid_argument.
[[nodiscard]] Result<std::string> parse_digest(std::string_view digest);

// Where the content lies, uploaded or in the library; Code::not_found. Looks at the disk.
[[nodiscard]] Result<std::filesystem::path> find_content(app::Workbench& workbench, const std::string& sha256);

// Reads the request's body to a file of that content. Code::invalid_argument when it has another one. False: it was here already.
[[nodiscard]] net::Task<Result<bool>> receive(Call& call, const std::string& sha256);

// After a model was made of it, or when it has lain for a day.
void forget_upload(app::Workbench& workbench, const std::string& sha256);

}  // namespace puna::api::ollama
