// What is suspicious in the text of a row that can be used.
#pragma once

#include "dataset/finding.h"
#include "dataset/row.h"

namespace puna::dataset {

// Control characters, lost characters, wrong decoding, more than `very_long` characters. At most one problem of a kind.
void check_text(const Row& row, std::size_t characters, std::size_t very_long, Problems& problems);

}  // namespace puna::dataset
