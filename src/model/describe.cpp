#include "model/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/text.h"
#include "gguf/check.h"
#include "gguf/summary.h"
#include "model/safetensors.h"

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
  if (summary.kind == "adapter") return {"adapter"};
  if (summary.kind != "model") return out;  // projectors answer nothing by themselves
  const auto& can = summary.capabilities;
  out.emplace_back(can.rerank ? "rerank" : can.embedding ? "embedding" : "completion");
  if (can.chat) out.emplace_back("chat");
  if (can.tools) out.emplace_back("tools");
  if (can.thinking) out.emplace_back("thinking");
  return out;
}

// llama.cpp opens the parts by their numbers, so all of them must be there and in order.
Result<> check_parts(std::span<const gguf::Header> headers, std::span<const FileOnDisk> files) {
  const auto count = headers.front().integer("split.count").value_or(1);
  const auto wrong = [&](std::size_t i, std::string_view what) {
    return fail(Code::corrupt_data, fmt::format("{} {}", printable(files[i].path), what));
  };
  if (count > 1 && headers.size() != count)
    return wrong(0, fmt::format("is one of {} parts, and {} of them are here: all are needed", count, headers.size()));
  for (std::size_t i = 0; i < headers.size() && headers.size() > 1; ++i) {
    if (headers[i].integer("split.count").value_or(1) != headers.size())
      return wrong(i, fmt::format("is no part of a model in {} parts", headers.size()));
    if (headers[i].integer("split.no").value_or(0) != i) return wrong(i, fmt::format("is not part {} of {}", i + 1, headers.size()));
  }
  return {};
}

Result<> add_projector(wire::ModelDetails& details, const FileOnDisk& file) {
  PUNA_TRY(const auto header, gguf::Header::read_file(file.place));
  if (gguf::summarize(header).kind != "mmproj")
    return fail(Code::corrupt_data, fmt::format("{} is no projector (mmproj)", printable(file.path)));
  if (auto whole = gguf::check(header); !whole) return fail(std::move(whole).error().within(printable(file.path)));
  const bool hears = header.boolean("clip.has_audio_encoder").value_or(false);
  if (header.boolean("clip.has_vision_encoder").value_or(!hears)) details.capabilities.emplace_back("vision");
  if (hears) details.capabilities.emplace_back("audio");
  return {};
}

}  // namespace

wire::ModelDetails details_of(std::span<const gguf::Header> parts) {
  const auto summary = gguf::summarize(parts.front());
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
  for (const auto& part : parts.subspan(1)) {
    const auto more = gguf::summarize(part);
    out.parameters += signed_number(more.parameters);
    if (out.quantization.empty()) out.quantization = printable(more.quantization);  // the first part may hold no tensors
  }
  return out;
}

Result<wire::ModelDetails> describe(std::span<const FileOnDisk> files) {
  std::vector<FileOnDisk> weights;
  std::ranges::copy_if(files, std::back_inserter(weights), [](const auto& file) { return file.role == wire::FileRole::weights; });
  if (weights.empty()) return fail(Code::invalid_argument, "a model needs a file of weights");
  PUNA_TRY(const bool safetensors, is_safetensors(weights.front().place));
  if (safetensors) return describe_safetensors(files);
  std::vector<gguf::Header> headers;
  for (const auto& file : weights) {
    PUNA_TRY(auto header, gguf::Header::read_file(file.place));
    headers.push_back(std::move(header));
  }
  PUNA_CHECK(check_parts(headers, weights));
  for (std::size_t i = 0; i < headers.size(); ++i)
    if (auto whole = gguf::check(headers[i]); !whole) return fail(std::move(whole).error().within(printable(weights[i].path)));
  auto out = details_of(headers);
  for (const auto& file : files)
    if (file.role == wire::FileRole::projector) PUNA_CHECK(add_projector(out, file));
  return out;
}

Result<wire::ModelDetails> describe(std::span<const FileOnDisk> files, const std::optional<std::string>& chat_template) {
  PUNA_TRY(auto out, describe(files));
  auto& can = out.capabilities;
  const auto completes = std::ranges::find(can, "completion");
  if (!chat_template || completes == can.end()) return out;
  std::vector<std::string> chat = {"chat"};
  const auto traits = gguf::traits_of_template(*chat_template);
  if (traits.tools) chat.emplace_back("tools");
  if (traits.thinking) chat.emplace_back("thinking");
  std::erase_if(can, [](const std::string& name) { return name == "chat" || name == "tools" || name == "thinking"; });
  can.insert(std::ranges::find(can, "completion") + 1, chat.begin(), chat.end());
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
