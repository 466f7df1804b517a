#include "hub/sources/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/secret.h"
#include "base/text.h"

namespace puna::hub {

std::span<const SourceSpec> sources() {
  static const std::array all = {kUrlSource, kFileSource};
  return all;
}

Result<const SourceSpec*> find_source(std::string_view source) {
  const auto found = std::ranges::find_if(sources(), [&](const SourceSpec& spec) { return spec.accepts(source); });
  if (found != sources().end()) return &*found;
  std::vector<std::string> forms;
  for (const auto& spec : sources()) forms.emplace_back(spec.form);
  return fail(Code::invalid_argument,
              fmt::format("'{}' is no source that can be pulled from: give {}", printable(redact(source)), join(forms, " or ")));
}

}  // namespace puna::hub
