#include "api/error_body.h"

#include <gtest/gtest.h>

#include "api/service.h"

namespace puna::api {
namespace {

TEST(ErrorBody, openai_clients_get_openais_shape) {
  const auto body = openai_error(Error(Code::invalid_argument, "temperature: expected a number, got a string"));
  EXPECT_EQ(
      json::to_text(body),
      R"({"error":{"message":"temperature: expected a number, got a string","type":"invalid_request_error","param":"temperature","code":"invalid_argument"}})");
  EXPECT_TRUE(openai_error(Error(Code::not_found, "no model 'x': try y")).at("error").as_object().at("param").is_null());
}

// ledger: F11
TEST(ErrorBody, native_clients_get_ours_with_the_request_id) {
  const auto response = error_response(Dialect::native, Error(Code::not_found, "no such job"), "R1");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":{"code":"not_found","message":"no such job","request_id":"R1"}})");
}

TEST(ErrorBody, a_refusal_for_now_says_when_to_come_back) {
  Error error(Code::overloaded, "the queue is full");
  error.retry_after = std::chrono::milliseconds(1200);
  const auto response = error_response(Dialect::openai, error, "");
  EXPECT_EQ(response.headers.get("Retry-After"), "2");
}

TEST(ErrorBody, what_the_http_server_refuses_by_itself_has_the_shape_of_the_path_asked_for) {
  const Error error(Code::too_large, "the request body is larger than 64.0 MiB");
  net::ServerRequest request;
  request.path = "/v1/chat/completions";
  EXPECT_EQ(Service::format_error(413, error, request).body, json::to_text(openai_error(error)));
  request.path = "/api/v1/models";
  request.id = "R1";
  EXPECT_EQ(Service::format_error(413, error, request).body,
            R"({"error":{"code":"too_large","message":"the request body is larger than 64.0 MiB","request_id":"R1"}})");
}

TEST(ErrorBody, an_overlong_prompt_is_told_with_its_counts_and_the_way_out) {
  const auto error = engine_error(
      400,
      R"({"error":{"code":"context_length_exceeded","message":"exceeds","type":"invalid_request_error","n_prompt_tokens":900,"n_ctx":512}})");
  const auto body = openai_error(error).at("error").as_object();
  EXPECT_EQ(body.at("code"), "context_length_exceeded");
  EXPECT_EQ(
      body.at("message"),
      "the prompt has 900 tokens, the context of the model 512: shorten it, raise models.context, or let the oldest turns be left out "
      "with \"truncation\": \"shift\"");
}

TEST(ErrorBody, another_engines_words_about_an_overlong_prompt_are_kept) {
  const json::object refusal{{"error", json::object{{"code", "context_length_exceeded"},
                                                    {"message", "request (900 tokens) exceeds the available context size (512 tokens)"},
                                                    {"type", "invalid_request_error"}}}};
  const auto body = openai_error(engine_error(400, json::to_text(refusal))).at("error").as_object();
  EXPECT_EQ(body.at("code").as_string(), "context_length_exceeded");
  EXPECT_NE(body.at("message").as_string().find("900 tokens"), json::string::npos);
}

}  // namespace
}  // namespace puna::api
