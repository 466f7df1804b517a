// For tests: a pull, whole, against the hub double, and what must hold after every one, whatever went wrong.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fakes/hub/hub.h"
#include "hub/pull_testing.h"

namespace puna::hub::testing_rig {

inline constexpr std::uint64_t kPiece = 64 << 10;  // transfer.piece of these tests
inline constexpr std::string_view kRepository = "ada/tiny-GGUF";
inline constexpr std::string_view kModelFile = "tiny.Q4_K_M.gguf";
inline constexpr std::string_view kToken = "hf_adas_secret_token";

// A GGUF file of exactly that size (at least 1 KiB), made up from the seed: needs no memory of its own.
[[nodiscard]] fakes::Content::Ptr model_file(std::uint64_t size, std::uint64_t seed = 1);

// What an interruption may cost.
struct Costs {
  std::uint64_t again = 0;   // bytes that storage may have to send a second time
  std::size_t resolves = 2;  // questions for a link
};

class HubTest : public testing::Test {
 protected:
  HubTest();
  ~HubTest() override;

  // A repository with that file; the usual one.
  void offer(fakes::Content::Ptr file = model_file(2'000'000));
  Rig& start(std::map<std::string, std::string> more = {});
  // The same daemon after a restart.
  Rig& restart(std::map<std::string, std::string> more = {});

  PullResult arrives(const std::string& source, Costs costs = {});
  wire::JobFailure refused(const std::string& source);
  // A running pull of which some bytes came; storage says nothing more before hub->release().
  wire::Job half_way(const std::string& source);
  [[nodiscard]] std::size_t hits(const std::string& fault = "fault") const;  // requests that a fault hit
  [[nodiscard]] std::size_t asked(fakes::Role role, std::string_view part = "", std::string_view method = "") const;

  // After every case: nothing wrong under a final name, progress that never fell, no secret where none belongs, no encoded slash.
  void expect_invariants();
  // Before the parts go, and what they published with them.
  void stop();
  void expect_costs(Costs costs);

  os::TemporaryFolder folder = os::TemporaryFolder::create().value();
  std::unique_ptr<fakes::Hub> hub;
  std::unique_ptr<Rig> rig;
  std::string model = std::string(kRepository) + ":Q4_K_M";
  std::uint64_t offered = 0;  // bytes of the usual file

 private:
  std::map<std::string, std::string> settings_;
  std::string said_;  // by jobs of parts that are gone
};

}  // namespace puna::hub::testing_rig
