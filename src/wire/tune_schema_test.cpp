#include "wire/tune_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace puna::wire {
namespace {

using testing::HasSubstr;

Result<TuneSettings> read(std::string_view text) {
  PUNA_TRY(const auto object, json::parse_object(text));
  return read_tune_settings(object);
}
std::string refusal(std::string_view text) {
  const auto read_back = read(text);
  return read_back ? "" : read_back.error().message;
}

TEST(TuneSchema, has_a_row_for_each_setting_and_no_other) {
  std::set<std::string_view> members;
  boost::mp11::mp_for_each<json::detail::members<TuneSettings>>([&](auto member) { members.insert(member.name); });
  std::set<std::string_view> rows;
  for (const auto& field : tune_fields()) EXPECT_TRUE(rows.insert(field.name).second) << field.name;
  EXPECT_EQ(rows, members);
}

TEST(TuneSchema, every_row_has_help_a_default_and_a_range) {
  for (const auto& field : tune_fields()) {
    EXPECT_FALSE(field.help.empty()) << field.name;
    EXPECT_FALSE(default_of(field).empty()) << field.name;
    EXPECT_FALSE(range_of(field).empty()) << field.name;
  }
}

TEST(TuneSchema, no_two_settings_go_by_the_same_name) {
  for (const auto& field : tune_fields()) {
    EXPECT_EQ(find_tune_field(field.name), &field);
    if (field.aliases.empty()) continue;
    std::string_view rest = field.aliases;
    while (!rest.empty()) {
      const auto alias = rest.substr(0, rest.find('|'));
      EXPECT_EQ(find_tune_field(alias), &field) << alias;
      rest.remove_prefix(std::min(rest.size(), alias.size() + 1));
    }
  }
}

// ledger: F3
TEST(TuneSchema, both_bounds_of_every_number_hold) {
  for (const auto& field : tune_fields()) {
    if (field.kind != TuneFieldKind::integer && field.kind != TuneFieldKind::number) continue;
    const auto takes = [&](double value) { return parse_tune_field(field, std::to_string(value)).has_value(); };
    EXPECT_EQ(takes(field.min), !field.above_min) << field.name;
    EXPECT_EQ(takes(field.max), !field.below_max) << field.name;
    EXPECT_FALSE(takes(field.min - 1)) << field.name;
    EXPECT_FALSE(takes(field.max + 1)) << field.name;
  }
}

// ledger: F3
TEST(TuneSchema, a_refusal_names_field_value_and_range_of_all_that_is_wrong) {
  const auto message = refusal(R"({"rank": 300, "dropout": 1, "schedule": "cubic"})");
  EXPECT_THAT(message, HasSubstr("rank is 300; it must be 1 to 256"));
  EXPECT_THAT(message, HasSubstr("dropout is 1; it must be 0 or more, below 1"));
  EXPECT_THAT(message, HasSubstr(R"(schedule is "cubic"; it must be constant, linear or cosine)"));
}

TEST(TuneSchema, an_unknown_setting_is_refused_with_the_nearest) {
  EXPECT_THAT(refusal(R"({"learning_rat": 1})"), HasSubstr("did you mean 'learning_rate'"));
}

TEST(TuneSchema, names_of_other_trainers_lead_to_the_same_setting) {
  const auto settings = read(R"({"lora_r": 8, "num_train_epochs": 2, "optim": "AdamW-8bit", "strategy": "qlora"})");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->rank, 8);
  EXPECT_EQ(settings->epochs, 2);
  EXPECT_EQ(settings->optimizer, TuneOptimizer::adamw_8bit);
  EXPECT_EQ(settings->method, "sft");
  EXPECT_THAT(refusal(R"({"lora_r": 8, "rank": 8})"), HasSubstr("given twice"));
}

