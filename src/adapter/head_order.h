// The order of the rows of q and k. transformers turns number i of a head with number i + width/2, llama.cpp turns neighbours in some
// architectures: there the converter has laid the rows of these maps out anew, and an adapter's B goes with them.
#pragma once

#include <span>
#include <vector>

#include "tune/adapter.h"
#include "tune/model.h"

namespace puna::adapter {

enum class RowOrder : bool { transformers, gguf };

// B [out, rank] of the pair with its rows in that order, from the other one; unchanged where both are the same.
[[nodiscard]] std::vector<float> reordered(const tune::Shape& shape, const tune::LoraPair& pair, std::span<const float> b, RowOrder to);

}  // namespace puna::adapter
