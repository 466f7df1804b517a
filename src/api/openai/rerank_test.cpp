#include "api/openai/rerank.h"

#include <gtest/gtest.h>

namespace puna::api::openai {
namespace {

std::string error_of(std::string_view body) {
  const auto prepared = prepare_rerank(body);
  return prepared ? "accepted" : prepared.error().message;
}

// ledger: M4
TEST(Rerank, names_what_is_wrong) {
  EXPECT_EQ(error_of(R"({"query":"q","documents":["a"]})"), "model: required, but missing");
  EXPECT_EQ(error_of(R"({"model":"m","documents":["a"]})"), "query: required, but missing");
  EXPECT_EQ(error_of(R"({"model":"m","query":"q","documents":[]})"), "documents: there is nothing to rank");
  EXPECT_EQ(error_of(R"({"model":"m","query":"q","documents":["a",1]})"),
            "documents[1]: expected a string, or an object with a string 'text'");
  EXPECT_EQ(error_of(R"({"model":"m","query":"q","documents":["a"],"top_n":0})"), "top_n: 0 is below the least value 1");
  EXPECT_EQ(error_of(R"({"model":"m","query":"q","documents":["a"],"rank_fields":["x"]})"),
            "rank_fields: not supported here; put the fields into the text of each document");
}

TEST(Rerank, asks_for_a_model_that_ranks_with_texts_alone) {
  const auto prepared = prepare_rerank(R"({"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1})");
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(prepared->lease.purpose, fleet::Purpose::rank);
  EXPECT_EQ(json::parse(prepared->body).value(), json::parse(R"({"query":"q","documents":["a","b"],"top_n":1})").value());
}

TEST(Rerank, gives_the_documents_back_when_asked) {
  const auto prepared = prepare_rerank(R"({"model":"m","query":"q","documents":["a","b"],"return_documents":true})");
  prepared->rendering->begin({.model = "full:latest"});
  const auto answer = json::parse_object(R"({"object":"list","results":[{"index":1,"relevance_score":2.5}]})").value();
  const auto body = json::parse(prepared->rendering->whole(answer)->body).value();
  EXPECT_EQ(body.at("results").at(0).at("document").at("text"), json::value("b"));
  EXPECT_EQ(body.at("model"), json::value("full:latest"));
}

}  // namespace
}  // namespace puna::api::openai
