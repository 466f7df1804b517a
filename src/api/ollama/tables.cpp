#include "api/ollama/tables.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace puna::api::ollama {
namespace {

using enum Kind;

constexpr std::string_view kProfile = "how a model is loaded is said by its profile and the settings";
constexpr std::string_view kHonest = "a prompt that is too long is refused with its counts, unless `shift` or `truncate` is true";
constexpr std::string_view kGone = "llama.cpp has it no more";
constexpr std::string_view kRegistry = "a registry's address says whether it is reached by http or https";

#define PUNA_ANSWER_PARAMETERS                                                                                    \
  Parameter{"model", text}, Parameter{"stream", boolean}, Parameter{"format", any}, Parameter{"options", object}, \
      Parameter{"keep_alive", any}, Parameter{"think", any}, Parameter{"logprobs", boolean},                      \
      Parameter{"top_logprobs", integer, Treatment::honoured, 0, 20},                                             \
      Parameter{"truncate", boolean, Treatment::honoured, -kUnbounded, kUnbounded, kHonest}, Parameter {          \
    "shift", boolean                                                                                              \
  }

constexpr std::array kGenerate = {
    PUNA_ANSWER_PARAMETERS,
    Parameter{"prompt", text},
    Parameter{"suffix", text},
    Parameter{"system", text},
    Parameter{"images", list},
    Parameter{"raw", boolean},
    Parameter{"template", text, Treatment::honoured, -kUnbounded, kUnbounded,
              "the empty one only; others are refused: make a model with it"},
    Parameter{"context", list, Treatment::honoured, -kUnbounded, kUnbounded,
              "the empty one only; others are refused: send messages to /api/chat"},
    refused("width", "this server makes no images"),
    refused("height", "this server makes no images"),
    refused("steps", "this server makes no images"),
};

constexpr std::array kChat = {
    PUNA_ANSWER_PARAMETERS,
    Parameter{"messages", list},
    Parameter{"tools", list},
};

constexpr std::array kMessage = {
    Parameter{"role", text},       Parameter{"content", text},   Parameter{"thinking", text},     Parameter{"images", list},
    Parameter{"tool_calls", list}, Parameter{"tool_name", text}, Parameter{"tool_call_id", text},
};

constexpr std::array kOptions = {
    Parameter{"num_ctx", integer, Treatment::honoured, 1, 16777216, "a model that is loaded with less is loaded anew with as much"},
    Parameter{"num_predict", integer, Treatment::honoured, -2, kUnbounded},
    Parameter{"temperature", number, Treatment::honoured, 0, 100},
    Parameter{"top_k", integer, Treatment::honoured, 0, kUnbounded},
    Parameter{"top_p", number, Treatment::honoured, 0, 1},
    Parameter{"min_p", number, Treatment::honoured, 0, 1},
    Parameter{"typical_p", number, Treatment::honoured, 0, 1},
    Parameter{"repeat_last_n", integer, Treatment::honoured, -1, 2147483647, "-1: the whole context"},
    Parameter{"repeat_penalty", number, Treatment::honoured, 0, kUnbounded},
    Parameter{"presence_penalty", number, Treatment::honoured, -2, 2},
    Parameter{"frequency_penalty", number, Treatment::honoured, -2, 2},
    Parameter{"seed", integer, Treatment::honoured, -1, 4294967295.0},
    Parameter{"stop", text_or_list},
    Parameter{"mirostat", integer, Treatment::honoured, 0, 2},
    Parameter{"mirostat_tau", number, Treatment::honoured, 0, kUnbounded},
    Parameter{"mirostat_eta", number, Treatment::honoured, 0, kUnbounded},
    noted("num_keep", integer, "nothing is cut out of a context while an answer is made"),
    noted("num_batch", integer, kProfile),
    noted("num_gpu", integer, kProfile),
    noted("main_gpu", integer, kProfile),
    noted("num_thread", integer, kProfile),
    noted("use_mmap", boolean, kProfile),
    noted("use_mlock", boolean, kProfile),
    noted("numa", boolean, kProfile),
    noted("low_vram", boolean, kGone),
    noted("f16_kv", boolean, kGone),
    noted("logits_all", boolean, kGone),
    noted("vocab_only", boolean, kGone),
    noted("embedding_only", boolean, kGone),
    noted("tfs_z", number, kGone),
    noted("penalize_newline", boolean, kGone),
    noted("draft_num_predict", integer, kProfile),
};

constexpr std::array kEmbed = {
    Parameter{"model", text},
    Parameter{"input", any},
    Parameter{"dimensions", integer, Treatment::honoured, 1, 1048576},
    Parameter{"options", object},
    Parameter{"keep_alive", any},
    noted("truncate", boolean, "a text that is too long is refused with its counts"),
};
constexpr std::array kEmbeddings = {Parameter{"model", text}, Parameter{"prompt", text}, Parameter{"options", object},
                                    Parameter{"keep_alive", any}};

constexpr std::array kShow = {
    Parameter{"model", text}, Parameter{"name", text}, noted("verbose", boolean, "long arrays are always shortened"),
    noted("system", text),    noted("template", text), noted("options", object),
};
constexpr std::array kPull = {
    Parameter{"model", text}, Parameter{"name", text}, Parameter{"stream", boolean}, noted("insecure", boolean, kRegistry),
    noted("username", text),  noted("password", text),
};
constexpr std::array kPush = kPull;
constexpr std::array kCreate = {
    Parameter{"model", text},
    Parameter{"name", text},
    Parameter{"stream", boolean},
    Parameter{"from", text},
    Parameter{"files", object},
    Parameter{"adapters", object},
    Parameter{"template", text},
    Parameter{"system", text},
    Parameter{"license", text_or_list},
    Parameter{"parameters", object},
    Parameter{"messages", list},
    Parameter{"quantize", text},
    Parameter{"quantization", text},
    noted("info", object),
    noted("requires", text),
    noted("renderer", text, "the model file's own template is used"),
    noted("parser", text, "llama.cpp parses answers by their template"),
    refused("remote_host", "only models of this machine are served"),
    refused("draft_files", "a profile names the model that guesses ahead"),
    refused("draft_quantize", "a profile names the model that guesses ahead"),
};
constexpr std::array kCopy = {Parameter{"source", text}, Parameter{"destination", text}};
constexpr std::array kRemove = {Parameter{"model", text}, Parameter{"name", text}};

constexpr auto kIgnored = Unlisted::ignored;

constexpr std::array kTables = {
    ConformanceTable{.endpoint = "POST /api/generate", .members = kGenerate, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/chat", .members = kChat, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/embed", .members = kEmbed, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/embeddings", .members = kEmbeddings, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/show", .members = kShow, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/pull", .members = kPull, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/push", .members = kPush, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/create", .members = kCreate, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/copy", .members = kCopy, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "DELETE /api/delete", .members = kRemove, .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/chat", .members = kOptions, .of = "options", .unlisted = kIgnored},
    ConformanceTable{.endpoint = "POST /api/chat", .members = kMessage, .of = "messages[]", .unlisted = kIgnored},
    ConformanceTable{.endpoint = "GET /api/version"},
    ConformanceTable{.endpoint = "GET /api/tags"},
    ConformanceTable{.endpoint = "GET /api/ps"},
    ConformanceTable{.endpoint = "HEAD /api/blobs/{digest}"},
    ConformanceTable{.endpoint = "POST /api/blobs/{digest}"},
};

}  // namespace

const ConformanceTable& table(Endpoint endpoint) {
  return kTables[static_cast<std::size_t>(endpoint)];
}
const ConformanceTable& options_table() {
  return kTables[10];
}
const ConformanceTable& message_table() {
  return kTables[11];
}

std::vector<std::string> unlisted(const ConformanceTable& table, const json::object& object) {
  std::vector<std::string> out;
  for (const auto& member : object)
    if (std::ranges::find(table.members, std::string_view(member.key()), &Parameter::name) == table.members.end())
      out.push_back(table.of.empty() ? printable(member.key()) : fmt::format("{}.{}", table.of, printable(member.key())));
  return out;
}

std::span<const ConformanceTable> tables() {
  return kTables;
}

}  // namespace puna::api::ollama
