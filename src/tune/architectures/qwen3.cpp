// Qwen 3, dense: queries and keys are normalised, and a head may be wider than width / heads.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kQwen3{.name = "qwen3", .pairing = Pairing::halves, .head_norms = true};

}  // namespace puna::tune
