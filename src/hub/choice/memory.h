// Whether a model will run here, from its header alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/settings.h"
#include "base/units.h"
#include "gguf/reader.h"
#include "os/hardware.h"
#include "wire/hub.h"

namespace puna::hub {

// What a header says that does not depend on the quantization.
struct ModelFacts {
  std::string architecture;
  std::optional<std::uint64_t> context_length;
  std::uint64_t parameters = 0;  // of the file at hand
  std::optional<std::string> chat_template;
  std::optional<std::uint64_t> cache_per_token;  // bytes of keys and values, 16 bits each, all layers; an upper bound for sliding windows
};
[[nodiscard]] ModelFacts facts_of(const gguf::Header& header);

// With the context length and slots of the settings; without facts, of the weights alone.
[[nodiscard]] wire::MemoryNeed memory_need(Bytes weights, const std::optional<ModelFacts>& facts, const Settings& settings,
                                           const os::HardwareInfo& hardware);

}  // namespace puna::hub
