#include "dataset/dataset.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "dataset/dataset_testing.h"
#include "dataset/order.h"

namespace puna::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string pairs(std::size_t from, std::size_t to) {
  std::string out;
  for (auto i = from; i < to; ++i) out += fmt::format("{{\"prompt\":\"q{}\",\"completion\":\"a{}\"}}\n", i, i);
  return out;
}

std::set<std::string> prompts(const Rows& rows) {
  std::set<std::string> out;
  for (const auto& row : rows_of(rows)) out.insert(row.messages.at(0).content);
  return out;
}

TEST(Dataset, rows_can_be_taken_in_any_order_as_often_as_wanted) {
  const DataFolder folder;
  const auto data = folder.open("x.jsonl", pairs(0, 500));
  ASSERT_TRUE(data);
  const Shuffle shuffle(7, 0, data->rows().size());
  for (int pass = 0; pass < 2; ++pass)
    for (std::size_t i = 0; i < shuffle.count(); ++i)
      ASSERT_EQ(data->rows().at(shuffle.at(i)).value().messages[0].content, fmt::format("q{}", shuffle.at(i)));
}

TEST(Dataset, stays_valid_when_it_is_moved) {
  const DataFolder folder;
  auto data = folder.open("x.jsonl", pairs(0, 3));
  const Dataset moved = std::move(*data);
  EXPECT_EQ(moved.rows().at(2).value().messages[0].content, "q2");
}

TEST(Dataset, a_file_that_changed_since_is_noticed) {
  const DataFolder folder;
  const auto data = folder.open("x.jsonl", pairs(0, 3));
  // In place, as an editor does that keeps the file.
  std::filesystem::resize_file(data->report().sources[0].path, 10);
  EXPECT_EQ(data->rows().at(0).error().code, Code::conflict);
}

// ledger: F5
TEST(Dataset, bad_rows_keep_it_from_being_used_unless_they_are_to_be_left_out) {
  const DataFolder folder;
  const auto refused = folder.open("x.jsonl", pairs(0, 12) + "{\"prompt\":\"q\"}\n" + pairs(12, 14));
  ASSERT_TRUE(refused);
  ASSERT_FALSE(refused->usable());
  EXPECT_THAT(refused->usable().error().message, HasSubstr("1 of 15 rows"));
  EXPECT_THAT(refused->usable().error().message, HasSubstr("x.jsonl, line 13, field completion"));
  Options options;
  options.bad_rows = BadRows::leave_out;
  const auto taken = folder.open("x.jsonl", pairs(0, 12) + "{\"prompt\":\"q\"}\n" + pairs(12, 14), options);
  EXPECT_TRUE(taken->usable());
  EXPECT_EQ(taken->report().statistics.unusable_rows, 1);
}

// ledger: F5
TEST(Dataset, every_occurrence_is_counted_when_only_the_first_are_shown) {
  std::string text = pairs(0, 1);
  for (int i = 0; i < 100; ++i) text += "{\"prompt\":\"q\"}\n";
  Options options;
  options.examples = 3;
  const auto data = DataFolder().open("x.jsonl", text, options);
  ASSERT_EQ(data->report().findings[0].kind, "missing-field");
  EXPECT_EQ(data->report().findings[0].count, 100);
  EXPECT_EQ(data->report().findings[0].examples.size(), 3u);
  EXPECT_EQ(data->report().errors, 100);
}

TEST(Dataset, a_file_without_a_usable_row_fails_with_the_first_trouble) {
  const auto broken = DataFolder().open("x.jsonl", "\n{oops}\n");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("line 2"));
  EXPECT_THAT(DataFolder().open("x.jsonl", R"({"prompt":"a","completion":""})").error().message, HasSubstr("field completion"));
}

TEST(Split, rows_stay_on_their_side_when_others_are_added) {
  const DataFolder folder;
  Options options;
  options.eval_fraction = 0.2;
  const auto before = folder.open("x.jsonl", pairs(0, 300), options);
  const auto after = folder.open("y.jsonl", pairs(300, 600) + pairs(0, 300), options);
  const auto few = prompts(before->evaluation()), many = prompts(after->evaluation());
  EXPECT_TRUE(std::ranges::includes(many, few));
  EXPECT_NEAR(static_cast<double>(many.size()), 120, 30);
  EXPECT_EQ(before->evaluation().size() + before->rows().size(), 300u);
}

