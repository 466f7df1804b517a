#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "gguf/writer.h"
#include "hub/pull_testing.h"
#include "os/file.h"

namespace puna::hub {
namespace {

using namespace testing_rig;

constexpr Bytes kSize = mib(256);
constexpr Bytes kMostGrowth = mib(64);

// Of this process, since its last reset.
Bytes peak_memory() {
  const auto status = os::read_file("/proc/self/status", kib(64)).value();
  std::uint64_t kilobytes = 0;
  const auto line = status.find("VmHWM:");
  const auto digits = status.find_first_of("0123456789", line);
  std::from_chars(status.data() + digits, status.data() + status.size(), kilobytes);
  return kib(kilobytes);
}

void reset_peak_memory() {
  const os::UniqueFd file(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(os::write_all(file.get(), "5"));
}

// A model file of kSize, written and served piecewise.
fakes::File large_model(const std::filesystem::path& path) {
  const std::vector<std::byte> piece(mib(1).count, std::byte{7});
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  EXPECT_TRUE(writer.add_tensor("weights", gguf::TensorType::i8, {kSize.count}, [&](const gguf::Writer::Emit& emit) -> Result<> {
    for (Bytes done; done < kSize; done += mib(1)) PUNA_CHECK(emit(piece));
    return {};
  }));
  EXPECT_TRUE(writer.write(path));
  auto file = std::make_shared<os::UniqueFd>(os::open_regular_file(path).value());
  auto read = [file](std::uint64_t offset, std::size_t length) {
    std::string out(length, '\0');
    const auto got = ::pread(file->get(), out.data(), length, static_cast<off_t>(offset));
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  };
  return {.read = std::move(read), .size = std::filesystem::file_size(path), .last_modified = {}};
}

// ledger: D4
TEST(DownloadMemory, stays_flat_for_a_file_of_any_size) {
  const auto folder = os::TemporaryFolder::create().value();
  fakes::FileServer server;
  server.serve("/model.gguf", large_model(folder.path() / "served.gguf"));
  Rig rig(folder.path(), quick_settings());
  reset_peak_memory();
  const auto before = peak_memory();
  EXPECT_EQ(rig.pulled({.source = server.url("/model.gguf")}).change, PullChange::added);
  const auto growth = peak_memory() - before;
  RecordProperty("peak_growth_bytes", std::to_string(growth.count));
  EXPECT_LT(growth, kMostGrowth) << format_bytes(growth);
}

}  // namespace
}  // namespace puna::hub
