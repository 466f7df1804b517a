#include "api/anthropic/tables.h"

#include <array>

namespace puna::api::anthropic {
namespace {

using enum Kind;

constexpr std::string_view kCached = "the longest prefix that a slot still knows is always reused";

// What makes the prompt: all that count_tokens needs.
#define PUNA_PROMPT_PARAMETERS                                                                                          \
  Parameter{"model", text}, Parameter{"messages", list}, Parameter{"system", any}, Parameter{"tools", list},            \
      Parameter{"tool_choice", object}, Parameter{"thinking", object}, Parameter{"output_config", object},              \
      Parameter{"output_format", object}, noted("cache_control", object, kCached), noted("speed", text),                \
      noted("context_management", object, "nothing is taken out of a conversation unless `truncation` asks for it"),    \
      extension("chat_template_kwargs", object), refused("mcp_servers", "connect the MCP server on the client's side"), \
      refused("container", "give your own tools instead")

constexpr std::array kMessages = {
    PUNA_PROMPT_PARAMETERS,
    Parameter{"max_tokens", integer, Treatment::honoured, 1, kUnbounded},
    Parameter{"stop_sequences", list},
    Parameter{"stream", boolean},
    Parameter{"temperature", number, Treatment::honoured, 0, 2},
    Parameter{"top_p", number, Treatment::honoured, 0, 1},
    Parameter{"top_k", integer, Treatment::honoured, 0, kUnbounded},
    noted("metadata", object),
    noted("service_tier", text),
    noted("inference_geo", text, "answers are made on this machine"),
    noted("diagnostics", object),
    extension("min_p", number, 0, 1),
    extension("seed", integer, -1, 4294967295.0),
    extension("repeat_penalty", number, 0),
    extension("presence_penalty", number, -2, 2),
    extension("frequency_penalty", number, -2, 2),
    extension("truncation", text),
    extension("keep_alive", any),
    extension("adapters", list),
};

constexpr std::array kCountTokens = {PUNA_PROMPT_PARAMETERS};

constexpr std::array kThinking = {
    Parameter{"type", text},
    Parameter{"budget_tokens", integer, Treatment::honoured, 1, kUnbounded},
    Parameter{"display", text},
};

constexpr std::array kOutputConfig = {
    Parameter{"effort", text},
    Parameter{"format", object},
};

constexpr std::array kToolChoice = {
    Parameter{"type", text},
    Parameter{"name", text},
    Parameter{"disable_parallel_tool_use", boolean},
};

constexpr std::array kTool = {
    Parameter{"type", text},
    Parameter{"name", text},
    Parameter{"description", text},
    Parameter{"input_schema", object},
    noted("cache_control", object, kCached),
    noted("strict", boolean, "arguments are always held to the schema"),
    noted("eager_input_streaming", boolean, "arguments always stream as they are made"),
    noted("input_examples", list),
    noted("allowed_callers", list),
    noted("defer_loading", boolean, "every tool is in the prompt"),
};

constexpr std::string_view kMessagesRoute = "POST /v1/messages";

constexpr std::array kTables = {
    ConformanceTable{.endpoint = kMessagesRoute, .members = kMessages},
    ConformanceTable{.endpoint = "POST /v1/messages/count_tokens", .members = kCountTokens},
    ConformanceTable{.endpoint = kMessagesRoute, .members = kThinking, .of = "thinking"},
    ConformanceTable{.endpoint = kMessagesRoute, .members = kOutputConfig, .of = "output_config"},
    ConformanceTable{.endpoint = kMessagesRoute, .members = kToolChoice, .of = "tool_choice"},
    ConformanceTable{.endpoint = kMessagesRoute, .members = kTool, .of = "tools[]"},
};

}  // namespace

const ConformanceTable& table(Endpoint endpoint) {
  return kTables[endpoint == Endpoint::messages ? 0 : 1];
}
const ConformanceTable& thinking_table() {
  return kTables[2];
}
const ConformanceTable& output_config_table() {
  return kTables[3];
}
const ConformanceTable& tool_choice_table() {
  return kTables[4];
}
const ConformanceTable& tool_table() {
  return kTables[5];
}

std::span<const ConformanceTable> tables() {
  return kTables;
}

}  // namespace puna::api::anthropic