TEST(Split, another_seed_chooses_other_rows_and_the_same_seed_the_same) {
  const DataFolder folder;
  Options options;
  options.eval_fraction = 0.2;
  const auto one = prompts(folder.open("x.jsonl", pairs(0, 200), options)->evaluation());
  EXPECT_EQ(one, prompts(folder.open("x.jsonl", pairs(0, 200), options)->evaluation()));
  options.seed = 43;
  EXPECT_NE(one, prompts(folder.open("x.jsonl", pairs(0, 200), options)->evaluation()));
}

TEST(Split, rows_with_the_same_prompt_are_on_one_side) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += fmt::format("{{\"prompt\":\"q{}\",\"completion\":\"a{}\"}}\n", i / 4, i);
  Options options;
  options.eval_fraction = 0.3;
  const auto data = DataFolder().open("x.jsonl", text, options);
  const auto train = prompts(data->rows()), eval = prompts(data->evaluation());
  std::vector<std::string> both;
  std::ranges::set_intersection(train, eval, std::back_inserter(both));
  EXPECT_THAT(both, IsEmpty());
  EXPECT_THAT(data->report().split, HasSubstr("prompt"));
}

TEST(Split, one_prompt_for_all_rows_does_not_keep_them_together) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += fmt::format("{{\"prompt\":\"Go on\",\"completion\":\"a{}\"}}\n", i);
  Options options;
  options.eval_fraction = 0.3;
  const auto data = DataFolder().open("x.jsonl", text, options);
  EXPECT_NEAR(static_cast<double>(data->evaluation().size()), 60, 25);
}

TEST(Split, two_rows_give_one_for_each_side) {
  Options options;
  options.eval_fraction = 0.01;
  const auto data = DataFolder().open("x.jsonl", pairs(0, 2), options);
  EXPECT_EQ(data->rows().size(), 1u);
  EXPECT_EQ(data->evaluation().size(), 1u);
}

TEST(Split, its_fraction_has_bounds_and_excludes_files_for_evaluation) {
  Options options;
  options.eval_fraction = 1;
  EXPECT_THAT(DataFolder().open("x.jsonl", pairs(0, 2), options).error().message, HasSubstr("1 is out of range (0 to less than 1)"));
  options.eval_fraction = 0.5;
  options.evaluation = {"y.jsonl"};
  EXPECT_THAT(DataFolder().open("x.jsonl", pairs(0, 2), options).error().message, HasSubstr("must be 0"));
}

TEST(Evaluation, files_of_their_own_are_compared_with_what_is_trained) {
  const DataFolder folder;
  Options options;
  options.evaluation = {folder.write("eval.jsonl", pairs(18, 22) + "{\"prompt\":\"q3\",\"completion\":\"other\"}\n")};
  const auto data = folder.open("x.jsonl", pairs(0, 20), options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->rows().size(), 20u);
  EXPECT_EQ(data->evaluation().size(), 5u);
  EXPECT_THAT(findings(*data), ElementsAre("eval-overlap eval.jsonl:1", "eval-overlap eval.jsonl:2", "eval-prompt-overlap eval.jsonl:5"));
  EXPECT_TRUE(data->usable()) << "warnings do not keep anybody from training";
}

TEST(Duplicates, are_reported_with_their_first_occurrence_and_left_out_when_asked) {
  const DataFolder folder;
  const auto kept = folder.open("x.jsonl", pairs(0, 12) + pairs(3, 5));
  EXPECT_THAT(findings(*kept), ElementsAre("duplicate x.jsonl:13", "duplicate x.jsonl:14"));
  EXPECT_THAT(kept->report().findings[0].examples[0].message, HasSubstr("line 4"));
  EXPECT_EQ(kept->rows().size(), 14u);
  Options options;
  options.duplicates = Duplicates::leave_out;
  const auto left = folder.open("x.jsonl", pairs(0, 12) + pairs(3, 5), options);
  EXPECT_EQ(left->rows().size(), 12u);
  EXPECT_EQ(left->rows().at(11).value().line, 12) << "the first of each stays";
  EXPECT_EQ(left->report().statistics.duplicate_rows, 2);
}

