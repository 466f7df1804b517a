// What a quantization would come to, asked of llama.cpp itself.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "quantize/order.h"
#include "quantize/quantizer.h"
#include "quantize/source.h"
#include "quantize/work_folder.h"

namespace puna::quantize {

// The words of the child that quantizes.
[[nodiscard]] Result<std::vector<std::string>> quantize_words(const QuantizerParts& parts, const Source& source, const Order& order);

struct Survey {
  Bytes size;                  // of the new file
  std::int64_t fallbacks = 0;  // tensors that get a larger type than the level's
};
// Runs the quantizer without writing; blocks for as long as reading a header takes.
[[nodiscard]] Result<Survey> survey_of(const QuantizerParts& parts, const Source& source, const Order& order, const WorkFolder& work,
                                       const std::stop_token& stop);

}  // namespace puna::quantize
