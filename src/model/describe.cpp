#include "model/describe.h"

#include <cmath>

#include "base/text.h"
#include "gguf/summary.h"

namespace puna::model {
namespace {

constexpr std::size_t kLongestArray = 16;
constexpr std::string_view kChatTemplate = "tokenizer.chat_template";

std::string clean(std::string_view text) {
  return is_utf8(text) ? std::string(text) : printable(text);
}

std::int64_t signed_number(std::uint64_t in) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(in, std::numeric_limits<std::int64_t>::max()));
}

// JSON has no word for infinities.
json::value real(double in) {
  return std::isfinite(in) ? json::value(in) : json::value(nullptr);
}

template <class T>
std::string_view kind_of() {
  if constexpr (std::is_same_v<T, std::string>) return "string";
  if constexpr (std::is_same_v<T, bool>) return "boolean";
  if constexpr (std::is_floating_point_v<T>) return "number";
  return "integer";
}

template <class T>
json::value shown(const T& in) {
  if constexpr (std::is_same_v<T, std::string>) {
    return json::encode(clean(in));
  } else if constexpr (std::is_floating_point_v<T>) {
    return real(in);
  } else {
    return json::value(in);
  }
}

template <class T>
json::value shown(const std::vector<T>& in) {
  if (in.size() > kLongestArray) return json::object{{"array_of", kind_of<T>()}, {"length", in.size()}};
  json::array out;
  for (const T item : in) out.push_back(shown(item));
  return out;
}

std::vector<std::string> capabilities_of(const gguf::Summary& summary) {
  std::vector<std::string> out;
  if (summary.kind != "model") return out;  // adapters and projectors answer nothing by themselves
  const auto& can = summary.capabilities;
  if (can.embedding)
    out.emplace_back("embedding");
  else
    out.emplace_back("completion");
  if (can.chat) out.emplace_back("chat");
  if (can.tools) out.emplace_back("tools");
  if (can.thinking) out.emplace_back("thinking");
  return out;
}

}  // namespace

wire::ModelDetails details_of(const gguf::Header& header) {
  const auto summary = gguf::summarize(header);
  wire::ModelDetails out;
  out.format = "gguf";
  out.architecture = printable(summary.architecture);
  out.quantization = printable(summary.quantization);
  out.parameters = signed_number(summary.parameters);
  out.context_length = signed_number(summary.context_length.value_or(0));
  out.embedding_length = signed_number(summary.embedding_length.value_or(0));
  out.block_count = signed_number(summary.block_count.value_or(0));
  out.capabilities = capabilities_of(summary);
  if (summary.licence) out.licence = printable(*summary.licence);
  return out;
}

json::object metadata_of(const gguf::Header& header) {
  json::object out;
  for (const auto& [key, value] : header.metadata())
    if (key != kChatTemplate) out[clean(key)] = std::visit([](const auto& v) { return shown(v); }, value);
  return out;
}

std::optional<std::string> chat_template_of(const gguf::Header& header) {
  if (const auto text = header.text(kChatTemplate)) return clean(*text);
  return std::nullopt;
}

}  // namespace puna::model
