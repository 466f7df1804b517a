// Qwen 2 and 2.5: biases on q, k and v, which the file brings.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kQwen2{.name = "qwen2", .pairing = Pairing::halves};

}  // namespace puna::tune