TEST(Warnings, text_that_was_damaged_before_is_pointed_out) {
  Options options;
  options.very_long = 50;
  const auto data = DataFolder().open("x.jsonl",
                                      "{\"text\":\"fine: é ü\"}\n{\"text\":\"bell \\u0007\"}\n{\"text\":\"lost \\uFFFD\"}\n"
                                      "{\"text\":\"Ã¼ber\"}\n{\"text\":\"" +
                                          std::string(60, 'x') + "\"}\n",
                                      options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_THAT(findings(*data), ElementsAre("control-characters x.jsonl:2 text", "replacement-characters x.jsonl:3 text",
                                           "mojibake x.jsonl:4 text", "very-long x.jsonl:5"));
}

TEST(Statistics, count_rows_characters_and_messages) {
  const auto data = DataFolder().open("x.jsonl", "{\"text\":\"é\"}\n{\"text\":\"abc\"}\n{\"text\":\"abcdefgh\"}\n");
  const auto& statistics = data->report().statistics;
  EXPECT_EQ(statistics.characters.total, 12);
  EXPECT_EQ(statistics.characters.median, 3);
  EXPECT_EQ(statistics.characters.p95, 8);
  std::vector<std::int64_t> rows;
  for (const auto& bucket : statistics.characters.histogram) rows.push_back(bucket.rows);
  EXPECT_THAT(rows, ElementsAre(1, 1, 0, 1)) << "1, 2 to 3, 4 to 7, 8 to 15";
  EXPECT_FALSE(statistics.tokens);
}

TEST(Tokens, are_counted_by_whoever_knows_the_model_and_too_many_are_reported) {
  Options options;
  options.count_tokens = [](const Row& row) -> Result<std::size_t> {
    if (row.text == "refuse") return fail(Code::invalid_argument, "no such template");
    return row.text->size();
  };
  options.max_tokens = 5;
  const auto data = DataFolder().open("x.jsonl", "{\"text\":\"abc\"}\n{\"text\":\"refuse\"}\n{\"text\":\"abcdefgh\"}\n", options);
  EXPECT_THAT(findings(*data), ElementsAre("not-rendered x.jsonl:2", "truncated x.jsonl:3"));
  EXPECT_EQ(data->report().statistics.tokens.value_or(wire::DatasetLengths{}).max, 8);
  EXPECT_EQ(data->rows().tokens(1), 8u);
}

TEST(Tokens, a_counter_that_goes_away_ends_the_reading) {
  Options options;
  options.count_tokens = [](const Row&) -> Result<std::size_t> { return fail(Code::unavailable, "the model is gone"); };
  EXPECT_EQ(DataFolder().open("x.jsonl", pairs(0, 1), options).error().code, Code::unavailable);
}

TEST(Preview, shows_the_report_and_rows_as_they_are_understood) {
  const auto data = DataFolder().open("x.jsonl", pairs(0, 30));
  const auto preview = data->preview(2);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->rows.size(), 2u);
  EXPECT_EQ(preview->report.task, "text-generation");
  EXPECT_EQ(preview->report.method, "sft");
  EXPECT_EQ(preview->report.sources[0].digest.size(), 7u + 64);
  const auto back = json::decode<wire::DatasetPreview>(json::encode(*preview));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(json::to_text(json::encode(*back)), json::to_text(json::encode(*preview)));
}

TEST(LlamaCare, is_sixty_rows_and_twelve_others_without_a_fault) {
  const std::filesystem::path folder = PUNA_TEST_DATA "/llama_care";
  Options options;
  options.evaluation = {folder / "eval.jsonl"};
  const std::vector paths{folder / "train.jsonl"};
  const auto data = open(paths, options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->rows().size(), 60u);
  EXPECT_EQ(data->evaluation().size(), 12u);
  EXPECT_THAT(findings(*data), IsEmpty());
  for (const auto& row : rows_of(data->rows())) EXPECT_TRUE(json::parse_object(row.messages.at(1).content)) << row.line;
}

}  // namespace
}  // namespace puna::dataset
