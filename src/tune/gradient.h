// How a gradient arrives where others may already be.
#pragma once

namespace puna::tune {

enum class Gradient : bool { add, replace };

}  // namespace puna::tune
