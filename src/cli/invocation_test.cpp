#include "cli/invocation.h"

#include <gtest/gtest.h>

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "MODEL", .help = "a model"},
                                   ArgumentSpec{.name = "PROMPT", .help = "a question", .occurs = Occurs::any}};
constexpr std::array kOptions = {OptionSpec{.name = "keepalive", .letter = 'k', .value = "DURATION", .help = "how long"},
                                 OptionSpec{.name = "set", .value = "NAME=VALUE", .help = "a parameter", .repeatable = true},
                                 OptionSpec{.name = "verbose", .help = "more"},
                                 OptionSpec{.name = "secret-door", .help = "hidden", .hidden = true}};
constexpr CommandSpec kTalk{.name = "talk", .summary = "talk", .arguments = kArguments, .options = kOptions, .prints_data = true};

Result<Invocation> read(const std::vector<std::string>& words) {
  return read_invocation(kTalk, "talk", words);
}

std::string error_of(const std::vector<std::string>& words) {
  const auto invocation = read(words);
  return invocation ? "accepted" : invocation.error().message;
}

TEST(Invocation, options_may_stand_anywhere_among_the_arguments) {
  const auto invocation = read({"m", "--verbose", "why", "-k", "5m", "not", "--set=a=1", "--set", "b=2"});
  ASSERT_TRUE(invocation) << invocation.error().text();
  EXPECT_EQ(invocation->argument("MODEL"), "m");
  EXPECT_EQ(invocation->rest(), (std::vector<std::string>{"why", "not"}));
  EXPECT_TRUE(invocation->has("verbose"));
  EXPECT_FALSE(invocation->has("json"));
  EXPECT_EQ(invocation->text("keepalive"), "5m");
  EXPECT_EQ(invocation->all("set"), (std::vector<std::string>{"a=1", "b=2"}));
}

TEST(Invocation, words_are_taken_as_they_are) {
  const auto invocation = read({"m", "[1,2]", "", "/x", "ü\n", "-5 + 3", "--", "--verbose", "-k"});
  ASSERT_TRUE(invocation) << invocation.error().text();
  EXPECT_EQ(invocation->rest(), (std::vector<std::string>{"[1,2]", "", "/x", "ü\n", "-5 + 3", "--verbose", "-k"}));
  EXPECT_FALSE(invocation->has("verbose"));
}

TEST(Invocation, a_value_may_look_like_a_number_below_zero) {
  const auto invocation = read({"m", "--keepalive", "-1"});
  ASSERT_TRUE(invocation) << invocation.error().text();
  EXPECT_EQ(invocation->text("keepalive"), "-1");
}

TEST(Invocation, of_an_option_given_twice_the_last_counts) {
  EXPECT_EQ(read({"m", "-k", "1m", "--keepalive=2m"})->text("keepalive"), "2m");
}

TEST(Invocation, an_unknown_option_names_the_nearest_that_is_not_hidden) {
  EXPECT_TRUE(error_of({"m", "--verbos"}).starts_with("unknown option '--verbos'; did you mean --verbose?")) << error_of({"m", "--verbos"});
  EXPECT_TRUE(error_of({"m", "--secret-dor"}).starts_with("unknown option '--secret-dor' (")) << error_of({"m", "--secret-dor"});
  EXPECT_TRUE(error_of({"m", "-what"}).contains("write -- before words that begin with a dash")) << error_of({"m", "-what"});
}

TEST(Invocation, what_is_missing_is_named_with_the_usage) {
  EXPECT_EQ(error_of({}), "MODEL is missing: a model\nusage: puna talk [OPTIONS] MODEL [PROMPT...]");
  EXPECT_TRUE(error_of({"m", "--keepalive"}).starts_with("--keepalive needs a DURATION\n")) << error_of({"m", "--keepalive"});
  EXPECT_EQ(read({}).error().code, Code::invalid_argument);
}

TEST(Invocation, help_is_given_whatever_else_is_missing) {
  const auto invocation = read({"--help"});
  ASSERT_TRUE(invocation) << invocation.error().text();
  EXPECT_TRUE(invocation->has("help"));
}

TEST(Invocation, numbers_are_checked_against_their_bounds) {
  const auto invocation = read({"m", "-k", "12x"});
  EXPECT_FALSE(invocation->number("keepalive", 1, 0, 100));
  EXPECT_EQ(read({"m"})->number("keepalive", 7, 0, 100).value_or(0), 7);
  EXPECT_EQ(read({"m", "-k", "101"})->number("keepalive", 7, 0, 100).error().message,
            "--keepalive: '101' is not a whole number from 0 to 100");
}

}  // namespace
}  // namespace puna::cli
