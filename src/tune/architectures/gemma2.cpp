// Gemma 2: every second layer sees a window; scores and logits are capped.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kGemma2{.name = "gemma2",
                                   .pairing = Pairing::halves,
                                   .activation = Activation::gelu,
                                   .scaled_embedding = true,
                                   .result_norms = true,
                                   .window_pattern = 2,
                                   .window = 4096,
                                   .score_cap = 50,
                                   .logit_cap = 30,
                                   .layers_of_largest = 46};

}  // namespace puna::tune
