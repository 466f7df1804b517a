#include "api/openai/tables.h"

#include <array>

namespace puna::api::openai {
namespace {

using enum Kind;

// llama.cpp's samplers and our own members, wherever text is generated.
#define PUNA_GENERATION_EXTENSIONS                                                                                                    \
  extension("top_k", integer, 0), extension("min_p", number, 0, 1), extension("typical_p", number, 0, 1),                             \
      extension("top_n_sigma", number), extension("repeat_penalty", number, 0), extension("repeat_last_n", integer, 0),               \
      extension("dynatemp_range", number, 0), extension("dynatemp_exponent", number, 0), extension("mirostat", integer, 0, 2),        \
      extension("mirostat_tau", number, 0), extension("mirostat_eta", number, 0), extension("dry_multiplier", number, 0),             \
      extension("dry_base", number, 0), extension("dry_allowed_length", integer, 0), extension("dry_penalty_last_n", integer, -1),    \
      extension("dry_sequence_breakers", list), extension("xtc_probability", number, 0, 1), extension("xtc_threshold", number, 0, 1), \
      extension("min_keep", integer, 0), extension("samplers", list), extension("grammar", text), extension("json_schema", object),   \
      extension("ignore_eos", boolean), extension("cache_prompt", boolean), extension("timings_per_token", boolean),                  \
      extension("return_progress", boolean), extension("keep_alive", any), extension("adapters", list)

// What chat and plain completions share: sampling, length, streaming.
#define PUNA_SAMPLING_PARAMETERS                                                                                                   \
  Parameter{"model", text}, Parameter{"stream", boolean}, Parameter{"stream_options", object},                                     \
      Parameter{"temperature", number, Treatment::honoured, 0, 100}, Parameter{"top_p", number, Treatment::honoured, 0, 1},        \
      Parameter{"n", integer, Treatment::honoured, 1, 256}, Parameter{"max_tokens", integer, Treatment::honoured, 1, kUnbounded},  \
      Parameter{"stop", text_or_list}, Parameter{"seed", integer, Treatment::honoured, -1, 4294967295.0},                          \
      Parameter{"presence_penalty", number, Treatment::honoured, -2, 2},                                                           \
      Parameter{"frequency_penalty", number, Treatment::honoured, -2, 2}, Parameter{"logit_bias", token_map}, noted("user", text), \
      PUNA_GENERATION_EXTENSIONS

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
    extension("truncation", text),
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

constexpr std::array kResponses = {
    Parameter{"model", text},
    Parameter{"input", any},
    Parameter{"instructions", text},
    Parameter{"stream", boolean},
    noted("stream_options", object, "nothing is obfuscated"),
    Parameter{"temperature", number, Treatment::honoured, 0, 100},
    Parameter{"top_p", number, Treatment::honoured, 0, 1},
    Parameter{"max_output_tokens", integer, Treatment::honoured, 1, kUnbounded},
    Parameter{"top_logprobs", integer, Treatment::honoured, 0, 20},
    with_note({"tools", list}, "functions; others are refused by name"),
    Parameter{"tool_choice", any},
    Parameter{"parallel_tool_calls", boolean},
    Parameter{"text", object},
    Parameter{"reasoning", object},
    Parameter{"include", list},
    Parameter{"metadata", object},
    with_note({"store", boolean}, "kept within responses.size and responses.keep"),
    Parameter{"previous_response_id", text},
    Parameter{"truncation", text},
    with_note({"background", boolean}, "false; for later answers there is /v1/batches"),
    noted("max_tool_calls", integer, "counts tools that the server runs, of which there are none"),
    noted("user", text),
    noted("safety_identifier", text),
    noted("prompt_cache_key", text),
    noted("prompt_cache_options", object),
    noted("prompt_cache_retention", text),
    noted("service_tier", text),
    refused("conversation", "go on with 'previous_response_id'"),
    refused("prompt", "prompts are not stored here; send 'instructions' and 'input'"),
    refused("moderation", "this server does not moderate"),
    refused("context_management", "use 'truncation'"),
    refused("access_programs", "leave it out"),
    extension("seed", integer, -1, 4294967295.0),
    extension("stop", text_or_list),
    extension("presence_penalty", number, -2, 2),
    extension("frequency_penalty", number, -2, 2),
    extension("logit_bias", token_map),
    extension("chat_template_kwargs", object),
    extension("thinking_budget_tokens", integer, -1),
    PUNA_GENERATION_EXTENSIONS,
};
#undef PUNA_GENERATION_EXTENSIONS

constexpr std::array kReasoning = {
    Parameter{"effort", text},
    noted("summary", text, "the whole reasoning is given instead"),
    noted("generate_summary", text, "the whole reasoning is given instead"),
};

constexpr std::array kText = {
    Parameter{"format", object},
    with_note({"verbosity", text}, "'medium' only"),
};

constexpr std::array kEmbeddings = {
    Parameter{"model", text},
    Parameter{"input", any},
    Parameter{"encoding_format", text},
    noted("user", text),
    refused("dimensions", "the model's own number of dimensions is returned; shorten the vectors yourself"),
    extension("keep_alive", any),
};

constexpr std::array kRerank = {
    Parameter{"model", text},
    Parameter{"query", text},
    with_note({"documents", list}, "texts, or objects with 'text'"),
    Parameter{"top_n", integer, Treatment::honoured, 1, 1e6},
    Parameter{"return_documents", boolean},
    refused("rank_fields", "put the fields into the text of each document"),
    refused("max_chunks_per_doc", "split long documents yourself"),
    refused("max_tokens_per_doc", "a document that is longer than the model's context is refused with its counts"),
    extension("keep_alive", any),
};

constexpr ConformanceTable kRerankTable{"POST /v1/rerank", kRerank};
// The same under the paths of Cohere's second API and of servers without a version.
constexpr ConformanceTable kRerankV2Table{"POST /v2/rerank", kRerank};
constexpr ConformanceTable kPlainRerankTable{"POST /rerank", kRerank};

constexpr std::array kFiles = {
    with_note({"file", any}, "streamed to the disk; bounded by files.largest and files.size"),
    Parameter{"purpose", text},
    Parameter{"expires_after[anchor]", text},
    with_note({"expires_after[seconds]", text}, "from 1 to 315360000"),
};

constexpr ConformanceTable kFilesTable{"POST /v1/files", kFiles};

constexpr std::array kBatches = {
    Parameter{"input_file_id", text},
    with_note({"endpoint", text}, "/v1/chat/completions, /v1/completions, /v1/embeddings or /v1/responses"),
    with_note({"completion_window", text}, "any duration; what is not answered then expires"),
    Parameter{"metadata", object},
    Parameter{"output_expires_after", object},
};

constexpr std::array kOutputExpiry = {
    Parameter{"anchor", text},
    Parameter{"seconds", integer, Treatment::honoured, 1, 315360000},
};

constexpr ConformanceTable kBatchesTable{"POST /v1/batches", kBatches};
constexpr ConformanceTable kOutputExpiryTable{"POST /v1/batches", kOutputExpiry, "output_expires_after"};
constexpr ConformanceTable kResponsesTable{"POST /v1/responses", kResponses};
constexpr ConformanceTable kReasoningTable{"POST /v1/responses", kReasoning, "reasoning"};
constexpr ConformanceTable kTextTable{"POST /v1/responses", kText, "text"};

// In the order of Endpoint, then the others.
constexpr std::array kTables = {
    ConformanceTable{"POST /v1/chat/completions", kChat},
    ConformanceTable{"POST /v1/completions", kCompletions},
    ConformanceTable{"POST /v1/embeddings", kEmbeddings},
    kResponsesTable,
    kReasoningTable,
    kTextTable,
    ConformanceTable{"POST /v1/responses/input_tokens"},
    ConformanceTable{"GET /v1/responses/{response}"},
    ConformanceTable{"DELETE /v1/responses/{response}"},
    ConformanceTable{"GET /v1/responses/{response}/input_items"},
    kRerankTable,
    kRerankV2Table,
    kPlainRerankTable,
    kFilesTable,
    ConformanceTable{"GET /v1/files"},
    ConformanceTable{"GET /v1/files/{file}"},
    ConformanceTable{"DELETE /v1/files/{file}"},
    ConformanceTable{"GET /v1/files/{file}/content"},
    kBatchesTable,
    kOutputExpiryTable,
    ConformanceTable{"GET /v1/batches"},
    ConformanceTable{"GET /v1/batches/{batch}"},
    ConformanceTable{"POST /v1/batches/{batch}/cancel"},
    ConformanceTable{"GET /v1/models"},
    ConformanceTable{"GET /v1/models/{model}"},
};

}  // namespace

const ConformanceTable& table(Endpoint endpoint) {
  return kTables[static_cast<std::size_t>(endpoint)];
}

const ConformanceTable& responses_table() {
  return kResponsesTable;
}

const ConformanceTable& reasoning_table() {
  return kReasoningTable;
}

const ConformanceTable& text_table() {
  return kTextTable;
}

const ConformanceTable& rerank_table() {
  return kRerankTable;
}

const ConformanceTable& files_table() {
  return kFilesTable;
}

const ConformanceTable& batches_table() {
  return kBatchesTable;
}

const ConformanceTable& output_expiry_table() {
  return kOutputExpiryTable;
}

std::span<const ConformanceTable> tables() {
  return kTables;
}

}  // namespace puna::api::openai
