#include "hub_testing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "gguf/writer.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub::testing_rig {
namespace {

using fakes::Role;
using fakes::Served;

// Of each run of a job: what it counts must not fall between the phases.
bool counts_bytes(const wire::JobProgress& progress) {
  return progress.phase != "resolving" && progress.phase != "preparing" && progress.phase != "copying" && !progress.phase.empty();
}

void expect_rising(const std::vector<wire::Job>& history) {
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> most;
  for (const auto& job : history) {
    if (!counts_bytes(job.progress)) continue;
    auto& before = most[{job.id, job.attempt}];
    EXPECT_GE(job.progress.done, before) << "progress fell while " << job.progress.phase;
    if (job.progress.total) EXPECT_LE(job.progress.done, *job.progress.total);
    before = job.progress.done;
  }
}

}  // namespace

fakes::Content::Ptr model_file(std::uint64_t size, std::uint64_t seed) {
  // A tensor of one kilobyte, then its size in the header changed.
  constexpr std::uint64_t kSmall = 1024;
  const auto folder = os::TemporaryFolder::create().value();
  const std::vector<std::byte> weights(kSmall);
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  writer.set("general.name", "seed " + std::to_string(seed));
  EXPECT_TRUE(writer.add_tensor("weights", gguf::TensorType::i8, {weights.size()}, weights));
  EXPECT_TRUE(writer.write(folder.path() / "model.gguf"));
  auto head = os::read_file(folder.path() / "model.gguf", mib(1)).value();
  head.resize(head.size() - kSmall);
  const std::string dimension(reinterpret_cast<const char*>(&kSmall), sizeof kSmall);
  const auto at = head.rfind(dimension);
  EXPECT_NE(at, std::string::npos);
  const std::uint64_t elements = size - head.size();
  std::memcpy(head.data() + at, &elements, sizeof elements);
  return fakes::Content::generated(size, seed, std::move(head));
}

HubTest::HubTest() : hub(fakes::Hub::start().value()) {
  EXPECT_TRUE(log::open({.file = folder.path() / "log" / "puna.log", .level = log::Level::debug}));
}

HubTest::~HubTest() {
  stop();
  expect_invariants();
  EXPECT_TRUE(log::open({}));
}

void HubTest::offer(fakes::Content::Ptr file) {
  offered = file->size();
  fakes::RepositorySpec spec;
  spec.id = kRepository;
  spec.files = {fakes::file(std::string(kModelFile), std::move(file))};
  ASSERT_TRUE(hub->add(spec));
}

Rig& HubTest::start(std::map<std::string, std::string> more) {
  more.insert({{"hub.endpoints", hub->origin()},
               {"hub.token_file", "/nonexistent"},
               {"hub.ollama_registry", hub->origin(Role::registry)},
               {"hub.modelscope_endpoint", hub->origin(Role::modelscope)},
               {"models.stores", ""},
               {"models.share_cache", "false"},
               {"transfer.piece", "64k"},
               {"transfer.stall", "300ms"},
               {"network.retry_base", "1ms"},
               {"network.retry_cap", "20ms"},
               {"network.retry_attempts", "4"}});
  settings_ = std::move(more);
  rig = std::make_unique<Rig>(folder.path(), settings_);
  return *rig;
}

void HubTest::stop() {
  if (!rig) return;
  const auto history = rig->history();
  expect_rising(history);
  said_ += json::to_text(json::encode(history));
  rig.reset();
}

Rig& HubTest::restart(std::map<std::string, std::string> more) {
  stop();
  more.insert(settings_.begin(), settings_.end());
  return start(std::move(more));
}

PullResult HubTest::arrives(const std::string& source, Costs costs) {
  if (!rig) start();
  const auto out = rig->pulled({.source = source});
  expect_costs(costs);
  return out;
}

wire::JobFailure HubTest::refused(const std::string& source) {
  if (!rig) start();
  return rig->refused({.source = source});
}

wire::Job HubTest::half_way(const std::string& source) {
  if (!rig) start();
  // Every piece but the first few stalls.
  hub->fault({.role = Role::storage, .skip = 4, .times = 0, .name = "half way", .stall_after = 1000});
  const auto job = rig->submit({.source = source});
  EXPECT_TRUE(hub->await([](const std::vector<Served>& all) { return std::ranges::count(all, "half way", &Served::fault) > 0; }));
  return job;
}

std::size_t HubTest::hits(const std::string& fault) const {
  return hub->count([&](const Served& one) { return one.fault == fault; });
}

std::size_t HubTest::asked(Role role, std::string_view part, std::string_view method) const {
  return hub->count(
      [&](const Served& one) { return one.role == role && one.target.contains(part) && (method.empty() || one.method == method); });
}

void HubTest::expect_costs(Costs costs) {
  EXPECT_LE(hub->bytes_sent(Role::storage), offered + costs.again);
  EXPECT_LE(asked(Role::hub, "/resolve/"), costs.resolves);
}

void HubTest::expect_invariants() {
  const auto blobs = folder.path() / "models" / "blobs";
  if (std::filesystem::exists(blobs))
    for (const auto& blob : std::filesystem::recursive_directory_iterator(blobs)) {
      if (!blob.is_regular_file()) continue;
      const auto name = blob.path().filename().string();
      const auto bytes = fakes::Content::on_disk(blob.path());
      ASSERT_TRUE(bytes);
      EXPECT_TRUE(name.ends_with((*bytes)->sha256())) << name << " holds something else";
    }
  const auto said = said_ + os::read_file(folder.path() / "log" / "puna.log", mib(64)).value_or("");
  EXPECT_FALSE(said.empty());
  for (const auto& secret : hub->secrets()) EXPECT_FALSE(said.contains(secret)) << "a secret was written down: " << secret;
  for (const auto& one : hub->requests()) {
    EXPECT_FALSE(one.target.contains("%2F") && one.target.contains("/api/models/ada")) << one.target;
    if (one.role == Role::storage || one.role == Role::foreign || one.role == Role::mirror) EXPECT_EQ(one.authorization, "") << one.target;
    EXPECT_NE(one.method, "HEAD") << "a HEAD counts as a download and tells nothing that a GET does not";
  }
}

}  // namespace puna::hub::testing_rig
