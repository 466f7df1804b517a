// Phi 3, 3.5 and 4, dense: fused maps. Like llama.cpp, without the window that some of their files name.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kPhi3{.name = "phi3", .pairing = Pairing::halves, .factors_by_length = true, .fused = true};

}  // namespace puna::tune
