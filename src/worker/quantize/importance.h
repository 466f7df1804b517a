// An importance matrix: how much each column of a model's weights matters, measured over some text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace puna::worker {

struct ImportanceMatrix {
  std::map<std::string, std::vector<float>> weights;  // by tensor: mean square of what each column was multiplied with
  std::int64_t chunks = 0;                            // of text that it was measured over; 0: not told
};

// Both of llama.cpp's formats. Code::corrupt_data when it is neither. May abort on hostile files: call it in a child.
[[nodiscard]] Result<ImportanceMatrix> read_importance(const std::filesystem::path& file);

}  // namespace puna::worker
