// Whether a LoRA adapter is made for a model.
#pragma once

#include <string_view>

#include "base/error.h"
#include "gguf/reader.h"

namespace puna::gguf {

// Code::invalid_argument names what does not fit: no adapter at all, another architecture, a tensor that the base lacks or that has another
// shape there; Code::unsupported for adapters of other kinds. Of a base in several parts only the tensors of this header are compared.
[[nodiscard]] Result<> check_adapter_fit(const Header& adapter, const Header& base, std::string_view adapter_name,
                                         std::string_view base_name);

}  // namespace puna::gguf
