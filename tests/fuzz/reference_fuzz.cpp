// What parse_reference accepts is written and read back as the same reference, and no part of it leads out of its folder.
#include <cstdlib>

#include "base/text.h"
#include "hub/reference.h"

namespace {

bool climbs(std::string_view path) {
  for (const auto part : puna::split(path, '/'))
    if (part == "..") return true;
  return path.contains('\\') || path.contains('\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace puna::hub;
  const auto reference = parse_reference(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!reference) return 0;
  const auto again = parse_reference(reference->text());
  if (!again || again->text() != reference->text() || again->catalogue != reference->catalogue) std::abort();
  if (climbs(reference->repository) || climbs(reference->revision) || reference->repository.contains('%')) std::abort();
  if (reference->catalogue == kFile && !reference->place.starts_with('/')) std::abort();
  const bool regex = reference->choice.starts_with('/') && reference->choice.ends_with('/');
  if (!regex && climbs(reference->choice)) std::abort();
  return 0;
}
