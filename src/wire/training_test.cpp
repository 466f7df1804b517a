#include "wire/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace puna::wire {
namespace {

using testing::HasSubstr;

// ledger: F2
TEST(TrainingNames, every_task_has_one_canonical_name_and_each_alias_leads_to_it) {
  std::set<std::string_view> seen;
  for (const auto& row : tune_tasks()) {
    EXPECT_EQ(parse_task(task_name(row.value)), row.value);
    EXPECT_TRUE(seen.insert(row.name).second) << row.name;
    for (const auto alias : row.aliases) {
      EXPECT_EQ(parse_task(alias), row.value) << alias;
      EXPECT_TRUE(seen.insert(alias).second) << alias;
    }
  }
}

TEST(TrainingNames, every_alias_of_a_method_leads_to_one_method) {
  std::set<std::string_view> seen;
  for (const auto& row : tune_methods()) {
    EXPECT_EQ(parse_method(method_name(row.value)), row.value);
    EXPECT_TRUE(seen.insert(row.name).second) << row.name;
    for (const auto alias : row.aliases) {
      EXPECT_EQ(parse_method(alias), row.value) << alias;
      EXPECT_TRUE(seen.insert(alias).second) << alias;
    }
  }
}

TEST(TrainingNames, case_and_separators_do_not_matter) {
  EXPECT_EQ(parse_task(" Text_Generation "), TuneTask::text_generation);
  EXPECT_EQ(parse_task("Extractive Question-Answering"), TuneTask::extractive_question_answering);
  EXPECT_EQ(parse_method("QLoRA"), TuneMethod::sft);
}

TEST(TrainingNames, an_unknown_name_is_refused_with_what_there_is) {
  const auto task = parse_task("sumarization");
  ASSERT_FALSE(task);
  EXPECT_THAT(task.error().message, HasSubstr("did you mean 'summarization'"));
  EXPECT_THAT(task.error().message, HasSubstr("extractive-question-answering"));
  EXPECT_THAT(parse_method("ppo").error().message, HasSubstr("sft, pretrain, dpo, orpo, kto"));
}

}  // namespace
}  // namespace puna::wire
