#include "hub/file_magic.h"

#include <fmt/format.h>

#include "base/text.h"

namespace puna::hub {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kPageAdvice = "the link may need a login, or lead to a page about the file: use the link of the file itself";

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

}  // namespace

Result<> require_gguf(std::string_view beginning, std::string_view content_type) {
  if (beginning.starts_with(kMagic)) return {};
  const std::string type = lower_ascii(media_type(content_type));
  const std::string named = type.empty() ? "" : fmt::format(" ({})", printable(type));
  const std::string_view text = trim(beginning);
  if (beginning.empty()) return fail(Code::corrupt_data, "the file is empty");
  if (type.ends_with("json") || text.starts_with('{'))
    return fail(Code::corrupt_data, fmt::format("JSON{} came instead of a model file: {}", named, kPageAdvice));
  if (type == "text/html" || type == "application/xhtml+xml" || text.starts_with('<'))
    return fail(Code::corrupt_data, fmt::format("a web page{} came instead of a model file: {}", named, kPageAdvice));
  if (beginning.starts_with("version https://git-lfs"))
    return fail(Code::corrupt_data, "a Git LFS pointer came instead of the model file it stands for: use the link of the file's contents");
  return fail(Code::corrupt_data, fmt::format("this is no GGUF file{}: it begins with '{}' instead of '{}'", named,
                                              printable(beginning.substr(0, kMagicBytes)), kMagic));
}

}  // namespace puna::hub
