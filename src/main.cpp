// The composition root: one binary, several programs.
#include <string_view>
#include <vector>

#include "worker/worker.h"

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "worker") return puna::worker::run(std::span(words).subspan(1));
  return 2;
}
