#include "cli/cli_testing.h"

#include "os/places.h"

namespace puna::cli {

Console capturing_console(Captured& captured, ScreenTraits traits) {
  const Stream::Traits stream{.terminal = traits.terminal, .colour = false, .width = [width = traits.width] { return width; }};
  const auto into = [](std::string& text) {
    return [&text](std::string_view piece) {
      text += piece;
      return Result<>();
    };
  };
  return {Stream(into(captured.out), stream), Stream(into(captured.err), stream), true};
}

void InHome::SetUp() {
  environment_ = {{"PUNA_HOME", home().string()}};
}

Ran InHome::run_words(const std::vector<std::string>& words) {
  Ran ran;
  auto console = capturing_console(ran, screen_);
  console.read_line = [this] { return Result<std::string>(answer_); };
  const auto serve = [this](const ServeRequest& request) -> Result<> {
    served_.push_back(request);
    return {};
  };
  const EntryPoints entry_points{.serve = serve, .compute = [this] { return compute_; }};
  ran.code = run(words, console, environment_, entry_points);
  return ran;
}

void WithDaemon::SetUp() {
  InHome::SetUp();
  const auto places = os::find_places(environment_);
  ASSERT_TRUE(places) << places.error().text();
  ASSERT_TRUE(os::ensure_places(*places));
  daemon_ = std::make_unique<client::ScriptedDaemon>(places->socket());
}

}  // namespace puna::cli
