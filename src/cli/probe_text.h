// What came out when a model was tried, for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wire/probe.h"

namespace puna::cli {

// For a column: "chat tools thinking"; "!tools" fails, "?loads" was not tried.
[[nodiscard]] std::string badges_of(const wire::ModelProbe& probe);
// A line for each part: "tools" and "works", "fails: …", "no", "not tried: …".
[[nodiscard]] std::vector<std::pair<std::string, std::string>> findings_of(const wire::ModelProbe& probe);
[[nodiscard]] bool something_fails(const wire::ModelProbe& probe);

}  // namespace puna::cli
