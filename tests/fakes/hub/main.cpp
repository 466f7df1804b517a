// puna-fake-hub [SCENARIO.json]: the hub double as a program. Prints its origins as one line of JSON when it is ready, and ends when its
// standard input does, or at SIGTERM. HubFaults and records: the addresses below /_double/ (control.cpp).
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "fakes/hub/hub.h"

namespace {

using puna::Result;
using puna::fakes::Hub;
using puna::fakes::Role;

Result<puna::fakes::ScenarioSpec> scenario(int count, char** words) {
  if (count < 2) return puna::fakes::ScenarioSpec();
  std::ifstream file(words[1]);
  if (!file) return puna::fail(puna::Code::not_found, fmt::format("cannot read {}", words[1]));
  std::stringstream text;
  text << file.rdbuf();
  return puna::json::decode_text<puna::fakes::ScenarioSpec>(text.str());
}

int run(int count, char** words) {
  const auto asked = scenario(count, words);
  const auto started = asked ? Hub::start(*asked) : puna::fail(asked.error());
  if (!started) {
    fmt::print(stderr, "puna-fake-hub: {}\n", started.error().text());
    return 2;
  }
  puna::json::object origins;
  for (const auto role : {Role::hub, Role::mirror, Role::storage, Role::foreign, Role::registry, Role::modelscope, Role::web})
    origins[puna::json::enum_name(role)] = (*started)->origin(role);
  fmt::print("{}\n", puna::json::to_text(origins));
  std::fflush(stdout);
  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  return run(count, words);
}
