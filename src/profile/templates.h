// Chat templates that profiles bring along, as files for the workers: named by their content.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/error.h"
#include "wire/profile.h"

namespace puna::profile {

// Written unless it is there. Blocks.
[[nodiscard]] Result<std::filesystem::path> keep_template(const std::string& text, const std::filesystem::path& folder);
// Removes those that none of the profiles has; one that gets its template back writes it again. Only while no worker runs. Blocks.
[[nodiscard]] Result<> drop_unused_templates(std::span<const wire::Profile> profiles, const std::filesystem::path& folder);

}  // namespace puna::profile
