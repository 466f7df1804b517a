// Settings for a model on this machine.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "gguf/reader.h"
#include "model/library.h"
#include "os/hardware.h"
#include "wire/profile.h"
#include "wire/system.h"

namespace puna::profile {

// What the recommendation is made from.
struct Machine {
  os::HardwareInfo hardware;
  std::vector<wire::ComputeDevice> devices;  // besides the processor
};
struct Candidate {
  std::string name;
  Bytes files;  // of everything that is loaded
};

// `headers` are those of the weights, the first part first; what they take is fleet::predict's word. Never asks for more memory than there
// is; Code::out_of_memory with the arithmetic when the model does not fit even with the shortest context.
[[nodiscard]] Result<wire::ProfileRecommendation> recommend(const Candidate& candidate, const std::vector<gguf::Header>& headers,
                                                            const Machine& machine);
// Looks the model up. Blocks.
[[nodiscard]] Result<wire::ProfileRecommendation> recommend_for(model::Library& library, std::string_view model, const Machine& machine);

}  // namespace puna::profile
