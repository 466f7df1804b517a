#include "api/openai/tables.h"

#include <array>

namespace puna::api::openai {
namespace {

using enum Kind;

// What chat and plain completions share: sampling, length, streaming.
#define PUNA_SAMPLING_PARAMETERS                                                                                                      \
  Parameter{"model", text}, Parameter{"stream", boolean}, Parameter{"stream_options", object},                                        \
      Parameter{"temperature", number, Treatment::honoured, 0, 100}, Parameter{"top_p", number, Treatment::honoured, 0, 1},           \
      Parameter{"n", integer, Treatment::honoured, 1, 256}, Parameter{"max_tokens", integer, Treatment::honoured, 1, kUnbounded},     \
      Parameter{"stop", text_or_list}, Parameter{"seed", integer, Treatment::honoured, -1, 4294967295.0},                             \
      Parameter{"presence_penalty", number, Treatment::honoured, -2, 2},                                                              \
      Parameter{"frequency_penalty", number, Treatment::honoured, -2, 2}, Parameter{"logit_bias", token_map}, noted("user", text),    \
      extension("top_k", integer, 0), extension("min_p", number, 0, 1), extension("typical_p", number, 0, 1),                         \
      extension("top_n_sigma", number), extension("repeat_penalty", number, 0), extension("repeat_last_n", integer, 0),               \
      extension("dynatemp_range", number, 0), extension("dynatemp_exponent", number, 0), extension("mirostat", integer, 0, 2),        \
      extension("mirostat_tau", number, 0), extension("mirostat_eta", number, 0), extension("dry_multiplier", number, 0),             \
      extension("dry_base", number, 0), extension("dry_allowed_length", integer, 0), extension("dry_penalty_last_n", integer, -1),    \
      extension("dry_sequence_breakers", list), extension("xtc_probability", number, 0, 1), extension("xtc_threshold", number, 0, 1), \
      extension("min_keep", integer, 0), extension("samplers", list), extension("grammar", text), extension("json_schema", object),   \
      extension("ignore_eos", boolean), extension("cache_prompt", boolean), extension("timings_per_token", boolean),                  \
      extension("return_progress", boolean), extension("keep_alive", any)

constexpr std::array kChat = {
    PUNA_SAMPLING_PARAMETERS,
    Parameter{"messages", list},
    Parameter{"max_completion_tokens", integer, Treatment::honoured, 1, kUnbounded},
    Parameter{"logprobs", boolean},
    Parameter{"top_logprobs", integer, Treatment::honoured, 0, 20},
    Parameter{"response_format", object},
    Parameter{"tools", list},
    Parameter{"tool_choice", any},
    Parameter{"parallel_tool_calls", boolean},
    Parameter{"reasoning_effort", text},
    extension("reasoning_format", text),
    extension("thinking_budget_tokens", integer, -1),
    extension("chat_template_kwargs", object),
    extension("add_generation_prompt", boolean),
    extension("continue_final_message", any),
    noted("metadata", object),
    noted("safety_identifier", text),
    noted("prompt_cache_key", text),
    noted("prompt_cache_retention", text),
    noted("service_tier", text),
    Parameter{"store", boolean},
    Parameter{"modalities", list},
    refused("functions", "use 'tools'"),
    refused("function_call", "use 'tool_choice'"),
    refused("audio", "this server answers in text"),
    refused("prediction", "predicted outputs are not supported"),
    refused("web_search_options", "this server does not search the web"),
    refused("verbosity", "ask for the length you want in the prompt"),
};

constexpr std::array kCompletions = {
    PUNA_SAMPLING_PARAMETERS,
    Parameter{"prompt", any},
    Parameter{"logprobs", integer, Treatment::honoured, 0, 20},
    Parameter{"echo", boolean},
    refused("suffix", "fill-in-the-middle is not offered here"),
    refused("best_of", "use 'n'"),
};
#undef PUNA_SAMPLING_PARAMETERS

constexpr std::array kEmbeddings = {
    Parameter{"model", text},
    Parameter{"input", any},
    Parameter{"encoding_format", text},
    noted("user", text),
    refused("dimensions", "the model's own number of dimensions is returned; shorten the vectors yourself"),
    extension("keep_alive", any),
};

constexpr std::array kTables = {
    ConformanceTable{"POST /v1/chat/completions", kChat}, ConformanceTable{"POST /v1/completions", kCompletions},
    ConformanceTable{"POST /v1/embeddings", kEmbeddings}, ConformanceTable{"GET /v1/models"},
    ConformanceTable{"GET /v1/models/{model}"},
};

}  // namespace

const ConformanceTable& table(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::chat:
      return kTables[0];
    case Endpoint::completions:
      return kTables[1];
    case Endpoint::embeddings:
      return kTables[2];
  }
  return kTables[0];
}

std::span<const ConformanceTable> tables() {
  return kTables;
}

}  // namespace puna::api::openai
