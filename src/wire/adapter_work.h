// Adapters on their way out of the library and into it: merged into models, written in other programs' forms, read from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/error.h"

namespace puna::wire {

// How the tensors that an adapter changes are stored in the merged model.
enum class MergeType {
  same,  // each in the type that it has in the base
  f32,
  f16,
  bf16,
  q8_0
};
BOOST_DESCRIBE_ENUM(MergeType, same, f32, f16, bf16, q8_0)

struct MergeRequest {
  std::string model;                // "BASE+ADAPTER", with further "+ADAPTER"; or an adapter that a run made, for its own base
  std::optional<std::string> name;  // of the new model; default: made of both names
  std::optional<MergeType> type;    // default: same, or q8_0 where that would lose most of what the adapter does
};
BOOST_DESCRIBE_STRUCT(MergeRequest, (), (model, name, type))

// Of a completed job.
struct MergeResult {
  std::string name;
  std::string base;
  std::vector<std::string> adapters;
  std::string sha256;
  std::int64_t size = 0;
  std::int64_t base_size = 0;
  std::int64_t tensors = 0;           // that changed
  MergeType type = MergeType::same;   // how they are stored
  double rounding = 0;                // what rounding took, as a share of the change: 0.1 is a tenth
  std::int64_t tokens = 0;            // of a text that base with adapters and merged model both read
  double divergence = 0;              // mean Kullback-Leibler divergence between them, in nats
  double same_choice = 0;             // share of tokens after which both hold the same one for the likeliest
  double lost = 0;                    // divergence, as a share of what it would be without the adapter: 1 is as if it were not there
  std::optional<std::string> chosen;  // why they are stored as they are, when no type was asked for and the base's would not do
  std::optional<std::string> advice;  // when too much was lost
};
BOOST_DESCRIBE_STRUCT(MergeResult, (),
                      (name, base, adapters, sha256, size, base_size, tensors, type, rounding, tokens, divergence, same_choice, lost,
                       chosen, advice))

enum class ExportForm {
  gguf,   // the adapter as llama.cpp loads it
  peft,   // adapter_config.json and adapter_model.safetensors, for transformers
  ollama  // the adapter, and a Modelfile that `ollama create` takes
};
BOOST_DESCRIBE_ENUM(ExportForm, gguf, peft, ollama)

struct ExportRequest {
  std::string model;  // "BASE+ADAPTER", or an adapter that a run made
  ExportForm form = ExportForm::peft;
  std::string folder;                     // absolute path, on the daemon's machine; made if it is not there, else it must be empty
  std::optional<std::string> base_model;  // what transformers loads the base from; default: what the library knows
};
BOOST_DESCRIBE_STRUCT(ExportRequest, (), (model, form, folder, base_model))

struct ExportResult {
  std::string folder;
  std::vector<std::string> files;
};
BOOST_DESCRIBE_STRUCT(ExportResult, (), (folder, files))

struct ImportRequest {
  std::string model;                // the base, of the library
  std::string folder;               // absolute path, on the daemon's machine: a LoRA in PEFT's form
  std::optional<std::string> name;  // of the adapter in the library; default: the folder's
};
BOOST_DESCRIBE_STRUCT(ImportRequest, (), (model, folder, name))

struct ImportResult {
  std::string name;
  std::string base;
  std::string serves;  // what `puna run` takes
};
BOOST_DESCRIBE_STRUCT(ImportResult, (), (name, base, serves))

enum class AdapterAct { merge, to_peft, from_peft };
BOOST_DESCRIBE_ENUM(AdapterAct, merge, to_peft, from_peft)

// What the daemon has a child do: the file that `puna adapter FILE` reads.
struct AdapterOrder {
  AdapterAct act = AdapterAct::merge;
  std::vector<std::string> base;      // files: the parts of the model, in order
  std::vector<std::string> adapters;  // files in GGUF; for from_peft the folder
  std::string output;                 // a file; for to_peft a folder
  std::string name;                   // of what is made
  std::optional<MergeType> type;      // as in MergeRequest
  std::string base_model;             // for to_peft
  std::int64_t threads = 0;           // 0: one for each physical core
};
BOOST_DESCRIBE_STRUCT(AdapterOrder, (), (act, base, adapters, output, name, type, base_model, threads))

// What the child tells on its standard output, one JSON object a line.
struct AdapterLine {
  std::optional<std::string> phase;
  std::optional<std::int64_t> done;  // bytes
  std::optional<std::int64_t> total;
  std::optional<MergeResult> merged;  // as far as the child knows
  std::optional<ErrorDetail> error;   // the last line, or
  std::optional<bool> finished;       // the last line when all is well
};
BOOST_DESCRIBE_STRUCT(AdapterLine, (), (phase, done, total, merged, error, finished))

}  // namespace puna::wire
