#include "training/card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::training {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Trained {
  wire::TuneOrder order{.name = "care", .version = "1.2", .request = {.model = "smollm2:135m", .data = {"/home/ada/secret/chats.jsonl"}}};
  wire::TuneResult result{.serves = "smollm2:135m+care", .steps = 40, .epochs = 2};
  wire::ModelDetail base;
  [[nodiscard]] std::string card() const { return make_card(order, result, base); }
};

TEST(Card, says_what_was_trained_from_what_and_how_to_use_it) {
  Trained trained;
  trained.base.model.provenance = {.catalogue = "huggingface", .repository = "owner/base-GGUF"};
  trained.order.settings = wire::TuneSettings{.rank = 8};
  const auto card = trained.card();
  EXPECT_THAT(card, testing::StartsWith("---\nbase_model: owner/base-GGUF\n"));
  EXPECT_THAT(card, HasSubstr("# care\n"));
  EXPECT_THAT(card, HasSubstr("puna run smollm2:135m+care\n"));
  EXPECT_THAT(card, HasSubstr("| rank | 8 |"));
  EXPECT_THAT(card, HasSubstr("chats.jsonl"));
}

TEST(Card, shows_scores_before_and_after) {
  Trained trained;
  trained.result.report = wire::TuneReport{.rows = 12, .before = {.loss = 3.25, .chrf = 11}, .after = {.loss = 1.5}};
  const auto card = trained.card();
  EXPECT_THAT(card, HasSubstr("On 12 rows"));
  EXPECT_THAT(card, HasSubstr("| loss | 3.2500 | 1.5000 |"));
  EXPECT_THAT(card, Not(HasSubstr("chrF")));
}

TEST(Card, tells_nobody_where_files_lay) {
  EXPECT_THAT(Trained().card(), Not(HasSubstr("secret")));
}

TEST(Card, lets_no_text_of_others_become_markup) {
  Trained trained;
  trained.order.request.data = {"/x/<script>alert(1)</script>|`.jsonl"};
  trained.base.model.provenance = {.catalogue = "huggingface", .repository = "a\nlicense: mine"};
  trained.base.model.details.licence = "mit\n---";
  const auto card = trained.card();
  EXPECT_THAT(card, Not(HasSubstr("<script")));
  EXPECT_THAT(card, testing::StartsWith("---\npipeline_tag"));
}

}  // namespace
}  // namespace puna::training