// ledger: F3
TEST(TuneSchema, settings_that_contradict_each_other_are_refused) {
  EXPECT_THAT(refusal(R"({"batch_rows": 8, "batch_tokens": 100})"), HasSubstr("both given"));
  EXPECT_THAT(refusal(R"({"context": 512, "micro_batch_tokens": 256})"), HasSubstr("at least context, 512"));
  EXPECT_THAT(refusal(R"({"warmup": 20, "max_steps": 20})"), HasSubstr("fewer than max_steps"));
  EXPECT_THAT(refusal(R"({"method": "dpo", "train_on": "all"})"), HasSubstr("leave it out"));
  EXPECT_THAT(refusal(R"({"method": "dpo", "task": "summarization"})"), HasSubstr("needs method sft"));
  EXPECT_THAT(refusal(R"({"optimizer": "sgd", "beta1": 0.5})"), HasSubstr("not for sgd"));
}

TEST(TuneSchema, defaults_of_the_method_arrive) {
  const auto settings = complete({}, TuneTask::text_generation, TuneMethod::dpo);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->learning_rate, 5e-6);
  EXPECT_EQ(settings->epochs, 1);
  EXPECT_EQ(settings->beta, 0.1);
  EXPECT_EQ(settings->alpha, 32);
  EXPECT_FALSE(settings->train_on);
}

TEST(TuneSchema, a_preset_fills_in_only_what_is_not_given) {
  const auto settings = complete({.preset = TunePreset::low, .rank = 32}, TuneTask::text_generation, TuneMethod::sft);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->rank, 32);
  EXPECT_EQ(settings->alpha, 64);
  EXPECT_EQ(settings->context, 512);
  EXPECT_EQ(settings->optimizer, TuneOptimizer::adamw_8bit);
}

TEST(TuneSchema, completing_what_is_complete_changes_nothing) {
  for (const auto& method : tune_methods()) {
    const auto once = complete({.preset = TunePreset::high}, TuneTask::text_generation, method.value);
    ASSERT_TRUE(once) << once.error().message;
    const auto twice = complete(*once, TuneTask::text_generation, method.value);
    ASSERT_TRUE(twice) << twice.error().message;
    EXPECT_EQ(json::to_text(json::encode(*once)), json::to_text(json::encode(*twice)));
  }
}

TEST(TuneSchema, typed_values_become_what_the_setting_holds) {
  const auto typed = [](std::string_view name, std::string_view text) {
    const auto value = parse_tune_field(**find_tune_field(name), text);
    return value ? json::to_text(*value) : value.error().message;
  };
  EXPECT_EQ(typed("targets", "q_proj, v_proj"), R"(["q_proj","v_proj"])");
  EXPECT_EQ(typed("ranks", "attn_q=4,attn_v=8"), R"({"attn_q":4,"attn_v":8})");
  EXPECT_EQ(typed("learning-rate", "1e-3"), "0.001");
  EXPECT_THAT(typed("ranks", "attn_q"), HasSubstr("names with ranks of 1 to 256"));
  EXPECT_THAT(typed("rank", "many"), HasSubstr(R"(rank is "many"; it must be 1 to 256)"));
}

TEST(TuneRequest, is_refused_before_anything_is_looked_at) {
  const auto refused = [](std::string_view text) {
    const auto request = read_tune_request(*json::parse(text));
    return request ? "" : request.error().message;
  };
  EXPECT_THAT(refused(R"({"model": "m", "data": []})"), HasSubstr("no file to train on"));
  EXPECT_THAT(refused(R"({"model": "m", "data": ["a.jsonl"]})"), HasSubstr("no absolute path"));
  EXPECT_THAT(refused(R"({"model": "m", "data": ["/a"], "epochs": 3})"), HasSubstr("epochs"));
  EXPECT_THAT(refused(R"({"model": "m", "data": ["/a"], "name": "A b"})"), HasSubstr("small letters"));
  EXPECT_THAT(refused(R"({"model": "m", "data": ["/a"], "evaluation": ["/b"], "settings": {"eval_fraction": 0.5}})"),
              HasSubstr("both given"));
  EXPECT_EQ(refused(R"({"model": "m", "data": ["/a"], "name": "care-1", "settings": {"rank": 4}})"), "");
}

}  // namespace
}  // namespace puna::wire
