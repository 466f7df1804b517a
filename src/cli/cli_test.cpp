#include <gtest/gtest.h>

#include "base/version.h"
#include "cli/cli_testing.h"

namespace puna::cli {
namespace {

using Cli = InHome;

TEST_F(Cli, without_words_it_lists_the_commands) {
  const auto ran = run_words({});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out, R"(Puna runs language models on this machine.

Usage: puna COMMAND [OPTIONS]

Chat:
  run   chat with a model, or ask it one question
  ps    show the models in memory
  stop  unload a model from memory

Models:
  search    find models to pull
  pull      bring a model into the library
  update    bring models up to date
  outdated  show which models are newer upstream
  list      show the models in the library
  show      show what a model is and can do
  create    make a model from another one and a recipe
  cp        copy a model under another name
  rm        remove models from the library
  undo      bring a removed model back
  alias     give a model a short name
  pin       protect a model from removal
  unpin     let a pinned model be removed again
  df        show which models take which room
  verify    check the files of models byte by byte
  probe     try what a model can do
  quantize  make a smaller model from one of the library
  tune      teach a model from your own data
  push      publish a model on Hugging Face or in a registry
  profile   serve models under names, each set up for its purpose

Daemon:
  serve   run the daemon
  logs    show the log of the daemon or of a model
  job     see and steer downloads and other long work
  key     make and revoke API keys
  usage   show what was used, by whom
  config  see and change settings
  doctor  look for what is wrong on this machine

More:
  version     show the version of this program
  completion  print completions for a shell
  help        tell about the commands

`puna help COMMAND` tells more about a command, `puna doctor` whether all is
well.
)");
}

TEST_F(Cli, help_fits_a_narrow_terminal) {
  screen_.width = 40;
  EXPECT_EQ(run_words({"help", "pin"}).out, R"(Usage: puna pin MODEL

Protects a model of the library: `puna
rm` refuses to remove it without
--force. `puna list` shows which are
pinned.

Arguments:
  MODEL  a model of the library

Options:
      --color WHEN  colour the output:
                    auto (on terminals),
                    always, never
  -h, --help        show this help

Examples:
  puna pin smollm2  protect a model from
                    removal
)");
}

TEST_F(Cli, help_is_reached_by_word_and_by_option) {
  const auto by_word = run_words({"help", "config", "get"});
  EXPECT_TRUE(by_word.out.starts_with("Usage: puna config get [OPTIONS] KEY\n")) << by_word.out;
  EXPECT_EQ(run_words({"config", "get", "--help"}).out, by_word.out);
  EXPECT_EQ(run_words({"config", "get", "-h", "x", "y"}).out, by_word.out);
}

TEST_F(Cli, an_unknown_command_names_the_nearest_and_is_a_usage_error) {
  const auto ran = run_words({"lst"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "error: unknown command 'lst'; did you mean 'list' or 'ls'?\n");
  EXPECT_EQ(run_words({"config", "gte"}).err, "error: unknown command 'config gte'; did you mean 'get'?\n");
  EXPECT_EQ(run_words({"frobnicate"}).err, "error: unknown command 'frobnicate'; see `puna help`\n");
}

TEST_F(Cli, a_command_of_several_says_what_it_needs) {
  const auto ran = run_words({"config"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "error: `puna config` needs a command; see `puna help config`\n");
}

TEST_F(Cli, escape_codes_appear_only_where_colours_are_wanted) {
  EXPECT_FALSE(run_words({"help", "ps"}).out.contains('\033'));
  EXPECT_TRUE(run_words({"help", "ps", "--color", "always"}).out.contains('\033'));
  EXPECT_TRUE(run_words({"--color=always", "help", "ps"}).out.contains('\033'));
  screen_.terminal = true;
  environment_["NO_COLOR"] = "1";
  EXPECT_FALSE(run_words({"--color", "auto", "help", "ps"}).out.contains('\033'));
  EXPECT_EQ(run_words({"help", "--color", "red"}).err, "error: --color: 'red' is not one of auto, always, never\n");
}

TEST_F(Cli, version_is_one_line_and_one_object) {
  EXPECT_EQ(run_words({"--version"}).out, fmt::format("puna {}\n", version()));
  EXPECT_EQ(run_words({"version"}).out, fmt::format("puna {} (llama.cpp {}, {})\n", version(), llama_cpp_version(), compiler_version()));
  EXPECT_TRUE(run_words({"version", "--json"}).out.contains("\"llama_cpp\"")) << run_words({"version", "--json"}).out;
}

TEST_F(Cli, output_that_cannot_be_written_is_a_failure) {
  Captured captured;
  auto console = capturing_console(captured);
  console.out = Stream([](std::string_view) { return fail(Code::disk_full, "no space"); }, {});
  EXPECT_EQ(run({"version"}, console, environment_, {}), 1);
  EXPECT_EQ(captured.err, "error: cannot write to standard output: no space\n");
}

TEST_F(Cli, serve_hands_its_flags_on_as_settings) {
  const auto ran = run_words({"serve", "--host", "::1", "--port=0", "--set", "log.level=debug", "--on-demand", "--ready-fd", "3"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(served_.size(), 1u);
  EXPECT_EQ(served_[0].flags, (std::map<std::string, std::string>{{"server.host", "::1"}, {"server.port", "0"}, {"log.level", "debug"}}));
  EXPECT_TRUE(served_[0].on_demand);
  EXPECT_EQ(served_[0].ready_descriptor, 3);
}

TEST_F(Cli, serve_refuses_a_setting_that_does_not_fit) {
  EXPECT_EQ(run_words({"serve", "--port", "99999"}).code, 2);
  EXPECT_EQ(run_words({"serve", "--set", "modles.slots=3"}).code, 3);
  EXPECT_EQ(run_words({"serve", "--set", "models.slots"}).err, "error: --set: 'models.slots' is not KEY=VALUE\n");
  EXPECT_TRUE(served_.empty());
}

}  // namespace
}  // namespace puna::cli
