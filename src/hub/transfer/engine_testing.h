// For tests: an engine, a server that misbehaves as it is told, and files to fetch from it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fakes/file_server.h"
#include "hub/transfer/transfer.h"
#include "os/temporary_folder.h"

namespace puna::hub::transfer::testing_rig {

inline constexpr std::size_t kPieceSize = 64 << 10;

// Bytes that look like nothing else, the same for the same arguments.
[[nodiscard]] std::string noise(std::size_t size, std::uint64_t seed = 1);
[[nodiscard]] Digest sha256(const std::string& bytes);
// Pieces are small and retries come at once; a test may say otherwise.
[[nodiscard]] std::map<std::string, std::string> quick_settings(std::map<std::string, std::string> more = {});

// For tests that count bytes: no other connection takes over what one has begun.
inline const std::map<std::string, std::string> kOneConnection = {{"transfer.connections", "1"}};

// One engine over a folder that may outlive it.
class Rig {
 public:
  explicit Rig(std::filesystem::path where, std::map<std::string, std::string> flags = {});

  // Blocks; the files' bytes, or what went wrong.
  [[nodiscard]] Result<std::vector<Arrived>> fetch(const std::vector<Wanted>& files, Ask ask = {});
  [[nodiscard]] Result<Arrived> fetch_one(const Wanted& wanted, Ask ask = {});
  [[nodiscard]] std::vector<std::string> names() const;  // in the folder of transfers

  const std::filesystem::path folder;
  SettingsStore settings;
  Engine engine;
  std::vector<Progress> progress;  // of the last fetch
};

// A server with one file at /f, wanted under its digest.
class EngineTest : public testing::Test {
 protected:
  Wanted serve(const std::string& bytes, std::string etag = "\"v1\"");
  // The same without a digest or a size: only validators bind it.
  Wanted serve_unknown(const std::string& bytes, std::string etag = "\"v1\"");
  Rig& start(std::map<std::string, std::string> more = {});
  // Fetches, and compares with what is served.
  void expect_brought(const Wanted& wanted);
  // Brings some of the file and loses the connection for good.
  void leave_some(const Wanted& wanted, std::uint64_t bytes);
  [[nodiscard]] Error refusal_of(const Wanted& wanted);

  os::TemporaryFolder folder = os::TemporaryFolder::create().value();
  fakes::FileServer server;
  std::unique_ptr<Rig> rig;
  std::string served;
  std::vector<Why> located;  // why locations were asked for
};

}  // namespace puna::hub::transfer::testing_rig
