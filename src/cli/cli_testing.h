// For this module's tests: commands that run against captured streams and a scripted daemon.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/screen/console.h"
#include "client/scripted_daemon_testing.h"
#include "os/temporary_folder.h"

namespace puna::cli {

// What standard output and standard error were given.
struct Captured {
  std::string out;
  std::string err;
};
struct ScreenTraits {
  bool terminal = false;
  std::size_t width = 80;
};
[[nodiscard]] Console capturing_console(Captured& captured, ScreenTraits traits = {});

struct Ran : Captured {
  int code = 0;
};

// A home of its own for Puna, and commands run in it.
class InHome : public testing::Test {
 protected:
  void SetUp() override;

  Ran run_words(const std::vector<std::string>& words);
  [[nodiscard]] std::filesystem::path home() const { return folder_.path(); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  os::Environment environment_;
  ScreenTraits screen_;
  std::string answer_ = "n";  // what the person at the terminal types when asked
  std::vector<ServeRequest> served_;
  Result<wire::Compute> compute_ = wire::Compute{.kernels = "haswell"};
};

// A daemon in that home which answers as the test says.
class WithDaemon : public InHome {
 protected:
  void SetUp() override;
  void TearDown() override { daemon_.reset(); }

  void on(const std::string& request, int status, std::string body) { daemon_->on(request, client::reply(status, std::move(body))); }
  template <class T>
  void on_as(const std::string& request, int status, const T& body) {
    daemon_->on(request, client::reply_json(status, json::encode(body)));
  }
  void on(const std::string& request, client::Script script) { daemon_->on(request, std::move(script)); }

  std::unique_ptr<client::ScriptedDaemon> daemon_;
};

}  // namespace puna::cli
