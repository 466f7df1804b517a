// Gemma, the first: the converter has added the one that its norms leave out.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kGemma{.name = "gemma", .pairing = Pairing::halves, .activation = Activation::gelu, .scaled_embedding = true};

}  // namespace puna::tune
