#include "quantize/default_name.h"

#include <fmt/format.h>

#include "base/text.h"

namespace puna::quantize {
namespace {

// "135m-f16" without "f16" and what joins them.
std::string without_ending(std::string_view text, std::string_view ending) {
  if (ending.empty() || !lower_ascii(text).ends_with(ending)) return std::string(text);
  text.remove_suffix(ending.size());
  if (!text.empty() && text.find_last_of("-_.") == text.size() - 1) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

model::Name default_name(const model::Name& source, std::string_view source_quantization, std::string_view level) {
  const auto old = source.tag() == model::kDefaultTag ? std::string() : without_ending(source.tag(), lower_ascii(source_quantization));
  const auto added = lower_ascii(level);
  return source.with_tag(old.empty() ? added : fmt::format("{}-{}", old, added));
}

}  // namespace puna::quantize
