#include "trainer/preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "trainer/rows_testing.h"

namespace puna::trainer {
namespace {

std::string joined(const std::vector<wire::TunePiece>& pieces) {
  std::string out;
  for (const auto& piece : pieces) out += piece.text;
  return out;
}

// ledger: F4
TEST(Preview, shows_every_token_that_is_computed_and_which_are_trained) {
  const RowBench bench;
  auto options = bench.data_options();
  options.count_tokens = bench.renderer().counter();
  const auto data =
      bench.folder().open("a.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n", options);
  const auto shown = preview(data.value(), bench.renderer(), "tiny", 5);
  ASSERT_TRUE(shown) << shown.error().text();
  ASSERT_EQ(shown->rows.size(), 2U);
  EXPECT_EQ(shown->rows[1].line, 2);
  EXPECT_EQ(joined(shown->rows[1].pieces), "<s><|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\nd<|im_end|>");
  EXPECT_EQ(shown->rows[1].trained_tokens, 2);
  EXPECT_EQ(static_cast<std::size_t>(shown->rows[1].tokens), shown->rows[1].pieces.size());
}

TEST(Preview, gives_a_character_of_several_tokens_to_its_last_one) {
  const RowBench bench;
  tune::TokenRow row{.tokens = bench.vocabulary().continuation("aç漢b")};
  row.weights.assign(row.tokens.size(), 1);
  const auto pieces = pieces_of(bench.vocabulary(), row);
  EXPECT_EQ(joined(pieces), "aç漢b");
  EXPECT_GT(pieces.size(), 4U);
  for (const auto& piece : pieces) EXPECT_TRUE(is_utf8(piece.text));
}

TEST(Preview, is_text_even_where_a_row_was_cut_inside_of_a_character) {
  const RowBench bench;
  tune::TokenRow row{.tokens = bench.vocabulary().continuation("漢")};
  row.tokens.pop_back();
  row.weights.assign(row.tokens.size(), 1);
  EXPECT_TRUE(is_utf8(joined(pieces_of(bench.vocabulary(), row))));
}

}  // namespace
}  // namespace puna::trainer
