#include "hub/transfer/engine_testing.h"

#include <algorithm>

#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub::transfer::testing_rig {

std::string noise(std::size_t size, std::uint64_t seed) {
  std::string out(size, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15 + 1;
  for (auto& c : out) {
    state = state * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(state >> 56);
  }
  return out;
}

Digest sha256(const std::string& bytes) {
  return {.algorithm = Algorithm::sha256, .hex = os::sha256_of(bytes).value()};
}

std::map<std::string, std::string> quick_settings(std::map<std::string, std::string> more) {
  more.insert({{"network.retry_base", "1ms"}, {"network.retry_cap", "1ms"}, {"network.retry_attempts", "3"}, {"transfer.piece", "64k"}});
  return more;
}

Rig::Rig(std::filesystem::path where, std::map<std::string, std::string> flags)
    : folder(std::move(where)),
      settings({.file = folder / "config.toml", .environment = {}, .flags = std::move(flags)}),
      engine({.settings = settings, .downloads = folder / "downloads", .http = {.proxy = ""}}) {}

Result<std::vector<Arrived>> Rig::fetch(const std::vector<Wanted>& files, Ask ask) {
  progress.clear();
  auto inner = std::move(ask.progress);
  ask.progress = [&](const Progress& now) {
    progress.push_back(now);
    if (inner) inner(now);
  };
  return engine.fetch(files, ask);
}

Result<Arrived> Rig::fetch_one(const Wanted& wanted, Ask ask) {
  PUNA_TRY(auto arrived, fetch({wanted}, std::move(ask)));
  return std::move(arrived.front());
}

std::vector<std::string> Rig::names() const {
  std::vector<std::string> out;
  if (!std::filesystem::exists(folder / "downloads")) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "downloads")) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

Wanted EngineTest::serve(const std::string& bytes, std::string etag) {
  Wanted out = serve_unknown(bytes, std::move(etag));
  out.size = Bytes(bytes.size());
  out.digest = sha256(bytes);
  return out;
}

Wanted EngineTest::serve_unknown(const std::string& bytes, std::string etag) {
  served = bytes;
  server.serve("/f", fakes::File::of(bytes, std::move(etag)));
  Wanted out{.key = "f", .shown = "owner/repo/f.gguf", .size = {}, .digest = {}, .locate = {}};
  out.locate = [this](Why why, const std::stop_token&) -> Result<Location> {
    located.push_back(why);
    PUNA_TRY(auto url, net::Url::parse(server.url("/f")));
    return Location{.url = std::move(url), .headers = {}};
  };
  return out;
}

Rig& EngineTest::start(std::map<std::string, std::string> more) {
  rig.reset();
  rig = std::make_unique<Rig>(folder.path(), quick_settings(std::move(more)));
  return *rig;
}

void EngineTest::expect_brought(const Wanted& wanted) {
  if (!rig) start();
  const auto arrived = rig->fetch_one(wanted);
  ASSERT_TRUE(arrived) << arrived.error().text();
  EXPECT_EQ(arrived->sha256, sha256(served).hex);
  EXPECT_EQ(arrived->size.count, served.size());
  EXPECT_TRUE(os::read_file(arrived->file, gib(1)).value() == served);
}

void EngineTest::leave_some(const Wanted& wanted, std::uint64_t bytes) {
  server.fault({.cut_after = bytes});
  Rig once(folder.path(), quick_settings({{"network.retry_attempts", "1"}, {"transfer.connections", "1"}}));
  EXPECT_FALSE(once.fetch_one(wanted));
}

Error EngineTest::refusal_of(const Wanted& wanted) {
  if (!rig) start();
  const auto arrived = rig->fetch_one(wanted);
  EXPECT_FALSE(arrived);
  return arrived ? Error() : arrived.error();
}

}  // namespace puna::hub::transfer::testing_rig
