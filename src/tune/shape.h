// The sizes of a model, from the metadata of its file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "gguf/reader.h"
#include "tune/architectures/spec.h"

namespace puna::tune {

struct Shape {
  const ArchitectureSpec* architecture = nullptr;
  std::size_t layers = 0;
  std::size_t width = 0;       // of the residual stream
  std::size_t heads = 0;       // of queries
  std::size_t heads_kv = 0;    // of keys and values; divides heads
  std::size_t head_width = 0;  // of queries, keys and values alike
  std::size_t inner = 0;       // of the feed-forward network
  std::size_t vocabulary = 0;
  std::size_t context = 0;  // tokens that the model was made for
  float norm_epsilon = 0;
  float rotary_base = 10000;
  float rotary_scale = 1;         // positions are multiplied by it
  float rotary_size = 1;          // by which the rotation makes queries and keys longer
  std::size_t first_context = 0;  // tokens that it was first trained with; see ArchitectureSpec::factors_by_length
  float attention_scale = 0;      // of products of queries and keys
  float score_cap = 0;            // see ArchitectureSpec; 0: none
  float logit_cap = 0;
  std::size_t window = 0;            // tokens that a layer with a window sees, itself among them
  std::vector<bool> windowed;        // by layer; empty: none has a window
  float window_rotary_base = 10000;  // of these layers
  float window_rotary_scale = 1;

  [[nodiscard]] std::size_t query_width() const { return heads * head_width; }
  [[nodiscard]] std::size_t key_width() const { return heads_kv * head_width; }
  // Tokens that a layer sees; 0: all.
  [[nodiscard]] std::size_t window_of(std::size_t layer) const { return windowed.empty() || !windowed[layer] ? 0 : window; }
};

// Code::unsupported names the reason when this build cannot train such a model, and says what it can train.
[[nodiscard]] Result<Shape> read_shape(const gguf::Header& header);

}  // namespace puna::tune
