#include "cli/chat/interactive.h"

#include <gtest/gtest.h>

#include <future>

#include "cli/cli.h"
#include "cli/terminal_testing.h"
#include "client/scripted_daemon_testing.h"
#include "os/file.h"
#include "os/places.h"
#include "os/temporary_folder.h"

namespace puna::cli {
namespace {

std::string piece(std::string_view content) {
  return json::to_text({{"choices", {{{"delta", {{"content", content}}}}}}});
}

// `puna run m` in a terminal, and a daemon that answers as the test says.
class ChatInTerminal : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(os::ensure_places(places_));
    daemon_ = std::make_unique<client::ScriptedDaemon>(places_.socket());
    daemon_->on("GET /api/v1/models/m", client::reply_json(200, json::encode(wire::ModelDetail{.model = {.name = "m:latest"}})));
    daemon_->on("POST /api/v1/running/m%3Alatest", client::reply_json(200, json::encode(wire::RunningModel{.name = "m:latest"})));
    daemon_->on("GET /api/v1/events", client::stream({}, client::Ending::held));
    child_.begin();
  }

  int chat() const {
    const os::Environment environment{{"PUNA_HOME", folder_.path().string()}, {"TERM", "xterm"}, {"NO_COLOR", "1"}};
    auto console = Console::standard(environment);
    return run({"run", "m"}, console, environment, {});
  }

  void answers(std::vector<client::Script> scripts) { daemon_->on("POST /v1/chat/completions", client::in_turn(std::move(scripts))); }

  void type(std::string_view keys) {
    ASSERT_TRUE(child_.shows(kEditorReady)) << child_.shown();
    child_.type(keys);
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  os::Places places_ = os::find_places({{"PUNA_HOME", folder_.path().string()}}).value();
  ChildInTerminal child_{[this](int) { return chat(); }};  // before the daemon, which has threads
  std::unique_ptr<client::ScriptedDaemon> daemon_;
};

TEST_F(ChatInTerminal, remembers_what_was_said) {
  answers({client::stream({piece("Hello!"), "[DONE]"}), client::stream({piece("Fine."), "[DONE]"})});
  type("Hi\r");
  ASSERT_TRUE(child_.shows("Hello!")) << child_.shown();
  type("How are you?\r");
  ASSERT_TRUE(child_.shows("Fine.")) << child_.shown();
  type("\x04");
  EXPECT_EQ(child_.exit_code(), 0);
  EXPECT_TRUE(daemon_->asked().back().contains(
      R"([{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"},{"role":"user","content":"How are you?"}])"))
      << daemon_->asked().back();
}

TEST_F(ChatInTerminal, ctrl_c_stops_the_answer_first_and_leaves_later) {
  std::promise<void> left;
  answers({client::then(client::stream({piece("Once upon ")}, client::Ending::held), [&] { left.set_value(); })});
  type("Tell me a story\r");
  ASSERT_TRUE(child_.shows("Once")) << child_.shown();
  child_.type("\x03");
  EXPECT_EQ(left.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  type("\x03");
  ASSERT_TRUE(child_.shows("Ctrl-D or /bye leaves")) << child_.shown();
  type("\x03");
  EXPECT_EQ(child_.exit_code(), 0);
}

TEST_F(ChatInTerminal, a_failed_question_is_shown_and_forgotten) {
  answers({client::reply(502, R"({"error":{"code":"upstream_failed","message":"the worker crashed"}})"),
           client::stream({piece("Back."), "[DONE]"})});
  type("one\r");
  ASSERT_TRUE(child_.shows("error: the worker crashed")) << child_.shown();
  type("two\r");
  ASSERT_TRUE(child_.shows("Back.")) << child_.shown();
  type("/bye\r");
  EXPECT_EQ(child_.exit_code(), 0);
  EXPECT_TRUE(daemon_->asked().back().contains(R"("messages":[{"role":"user","content":"two"}])")) << daemon_->asked().back();
}

TEST_F(ChatInTerminal, what_was_typed_is_kept_for_the_next_chat) {
  answers({client::stream({piece("Hello!"), "[DONE]"})});
  type("Hi\r");
  ASSERT_TRUE(child_.shows("Hello!")) << child_.shown();
  type("/set nohistory\r");
  type("/bye\r");
  EXPECT_EQ(child_.exit_code(), 0);
  EXPECT_EQ(os::read_file(places_.state / "chat_history", kib(4)).value_or(""), "\"Hi\"\n\"/set nohistory\"\n");
}

TEST_F(ChatInTerminal, keys_pressed_while_the_model_writes_wait_for_the_next_line) {
  std::promise<void> typed;
  const auto ready = typed.get_future().share();
  answers({daemon_->after([ready] { ready.wait_for(std::chrono::seconds(10)); }, client::stream({piece("Answer."), "[DONE]"})),
           client::stream({piece("Second."), "[DONE]"})});
  type("one\r");
  ASSERT_TRUE(child_.shows("one"));
  child_.type("two\r");
  typed.set_value();
  ASSERT_TRUE(child_.shows("Answer.")) << child_.shown();
  ASSERT_TRUE(child_.shows("two")) << child_.shown();
  ASSERT_TRUE(child_.shows("Second.")) << child_.shown();
}

Line message(std::vector<std::string> lines) {
  auto read = [lines = std::move(lines), at = std::size_t{0}](std::string_view) mutable -> Result<Line> {
    return at < lines.size() ? Line{Line::Kind::text, lines[at++]} : Line{Line::Kind::end, {}};
  };
  return read_message(read).value();
}

TEST(Message, three_quotes_hold_several_lines_together) {
  EXPECT_EQ(message({"\"\"\"one", "two", "three\"\"\""}).text, "one\ntwo\nthree");
  EXPECT_EQ(message({"\"\"\"", "one", "\"\"\""}).text, "one\n");
  EXPECT_EQ(message({"\"\"\"one\"\"\""}).text, "one");
  EXPECT_EQ(message({"/set system \"\"\"a", "b\"\"\""}).text, "/set system a\nb");
  EXPECT_EQ(message({"say \"\"\" now"}).text, "say \"\"\" now");
}

TEST(Message, the_terminals_end_inside_quotes_is_the_end) {
  EXPECT_EQ(message({"\"\"\"one"}).kind, Line::Kind::end);
}

}  // namespace
}  // namespace puna::cli
