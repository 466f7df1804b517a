// The files of a repository in the groups that belong together: one for each quantization.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "hub/listing.h"

namespace puna::hub {

struct Variant {
  std::string name;               // "Q4_K_M", "safetensors"; the stem of a file that names no quantization
  std::string format;             // "gguf", "safetensors"
  std::vector<ListedFile> files;  // the weights in the order of their parts, then what comes along
  std::size_t parts = 1;          // of the weights, those that are missing included
  std::string problem;            // why it cannot be taken

  [[nodiscard]] std::span<const ListedFile> weights() const;
  [[nodiscard]] std::optional<Bytes> size() const;  // of all files; nullopt when one is unknown
};

// Smallest first. Split sets are one variant, with a problem when a part is missing; a vision model's GGUF brings the nearest projector
// along (F16 before others), safetensors bring config and tokenizer along. Importance matrices and draft models are no variants.
[[nodiscard]] std::vector<Variant> variants_of(const Listing& listing);

}  // namespace puna::hub
