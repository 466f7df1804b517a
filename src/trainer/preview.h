// What a run would learn from, token by token.
#pragma once

#include <string>
#include <vector>

#include "trainer/rows.h"
#include "wire/tune.h"

namespace puna::trainer {

// Every token with its text and weight; a character of several tokens stands with its last one.
[[nodiscard]] std::vector<wire::TunePiece> pieces_of(const inference::Vocabulary& vocabulary, const tune::TokenRow& row);

// The first rows that are trained, exactly as they are. Open `data` with the renderer's counter: then its report names the rows that cannot
// be rendered, and none of them is here.
[[nodiscard]] Result<wire::TunePreview> preview(const dataset::Dataset& data, const RowRenderer& renderer, std::string model,
                                                std::size_t count);

}  // namespace puna::trainer
