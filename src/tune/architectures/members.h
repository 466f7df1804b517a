// One constant for each file of this folder.
#pragma once

#include "tune/architectures/spec.h"

namespace puna::tune {

extern const ArchitectureSpec kGemma;
extern const ArchitectureSpec kGemma2;
extern const ArchitectureSpec kGemma3;
extern const ArchitectureSpec kLlama;
extern const ArchitectureSpec kPhi3;
extern const ArchitectureSpec kQwen2;
extern const ArchitectureSpec kQwen3;

}  // namespace puna::tune
