// Making a model smaller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/error.h"
#include "wire/model.h"

namespace puna::wire {

struct QuantizeLevel {
  std::string name;                  // "Q4_K_M"
  double bits_per_weight = 0;        // over all of a llama model of 8 billion parameters; others differ a little
  bool needs_imatrix = false;        // refused without an importance matrix
  std::string advice;                // one line
  std::optional<std::int64_t> size;  // bytes that the model asked about takes, nearly
};
BOOST_DESCRIBE_STRUCT(QuantizeLevel, (), (name, bits_per_weight, needs_imatrix, advice, size))

struct QuantizeLevels {
  std::vector<QuantizeLevel> levels;  // largest first
};
BOOST_DESCRIBE_STRUCT(QuantizeLevels, (), (levels))

struct QuantizeRequest {
  std::string level;                   // in any case: "q4_k_m"
  std::optional<std::string> name;     // of the new model; default: the model's name with the level in its tag
  std::optional<std::string> imatrix;  // absolute path of an importance matrix, as llama.cpp's imatrix writes it
  std::optional<bool> requantize;      // take a source that is quantized already, at a loss
};
BOOST_DESCRIBE_STRUCT(QuantizeRequest, (), (level, name, imatrix, requantize))

// What would happen; nothing has.
struct QuantizePlan {
  std::string model;  // its full name
  std::string name;   // the new model's
  std::string level;
  std::int64_t source_size = 0;  // of the weights, in bytes
  std::int64_t size = 0;         // of the new file, to the byte but for its metadata
  std::int64_t tensors = 0;
  std::int64_t fallbacks = 0;  // tensors whose rows do not fit the level and so get a larger type
  std::int64_t free_bytes = 0;
  std::string advice;
};
BOOST_DESCRIBE_STRUCT(QuantizePlan, (), (model, name, level, source_size, size, tensors, fallbacks, free_bytes, advice))

// Of a completed job.
struct QuantizeResult {
  std::string name;
  std::string level;
  std::string sha256;
  std::int64_t size = 0;
  std::int64_t source_size = 0;
};
BOOST_DESCRIBE_STRUCT(QuantizeResult, (), (name, level, sha256, size, source_size))

// What the child process tells on its standard output, one JSON object a line; `puna worker --quantize` and `puna worker --try`.
struct QuantizeLine {
  std::optional<std::string> tensor;      // begins with this one
  std::optional<std::string> type;        // planning: what the tensor named last becomes, "q6_K"
  std::optional<std::int64_t> fallbacks;  // planning: so many tensors get another type than the level's
  std::optional<ErrorDetail> error;       // the last line, or
  std::optional<WorkerFault> fault;       // last words, with their message
  std::optional<std::string> message;
  std::optional<bool> finished;  // the last line when all is well
};
BOOST_DESCRIBE_STRUCT(QuantizeLine, (), (tensor, type, fallbacks, error, fault, message, finished))

}  // namespace puna::wire
