// Gemma 3: five layers with a window for each that sees all, and heads' norms in place of caps.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kGemma3{.name = "gemma3",
                                   .pairing = Pairing::halves,
                                   .head_norms = true,
                                   .activation = Activation::gelu,
                                   .scaled_embedding = true,
                                   .result_norms = true,
                                   .window_pattern = 6,
                                   .window_rotation = true,
                                   .layers_of_largest = 62};

}  // namespace puna::tune
