// The model that is to become smaller.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"
#include "gguf/types.h"
#include "model/library.h"
#include "quantize/levels.h"
#include "wire/model.h"

namespace puna::quantize {

struct Source {
  wire::ModelDetail detail;
  std::map<std::string, gguf::TensorInfo, std::less<>> tensors;  // of all parts
  Bytes weights;                                                 // of all tensors
  Bytes rest;                                                    // metadata: what of the files is no tensor
};

// Reads the headers of a model in the library. Code::not_found, Code::conflict for a damaged one, Code::unsupported for what llama.cpp's
// quantizer does not take: other formats than GGUF, parts of models.
[[nodiscard]] Result<Source> read_source(model::Library& library, std::string_view name);

// Code::conflict when it has that level already, Code::unsupported when its weights are quantized and `requantize` is not set.
[[nodiscard]] Result<> check_types(const Source& source, const Level& level, bool requantize);

}  // namespace puna::quantize
