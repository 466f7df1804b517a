#include "cli/completion.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/registry.h"
#include "os/file.h"
#include "os/process.h"
#include "os/temporary_folder.h"

namespace puna::cli {
namespace {

class Completion : public testing::Test {
 protected:
  // Runs a program with the script as its last argument; what it prints comes back.
  std::string run_shell(std::vector<std::string> argv, const std::string& script) {
    EXPECT_TRUE(os::write_file_atomic(folder_.path() / "script", script));
    auto output = os::make_pipe();
    argv.push_back((folder_.path() / "script").string());
    os::SpawnOptions options{.argv = std::move(argv), .environment = {{"PATH", folder_.path().string() + ":/usr/bin:/bin"}}};
    options.stdout_fd = options.stderr_fd = output->write.get();
    auto process = os::Process::spawn(options);
    EXPECT_TRUE(process) << process.error().text();
    const auto status = process->wait(std::chrono::seconds(30));
    EXPECT_TRUE(status) << status.error().text();
    output->write.reset();
    std::array<char, 65'536> buffer;  // as much as a pipe holds
    const ssize_t count = ::read(output->read.get(), buffer.data(), buffer.size());
    const std::string printed(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    EXPECT_EQ(status->code, 0) << printed;
    return printed;
  }

  // What bash offers for a line.
  std::string offered(std::string_view line) {
    EXPECT_TRUE(os::write_file_atomic(folder_.path() / "puna", "#!/bin/sh\necho smollm2:135m\necho smollm2:360m\n", 0700));
    return run_shell({"/bin/bash"},
                     fmt::format("{}\nCOMP_LINE='{}'; COMP_POINT=${{#COMP_LINE}}; compopt() {{ :; }}; _puna; echo \"${{COMPREPLY[@]}}\"",
                                 bash_completion(), line));
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
};

TEST_F(Completion, bash_understands_its_script) {
  EXPECT_EQ(run_shell({"/bin/bash", "-n"}, bash_completion()), "");
}

TEST_F(Completion, zsh_understands_its_script) {
  if (!std::filesystem::exists("/usr/bin/zsh")) GTEST_SKIP() << "no zsh here";
  EXPECT_EQ(run_shell({"/usr/bin/zsh", "-n"}, zsh_completion()), "");
}

TEST_F(Completion, fish_understands_its_script) {
  if (!std::filesystem::exists("/usr/bin/fish")) GTEST_SKIP() << "no fish here";
  EXPECT_EQ(run_shell({"/usr/bin/fish", "--no-execute"}, fish_completion()), "");
}

TEST_F(Completion, bash_offers_commands_options_and_names) {
  EXPECT_EQ(offered("puna co"), "config completion\n");
  EXPECT_EQ(offered("puna config "), "show get set unset path\n");
  EXPECT_EQ(offered("puna pull --s"), "--sha256\n");
  EXPECT_EQ(offered("puna show "), "smollm2:135m smollm2:360m\n");
  EXPECT_EQ(offered("puna completion z"), "zsh\n");
}

TEST_F(Completion, bash_completes_behind_a_colon) {
  EXPECT_EQ(offered("puna ls smollm2:1"), "135m\n");
}

TEST_F(Completion, every_command_and_option_is_in_every_script) {
  const std::string bash = bash_completion();
  const std::string zsh = zsh_completion();
  const std::string fish = fish_completion();
  for_each_command([&](const CommandSpec& command, const std::string& name) {
    for (const auto* script : {&bash, &zsh, &fish}) EXPECT_TRUE(script->contains(command.name)) << name;
    for (const auto& option : command.options) {
      EXPECT_EQ(bash.contains(fmt::format("--{}", option.name)), !option.hidden) << name << " --" << option.name;
      EXPECT_EQ(zsh.contains(fmt::format("--{}[", option.name)), !option.hidden) << name << " --" << option.name;
      EXPECT_EQ(fish.contains(fmt::format("-l {} ", option.name)), !option.hidden) << name << " --" << option.name;
    }
  });
}

}  // namespace
}  // namespace puna::cli
