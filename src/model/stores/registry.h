// The stores, one file each.
#pragma once

#include "model/stores/spec.h"

namespace puna::model {

extern const StoreSpec kHuggingFaceStore;  // huggingface.cpp
extern const StoreSpec kOllamaStore;       // ollama.cpp
extern const StoreSpec kLmStudioStore;     // lm_studio.cpp
extern const StoreSpec kLlamaCppStore;     // llama_cpp.cpp
extern const StoreSpec kFoldersStore;      // folders.cpp

}  // namespace puna::model
