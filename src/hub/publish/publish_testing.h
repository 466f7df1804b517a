// A library with one model, a hub double to push it to, and the daemon's parts between them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "fakes/hub/hub.h"
#include "gguf/writer.h"
#include "hub/publish/publisher.h"
#include "model/library.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"
#include "os/temporary_folder.h"

namespace puna::hub::publish {

inline constexpr Milliseconds kSoon{20'000};
inline constexpr std::string_view kToken = "hf_adas_secret_token";
inline constexpr std::uint64_t kPart = 100 << 10;
inline constexpr std::uint64_t kWeights = 950 << 10;  // ten parts

class Push : public testing::Test {
 protected:
  explicit Push(fakes::ScenarioSpec scenario = {}) {
    scenario.part_size = kPart;
    scenario.users = {fakes::UserSpec{.token = std::string(kToken), .name = "ada"},
                      fakes::UserSpec{.token = "hf_reader", .name = "ada", .role = "read"}};
    hub_ = fakes::Hub::start(scenario).value();
    add_model();
  }

  void add_model() {
    const std::vector<std::byte> weights(kWeights, std::byte{7});
    gguf::Writer writer;
    writer.set("general.architecture", std::string("llama"));
    writer.set("general.license", std::string("apache-2.0"));
    writer.set("llama.context_length", std::uint32_t{2048});
    ASSERT_TRUE(writer.add_tensor("token_embd.weight", gguf::TensorType::f16, {kWeights / 2}, weights));
    const auto file = folder_.path() / "new.gguf";
    ASSERT_TRUE(writer.write(file));
    sha256_ = os::sha256_of(os::read_file(file, gib(1)).value()).value();
    ASSERT_TRUE(os::place_file(file, library_.blob_path(sha256_).value()));
    ASSERT_TRUE(
        library_.add({.name = "tiny:f16", .files = {{.path = "tiny-F16.gguf", .sha256 = sha256_}}, .provenance = {.catalogue = "file"}}));
  }
  // The daemon's parts, with settings on top of those that let tests be quick.
  void start(std::map<std::string, std::string> more = {}) {
    std::map<std::string, std::string> flags = {{"hub.endpoints", hub_->origin()},
                                                {"hub.token", std::string(kToken)},
                                                {"hub.token_file", "/nonexistent"},
                                                {"network.retry_base", "1ms"},
                                                {"network.retry_cap", "1ms"},
                                                {"network.retry_attempts", "1"},
                                                {"hub.ollama_registry", hub_->origin(fakes::Role::registry)}};
    for (auto& [key, value] : more) flags[key] = value;
    queue_.reset();
    publisher_.reset();
    settings_ = std::make_unique<SettingsStore>(SettingsStore::Sources{.flags = std::move(flags)});
    publisher_ = std::make_unique<Publisher>(Publisher::Parts{.settings = *settings_,
                                                              .library = library_,
                                                              .http = {.proxy = ""},
                                                              .environment = {{"HOME", folder_.path() / "home"}},
                                                              .registry_part = Bytes(kPart),
                                                              .companions_of = companions_of_});
    queue_ = std::make_unique<jobs::Queue>(database_, events_, *settings_, std::vector{publisher_->job_spec()});
    ASSERT_TRUE(queue_->start());
  }
  Result<wire::Job> submit(wire::PushRequest request) {
    if (!queue_) start();
    return publisher_->submit(*queue_, pushes_, request);
  }
  wire::Job ended(wire::PushRequest request) { return queue_for(submit(std::move(request))); }
  wire::Job queue_for(const Result<wire::Job>& job) {
    EXPECT_TRUE(job) << job.error().text();
    return queue_->wait(job.value().id, kSoon).value();
  }
  wire::PushResult pushed(wire::PushRequest request = {.destination = "ada/tiny"}) {
    const auto job = ended(std::move(request));
    EXPECT_EQ(job.state, wire::JobState::completed) << job.failure.value_or(wire::JobFailure()).message;
    return json::decode<wire::PushResult>(job.result.value_or(nullptr)).value_or(wire::PushResult());
  }
  wire::JobFailure refused(wire::PushRequest request = {.destination = "ada/tiny"}) {
    return ended(std::move(request)).failure.value_or(wire::JobFailure());
  }
  static bool is_put(const fakes::Served& served) { return served.role == fakes::Role::storage && served.method == "PUT"; }
  std::size_t puts() const { return hub_->count(is_put); }

  bool await_puts(std::int64_t count) const {
    return hub_->await([&](const std::vector<fakes::Served>& all) { return std::ranges::count_if(all, is_put) >= count; });
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::unique_ptr<fakes::Hub> hub_;
  std::string sha256_;
  std::string pushes_ = "tiny:f16";  // which model
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  model::Library library_ = model::Library::open(database_, events_, folder_.path() / "models").value();
  decltype(Publisher::Parts::companions_of) companions_of_;
  std::unique_ptr<SettingsStore> settings_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<jobs::Queue> queue_;
};

}  // namespace puna::hub::publish
