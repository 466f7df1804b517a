// The main of a fuzz target outside the fuzz preset: every file named, or found below a folder named, goes through the target once.
// A sanitizer, an assertion or a crash is the failure; so is a corpus that is missing or empty, which would prove nothing.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

bool add_files(const fs::path& root, std::vector<fs::path>& files) {
  std::error_code failure;
  if (!fs::is_directory(root, failure)) {
    files.push_back(root);
    return true;
  }
  const auto before = files.size();
  for (fs::recursive_directory_iterator entry(root, failure), end; !failure && entry != end; entry.increment(failure)) {
    if (entry->is_regular_file(failure)) files.push_back(entry->path());
  }
  if (failure) std::fprintf(stderr, "%s: %s\n", root.c_str(), failure.message().c_str());
  if (files.size() == before) std::fprintf(stderr, "%s: holds no input\n", root.c_str());
  return !failure && files.size() > before;
}

bool replay(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
    return false;
  }
  const std::vector<char> bytes(std::istreambuf_iterator<char>(stream), {});
  // Printed first: when the target dies, the last line names the input.
  std::printf("%s: %zu bytes\n", file.c_str(), bytes.size());
  std::fflush(stdout);
  // An allocation of exactly the input's size, so that the address sanitizer sees a read past its end.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  bool complete = argc > 1;
  for (int i = 1; i < argc; ++i) complete = add_files(argv[i], files) && complete;
  for (const fs::path& file : files) complete = replay(file) && complete;
  std::printf("%zu inputs replayed\n", files.size());
  return complete ? 0 : 1;
}
