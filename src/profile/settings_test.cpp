#include "profile/settings.h"

#include <gmock/gmock.h>

namespace puna::profile {
namespace {

using ::testing::HasSubstr;

Result<wire::ProfileSettings> check(std::string_view text) {
  return check_settings(*json::parse_object(text));
}

std::string refusal(std::string_view text) {
  const auto checked = check(text);
  EXPECT_FALSE(checked) << text;
  return checked ? "" : checked.error().message;
}

// ledger: M16
TEST(ProfileSettings, say_everything_about_how_a_model_is_served) {
  const auto settings = check(R"({"model":"m:1","context":8192,"slots":2,"threads":4,"gpu_layers":-1,"batch":512,"micro_batch":256,
    "cache_type_k":"q8_0","cache_type_v":"q8_0","flash_attention":"on","draft_model":"/d.gguf","draft_max":8,"draft_min":2,
    "adapters":[{"model":"lora","scale":0.5}],"projector":"/p.gguf","system":"Be short.","parameters":{"temperature":0.2,"stop":["END"]},
    "environment":{"OMP_NUM_THREADS":"4"},"keep_alive":"-1","auto_start":true,"restart":"on_failure","restart_attempts":3,
    "memory_limit":"8GiB"})");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->cache_type_v, wire::CacheType::q8_0);
  EXPECT_EQ(settings->adapters->at(0).scale, 0.5);
  EXPECT_EQ(settings->restart, wire::RestartPolicy::on_failure);
}

// ledger: M4
TEST(ProfileSettings, have_every_bad_field_named_with_what_it_takes) {
  const auto said = refusal(R"({"model":"m","context":-1,"slots":"two","keep_alive":"soon","cache_type_k":"q9","contxt":1})");
  EXPECT_THAT(said, HasSubstr("context: takes a whole number from 0 to 16777216, not -1"));
  EXPECT_THAT(said, HasSubstr("slots: takes a whole number from 1 to 256, not \"two\""));
  EXPECT_THAT(said, HasSubstr("keep_alive: takes a time"));
  EXPECT_THAT(said, HasSubstr("cache_type_k: takes one of f32, bf16, f16, q8_0"));
  EXPECT_THAT(said, HasSubstr("'contxt' is no setting of a profile; did you mean context?"));
}

TEST(ProfileSettings, have_sampling_under_parameters) {
  EXPECT_THAT(refusal(R"({"model":"m","temperature":0.5})"), HasSubstr("did you mean parameters.temperature?"));
  EXPECT_THAT(refusal(R"({"model":"m","parameters":{"temperature":-1,"top_q":1}})"), HasSubstr("temperature takes a number from 0 to 100"));
}

// ledger: M7
TEST(ProfileSettings, refuse_what_their_engine_would_ignore_and_ask_for_what_it_needs) {
  EXPECT_THAT(refusal("{}"), HasSubstr("model: is needed"));
  EXPECT_THAT(refusal(R"({"engine":"command"})"), HasSubstr("command: is needed"));
  EXPECT_THAT(refusal(R"({"engine":"command","command":["/bin/x","--port","{port}","{model}"]})"), HasSubstr("model: is needed"));
  EXPECT_THAT(refusal(R"({"engine":"command","command":["/bin/x"]})"), HasSubstr("{port} or {socket}"));
  EXPECT_THAT(refusal(R"({"engine":"command","command":["/bin/x","{prt}","{port}"]})"), HasSubstr("{prt} stands for nothing"));
  EXPECT_THAT(refusal(R"({"engine":"remote"})"), HasSubstr("url: is needed"));
  EXPECT_THAT(refusal(R"({"engine":"remote","url":"http://h","gpu_layers":3})"), HasSubstr("gpu_layers: has no effect with engine remote"));
}

// ledger: V4
TEST(ProfileSettings, take_no_secret) {
  EXPECT_THAT(refusal(R"({"engine":"remote","url":"https://me:pw@host/v1"})"), HasSubstr("url: takes"));
  EXPECT_THAT(refusal(R"({"engine":"remote","url":"https://host/v1","key_env":"sk-123-abc"})"), HasSubstr("key_env: takes"));
  EXPECT_THAT(refusal(R"({"model":"m","environment":{"HF_TOKEN":"hf_abcdefghijklmnopqrstuvwxyz"}})"), HasSubstr("\"$HF_TOKEN\""));
}

TEST(ProfileSettings, say_what_cannot_stand_together) {
  EXPECT_THAT(refusal(R"({"model":"m","batch":64,"micro_batch":128})"), HasSubstr("micro_batch: is at most the batch, 64"));
  EXPECT_THAT(refusal(R"({"model":"m","flash_attention":"off","cache_type_v":"q4_0"})"), HasSubstr("needs flash attention"));
  EXPECT_THAT(refusal(R"({"model":"m","draft_max":4})"), HasSubstr("draft_max: has no effect"));
  EXPECT_THAT(refusal(R"({"model":"m","restart_attempts":4})"), HasSubstr("restart_attempts: has no effect"));
}

TEST(ProfileSettings, are_laid_over_one_another_name_by_name) {
  const auto merged =
      merge_settings(*json::parse_object(R"({"context":1,"slots":2,"parameters":{"top_k":1,"seed":2}})"),
                     *json::parse_object(R"({"slots":null,"parameters":{"seed":null,"top_p":0.5},"environment":{"A":null}})"));
  EXPECT_EQ(json::to_text(merged), R"({"context":1,"parameters":{"top_k":1,"top_p":0.5}})");
  EXPECT_FALSE(merge_settings(merged, *json::parse_object(R"({"parameters":{"top_k":null,"top_p":null}})")).contains("parameters"));
}

TEST(ProfileNames, are_plain_words) {
  for (const auto* name : {"coder", "a.b_c-1", "Z"}) EXPECT_TRUE(check_name(name)) << name;
  for (const auto* name : {"", "-x", "a b", "a/b", "a:b", "daemon", "ü"}) EXPECT_FALSE(check_name(name)) << name;
  EXPECT_FALSE(check_name(std::string(65, 'x')));
}

}  // namespace
}  // namespace puna::profile
