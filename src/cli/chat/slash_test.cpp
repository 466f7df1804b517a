#include "cli/chat/slash.h"

#include <gtest/gtest.h>

#include "cli/cli_testing.h"

namespace puna::cli {
namespace {

class Slash : public InHome {
 protected:
  std::string run_line(std::string_view line) {
    const auto after = run_slash_command(desk_, line);
    if (!after) return after.error().message;
    return *after == After::leave ? "leave" : captured_.out;
  }

  Captured captured_;
  Console console_ = capturing_console(captured_);
  EntryPoints entry_points_;
  Context context_{console_, environment_, entry_points_};
  wire::ModelDetail model_{.model = {.name = "m:latest"}, .chat_template = "{{ x }}"};
  Conversation conversation_{context_, "m:latest", {}};
  ChatDesk desk_{context_, conversation_, model_};
};

TEST_F(Slash, a_path_is_not_a_command) {
  EXPECT_TRUE(is_slash_command("/help"));
  EXPECT_TRUE(is_slash_command("/?"));
  for (const auto* line : {"/usr/bin/env is what?", "/", "/ x", "help", ""}) EXPECT_FALSE(is_slash_command(line)) << line;
}

// ledger: T26
TEST_F(Slash, every_command_and_setting_is_in_the_help) {
  run_line("/help");
  run_line("/set");
  for (const auto& command : slash_commands()) EXPECT_TRUE(captured_.err.contains(fmt::format("/{}", command.name))) << command.name;
  for (const auto* setting : {"system", "parameter", "format", "nothink", "verbose", "nowordwrap", "nohistory"})
    EXPECT_TRUE(captured_.err.contains(fmt::format("/set {}", setting))) << setting;
}

TEST_F(Slash, set_changes_what_the_next_question_carries) {
  run_line("/set system \"You are Brief.\"");
  run_line("/set parameter temperature 0");
  run_line("/set nothink");
  run_line("/set format json");
  const auto& settings = conversation_.settings;
  EXPECT_EQ(settings.system, "You are Brief.");
  EXPECT_EQ(json::to_text(settings.parameters), R"({"temperature":0})");
  EXPECT_EQ(settings.think, false);
  EXPECT_EQ(json::to_text(settings.response_format.value_or(json::object())), R"({"type":"json_object"})");
}

TEST_F(Slash, what_is_set_is_shown) {
  EXPECT_EQ(run_line("/show parameters"), "nothing is set: the model's defaults hold\n");
  run_line("/set parameter seed 7");
  captured_.out.clear();
  EXPECT_EQ(run_line("/show parameters"), "  seed  7\n");
  captured_.out.clear();
  EXPECT_EQ(run_line("/show template"), "{{ x }}\n");
}

TEST_F(Slash, slips_name_the_way_out) {
  EXPECT_EQ(run_line("/hlep"), "unknown command '/hlep'; did you mean /help?");
  EXPECT_EQ(run_line("/set parameter temperature"), "write /set parameter NAME VALUE");
  EXPECT_EQ(run_line("/show everything"), "write /show info|parameters|system|template");
}

TEST_F(Slash, bye_leaves) {
  EXPECT_EQ(run_line("/bye"), "leave");
  EXPECT_EQ(run_line("/exit"), "leave");
}

TEST_F(Slash, tab_completes_commands_settings_and_parameters) {
  EXPECT_EQ(complete_slash_command("/set p"),
            (std::vector<std::string>{"/set parameter", "/set parameter temperature", "/set parameter top_p", "/set parameter top_k",
                                      "/set parameter min_p", "/set parameter seed", "/set parameter max_tokens", "/set parameter stop",
                                      "/set parameter repeat_penalty", "/set parameter repeat_last_n", "/set parameter presence_penalty",
                                      "/set parameter frequency_penalty"}));
  EXPECT_TRUE(complete_slash_command("").empty());
  EXPECT_TRUE(complete_slash_command("hello").empty());
}

}  // namespace
}  // namespace puna::cli
