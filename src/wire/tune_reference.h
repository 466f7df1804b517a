// The table of training's settings as the API shows it.
#pragma once

#include "wire/tune.h"

namespace puna::wire {

[[nodiscard]] TuneSettingList tune_reference();

}  // namespace puna::wire
