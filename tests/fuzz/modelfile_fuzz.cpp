// Recipes of any bytes are taken or refused with words; what is taken names a base.
#include <cstdlib>

#include "model/model_recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {puna::model::parse_modelfile, puna::model::parse_recipe_toml}) {
    const auto made = parse(text);
    if (made ? made->from.empty() : made.error().message.empty()) std::abort();
  }
  return 0;
}
