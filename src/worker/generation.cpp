#include "worker/generation.h"

#include <fmt/format.h>

#include <exception>
#include <memory>
#include <utility>

#include "server-context.h"
#include "server-http.h"

namespace puna::worker {
namespace {

class Visit {
 public:
  explicit Visit(Warmth* warmth) : warmth_(warmth) {
    if (warmth_ != nullptr) warmth_->begin_request();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (warmth_ != nullptr) warmth_->end_request();
  }

 private:
  Warmth* warmth_;
};

// llama.cpp's answer together with what it refers to until it is complete.
struct OwningResponse : server_http_res {
  std::unique_ptr<Visit> visit;
  std::unique_ptr<server_http_req> request;
  server_http_res_ptr inner;

  void take(server_http_res_ptr response) {
    inner = std::move(response);
    content_type = inner->content_type;
    status = inner->status;
    data = std::move(inner->data);
    headers = inner->headers;
    if (inner->is_stream()) next = [this](std::string& piece) { return inner->next(piece); };
  }
  void on_complete() override { inner->on_complete(); }
};

AdapterScales scales_of(const common_json& lora) {
  AdapterScales out;
  for (const auto& entry : lora) out[entry.value("id", -1)] = entry.value("scale", 0.0F);
  return out;
}

// What a list does not name has no part in the answer, as llama.cpp has it; here it says so.
AdapterScales complete(const AdapterScales& loaded, const common_json& body) {
  if (!body.contains("lora") || !body.at("lora").is_array() || body.at("lora").empty()) return loaded;
  AdapterScales out;
  for (const auto& [place, scale] : loaded) out[place] = 0;
  for (const auto& [place, scale] : scales_of(body.at("lora")))
    if (out.contains(place)) out[place] = scale;
  return out;
}

common_json list_of(const AdapterScales& scales) {
  auto out = common_json::array();
  for (const auto& [place, scale] : scales) out.push_back({{"id", place}, {"scale", scale}});
  return out;
}

// As llama.cpp's handlers make them of the same request; empty when there is no single prompt of text.
std::vector<std::int32_t> prompt_tokens(common_json body, PromptKind kind, const GenerationParts& parts) {
  if (kind == PromptKind::chat) {
    std::vector<raw_buffer> files;
    body = oaicompat_chat_params_parse(body, *parts.chat, files);
    if (!files.empty()) return {};
  }
  const auto& prompt = body.at("prompt");
  if (prompt.is_array() && !json_is_array_of_numbers(prompt)) return {};
  return tokenize_mixed(parts.vocab, prompt, true, true);
}

std::optional<int> warm_slot(const common_json& body, PromptKind kind, const AdapterScales& adapters, const GenerationParts& parts) {
  if (parts.warmth == nullptr || !parts.warmth->has_offers() || !body.value("cache_prompt", true)) return std::nullopt;
  try {
    const auto tokens = prompt_tokens(body, kind, parts);
    return tokens.empty() ? std::nullopt : parts.warmth->prepare(tokens, adapters);
  } catch (const std::exception&) {
    // The handler finds the same fault and tells the client.
    return std::nullopt;
  }
}

}  // namespace

GenerationHandler generating(GenerationHandler handler, PromptKind kind, const GenerationParts& parts) {
  return [handler = std::move(handler), kind, &parts](const server_http_req& request) -> server_http_res_ptr {
    if (parts.warmth == nullptr && parts.adapters.empty()) return handler(request);
    auto response = std::make_unique<OwningResponse>();
    response->visit = std::make_unique<Visit>(parts.warmth);
    response->request = std::make_unique<server_http_req>(request);
    if (!parts.adapters.empty() || parts.warmth->has_offers()) {
      auto body = common_json::parse_no_throw(request.body);
      if (body.is_object()) {
        const AdapterScales adapters = complete(parts.adapters, body);
        const auto slot = warm_slot(body, kind, adapters, parts);
        if (!adapters.empty()) {
          body["lora"] = list_of(adapters);
          if (slot) body["id_slot"] = *slot;
          response->request->body = body.dump();
        }
      }
    }
    response->take(handler(*response->request));
    return response;
  };
}

}  // namespace puna::worker
