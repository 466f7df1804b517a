#include "trainer/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trainer/rows_testing.h"

namespace puna::trainer {
namespace {

using testing::Each;
using testing::Le;
using testing::SizeIs;

tune::TokenRow row_of(std::size_t tokens, tune::Answer answer = tune::Answer::plain) {
  return {.tokens = std::vector<std::int32_t>(tokens, 1), .weights = std::vector<float>(tokens, 1), .answer = answer};
}

TEST(MicroBatches, rows_are_packed_so_that_none_is_too_full) {
  std::vector<std::vector<tune::TokenRow>> units;
  for (const std::size_t length : {60U, 50U, 40U, 30U, 20U}) units.push_back({row_of(length)});
  const auto batches = micro_batches(units, wire::TuneMethod::sft, 100, Packing::best_fit);
  ASSERT_THAT(batches, SizeIs(2));
  for (const auto& batch : batches) EXPECT_EQ(batch.tokens.size(), 100U);
  EXPECT_THAT(micro_batches(units, wire::TuneMethod::sft, 100, Packing::alone), SizeIs(5));
}

TEST(MicroBatches, two_answers_stay_side_by_side) {
  std::vector<std::vector<tune::TokenRow>> units;
  for (int i = 0; i < 5; ++i) units.push_back({row_of(30, tune::Answer::chosen), row_of(20, tune::Answer::rejected)});
  for (const auto& batch : micro_batches(units, wire::TuneMethod::dpo, 120, Packing::best_fit)) {
    ASSERT_EQ(batch.documents.size() % 2, 0U);
    for (std::size_t i = 0; i < batch.documents.size(); ++i)
      EXPECT_EQ(batch.documents[i].answer, i % 2 == 0 ? tune::Answer::chosen : tune::Answer::rejected);
  }
}

TEST(Units, a_document_is_as_many_as_it_has_pieces) {
  const RowBench bench;
  constexpr std::size_t kContext = 16;
  const auto chat_template = inference::ChatTemplate::create(bench.vocabulary()).value();
  const RowRenderer pieces(bench.vocabulary(), chat_template, {.method = wire::TuneMethod::pretrain, .max_tokens = kContext});
  const RowRenderer documents(bench.vocabulary(), chat_template, {.method = wire::TuneMethod::pretrain});
  std::string text;
  for (int i = 0; i < 40; ++i) text += "llamas walk ";
  dataset::Options options;
  options.count_tokens = counter_of(pieces, documents);
  const auto data = bench.folder().open("x.txt", text, options).value();
  Units units(data.rows(), pieces, wire::TuneMethod::pretrain, kContext);
  ASSERT_GT(units.size(), 2U);
  EXPECT_THAT(units.lengths(), Each(Le(kContext)));
  for (std::uint32_t unit = 0; unit < units.size(); ++unit) {
    const auto rows = units.at(unit).value();
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].tokens.size(), units.lengths()[unit]);
  }
}

}  // namespace
}  // namespace puna::trainer
