#include "wire/tune_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/tune_schema.h"

namespace puna::wire {
namespace {

TEST(TuneReference, has_every_setting_with_its_range_and_default) {
  const auto list = tune_reference();
  ASSERT_EQ(list.settings.size(), tune_fields().size());
  const auto rank = std::ranges::find(list.settings, "rank", &TuneSettingInfo::name);
  ASSERT_NE(rank, list.settings.end());
  EXPECT_EQ(rank->kind, "integer");
  EXPECT_EQ(rank->min, 1);
  EXPECT_EQ(rank->max, 256);
  EXPECT_EQ(rank->fallback, "16");
  EXPECT_THAT(rank->aliases, testing::Contains("lora_r"));
}

TEST(TuneReference, lists_the_words_of_a_choice) {
  const auto list = tune_reference();
  const auto schedule = std::ranges::find(list.settings, "schedule", &TuneSettingInfo::name);
  ASSERT_NE(schedule, list.settings.end());
  EXPECT_THAT(schedule->choices.value_or(std::vector<std::string>{}), testing::ElementsAre("constant", "linear", "cosine"));
  EXPECT_FALSE(schedule->min);
}

}  // namespace
}  // namespace puna::wire
