// Llama 2 and 3, Mistral, SmolLM and all that were published in their shape. Their converter permutes q and k, so that neighbours turn.
#include "tune/architectures/members.h"

namespace puna::tune {

constexpr ArchitectureSpec kLlama{.name = "llama", .pairing = Pairing::neighbours, .frequency_factors = true};

}  // namespace puna::tune
