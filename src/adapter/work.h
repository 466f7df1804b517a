// `puna adapter ORDER.json`: the child that does what takes a model's arithmetic, so that a fault in a file ends it and not the daemon.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "wire/adapter_work.h"

namespace puna::adapter {

// `words` after "adapter". Tells wire::AdapterLine on the standard output; 0 when all is well.
[[nodiscard]] int run(std::span<const std::string_view> words);

}  // namespace puna::adapter
