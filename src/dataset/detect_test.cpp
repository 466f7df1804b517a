#include "dataset/detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::dataset {
namespace {

using Names = std::map<std::string, std::string>;
using testing::HasSubstr;

std::vector<json::object> sample(std::string_view rows) {
  std::vector<json::object> out;
  for (const auto& row : json::parse(rows).value().as_array()) out.push_back(row.as_object());
  return out;
}

Result<Shape> shape_of(std::string_view rows, const Wanted& wanted = {}) {
  PUNA_TRY(const auto found, detect(sample(rows), wanted));
  if (!found.mapping.shape) return fail(Code::internal, "a detection without a shape");
  return *found.mapping.shape;
}

TEST(Detect, the_usual_fields_tell_the_shape) {
  EXPECT_EQ(shape_of(R"([{"messages":[{"role":"user","content":"a"}]}])"), Shape::messages);
  EXPECT_EQ(shape_of(R"([{"conversations":[{"role":"user","content":"a"}]}])"), Shape::messages);
  EXPECT_EQ(shape_of(R"([{"conversations":[{"from":"human","value":"a"}]}])"), Shape::sharegpt);
  EXPECT_EQ(shape_of(R"([{"instruction":"a","input":"","output":"b"}])"), Shape::alpaca);
  EXPECT_EQ(shape_of(R"([{"instruction":"a","context":"","response":"b","category":"c"}])"), Shape::alpaca);
  EXPECT_EQ(shape_of(R"([{"input":"a","output":"b"}])"), Shape::prompt_completion);
  EXPECT_EQ(shape_of(R"([{"Question":"a","Answer":"b"}])"), Shape::prompt_completion);
  EXPECT_EQ(shape_of(R"([{"article":"a","highlights":"b"}])"), Shape::summary);
  EXPECT_EQ(shape_of(R"([{"context":"a","question":"b","answers":{"text":[]}}])"), Shape::squad);
  EXPECT_EQ(shape_of(R"([{"prompt":"a","chosen":"b","rejected":"c"}])"), Shape::preference);
  EXPECT_EQ(shape_of(R"([{"prompt":"a","completion":"b","label":true}])"), Shape::labelled);
  EXPECT_EQ(shape_of(R"([{"text":"a"}])"), Shape::text);
}

TEST(Detect, the_task_and_the_method_decide_between_shapes_that_fit) {
  constexpr auto kRows = R"([{"input":"a","output":"b"}])";
  EXPECT_EQ(shape_of(kRows, {{}, wire::TuneTask::summarization, {}}), Shape::summary);
  constexpr auto kBoth = R"([{"prompt":"a","completion":"b","chosen":"c","rejected":"d"}])";
  EXPECT_EQ(shape_of(kBoth), Shape::preference);
  EXPECT_EQ(shape_of(kBoth, {{}, {}, wire::TuneMethod::sft}), Shape::prompt_completion);
}

TEST(Detect, says_what_it_chose_what_else_was_close_and_which_fields_nothing_takes) {
  const auto found =
      detect(sample(R"([{"instruction":"a","output":"b","text":"c","id":1},{"instruction":"a","output":"b","text":"d"}])"), {});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->reason, HasSubstr("2 of 2 sampled rows"));
  ASSERT_EQ(found->alternatives.size(), 2u);
  EXPECT_EQ(found->alternatives[0].shape, Shape::prompt_completion);
  EXPECT_EQ(found->alternatives[1].shape, Shape::text);
  ASSERT_EQ(found->unused_fields.size(), 2u);
  EXPECT_EQ(found->unused_fields[0].name, "id");
  EXPECT_EQ(found->unused_fields[0].rows, 1);
}

TEST(Detect, a_mapping_is_obeyed_and_giving_it_back_changes_nothing) {
  Wanted wanted;
  wanted.mapping.fields = Names{{"prompt", "ask"}, {"completion", "say"}};
  const auto rows = sample(R"([{"ask":"a","say":"b","text":"c"}])");
  const auto found = detect(rows, wanted);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->mapping.shape, Shape::prompt_completion);
  const auto again = detect(rows, {found->mapping, {}, {}});
  ASSERT_TRUE(again);
  EXPECT_EQ(json::to_text(json::encode(again->mapping)), json::to_text(json::encode(found->mapping)));
}

TEST(Detect, a_mapping_that_names_what_is_not_there_is_refused_by_name) {
  const auto rows = sample(R"([{"ask":"a","say":"b"}])");
  Wanted wanted;
  wanted.mapping.fields = Names{{"promt", "ask"}};
  EXPECT_THAT(detect(rows, wanted).error().message, HasSubstr("did you mean 'prompt'"));
  wanted.mapping.fields = Names{{"prompt", "asks"}};
  EXPECT_THAT(detect(rows, wanted).error().message, HasSubstr("did you mean 'ask'"));
}

TEST(Detect, rows_that_nothing_fits_are_refused_with_their_fields) {
  const auto none = detect(sample(R"([{"foo":"a","bar":"b"}])"), {});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("bar, foo"));
  EXPECT_THAT(none.error().message, HasSubstr("mapping"));
}

TEST(Purpose, task_and_method_follow_from_the_shape_when_nobody_says) {
  const auto of = [](Shape shape) { return purpose_of(shape, {}, {}).value(); };
  EXPECT_EQ(of(Shape::messages).method, wire::TuneMethod::sft);
  EXPECT_EQ(of(Shape::text).method, wire::TuneMethod::pretrain);
  EXPECT_EQ(of(Shape::preference).method, wire::TuneMethod::dpo);
  EXPECT_EQ(of(Shape::labelled).method, wire::TuneMethod::kto);
  EXPECT_EQ(of(Shape::summary).task, wire::TuneTask::summarization);
  EXPECT_EQ(of(Shape::squad).task, wire::TuneTask::extractive_question_answering);
  for (const auto& spec : shapes()) EXPECT_TRUE(purpose_of(spec.shape, {}, {})) << spec.summary;
}

TEST(Purpose, a_pairing_that_cannot_work_is_refused_with_what_is_needed_and_what_would_do) {
  const auto dpo = purpose_of(Shape::messages, {}, wire::TuneMethod::dpo);
  ASSERT_FALSE(dpo);
  EXPECT_EQ(dpo.error().code, Code::invalid_argument);
  EXPECT_THAT(dpo.error().message, HasSubstr("method: dpo needs preference pairs"));
  EXPECT_THAT(dpo.error().message, HasSubstr("use the method sft"));
  EXPECT_FALSE(purpose_of(Shape::text, {}, wire::TuneMethod::sft));
  EXPECT_FALSE(purpose_of(Shape::preference, {}, wire::TuneMethod::kto));
  EXPECT_THAT(purpose_of(Shape::squad, wire::TuneTask::text_generation, {}).error().message,
              HasSubstr("use the task extractive-question-answering"));
}

TEST(Shapes, every_field_goes_by_its_own_name_or_says_which) {
  for (const auto& spec : shapes())
    for (const auto& field : spec.fields) {
      EXPECT_FALSE(field.names.empty()) << spec.summary << ' ' << field.name;
      EXPECT_EQ(find_field(spec, field.name), &field) << "two fields have one name";
    }
}

}  // namespace
}  // namespace puna::dataset
