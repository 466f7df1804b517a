#include "api/openai/rerank.h"

#include "api/openai/members.h"
#include "api/openai/tables.h"
#include "base/text.h"

namespace puna::api::openai {
namespace {

Result<json::array> read_documents(const json::object& body) {
  const json::value* documents = present(body, "documents");
  if (!documents) return bad("documents", "required, but missing");
  if (documents->get_array().empty()) return bad("documents", "there is nothing to rank");
  json::array out;
  for (std::size_t i = 0; i < documents->get_array().size(); ++i) {
    const json::value& document = documents->get_array()[i];
    const json::value* words = document.is_object() ? present(document.get_object(), "text") : &document;
    if (!words || !words->is_string()) return bad(fmt::format("documents[{}]", i), "expected a string, or an object with a string 'text'");
    out.push_back(*words);
  }
  return out;
}

// Puts the documents into the results when that is asked for.
class RerankRendering final : public Rendering {
 public:
  explicit RerankRendering(json::array documents) : documents_(std::move(documents)) {}

  void begin(const Begun& begun) override { model_ = begun.model; }
  Result<net::Response> whole(const json::object& answer) override {
    json::object out = answer;
    out["model"] = model_;
    if (documents_.empty()) return net::json_response(200, out);
    const json::value* results = out.if_contains("results");
    if (!results || !results->is_array()) return fail(Code::upstream_failed, "the worker's answer has no results");
    for (auto& result : out["results"].get_array()) {
      const auto index = result.as_object().at("index").to_number<std::size_t>();
      if (index < documents_.size()) result.as_object()["document"] = json::object{{"text", documents_[index]}};
    }
    return net::json_response(200, out);
  }
  net::Headers stream_headers() const override { return {}; }
  Result<std::string> chunk(const json::object&) override { return std::string(); }
  std::string finish() override { return {}; }
  std::string failure(const Error&) override { return {}; }

 private:
  json::array documents_;
  std::string model_;
};

}  // namespace

Result<Inference> prepare_rerank(std::string_view text) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the request body is not UTF-8");
  PUNA_TRY(const auto body, json::parse_object(text));
  PUNA_CHECK(check_members(rerank_table(), body));
  const auto model = text_member(body, "model");
  if (model.empty()) return bad("model", "required, but missing");
  const auto query = text_member(body, "query");
  if (query.empty()) return bad("query", "required, but missing");
  PUNA_TRY(auto documents, read_documents(body));
  json::object request{{"query", query}, {"documents", documents}};
  if (const json::value* most = present(body, "top_n")) request["top_n"] = *most;
  Inference out{
      .lease = {.purpose = fleet::Purpose::rank}, .target = "/v1/rerank", .model = std::string(model), .body = json::to_text(request)};
  if (const json::value* keep_alive = present(body, "keep_alive")) {
    PUNA_TRY(out.lease.keep_alive,
             parse_duration(keep_alive->is_string() ? std::string_view(keep_alive->get_string()) : json::to_text(*keep_alive)));
  }
  const json::value* give_back = present(body, "return_documents");
  if (!give_back || !give_back->get_bool()) documents.clear();
  out.rendering = std::make_unique<RerankRendering>(std::move(documents));
  return out;
}

}  // namespace puna::api::openai
