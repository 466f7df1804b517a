// For tests: the whole way from a request to the library, over real parts, in one folder that may outlive them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fakes/file_server.h"
#include "hub/pull.h"
#include "hub/transfer/transfer.h"
#include "model/library.h"
#include "model/library_jobs.h"
#include "os/temporary_folder.h"

namespace puna::hub::testing_rig {

inline constexpr Milliseconds kPatience{20'000};  // after which a test has failed

// A small model file, as its bytes: the tensor makes it at least `kilobytes` large, the seed tells files apart.
[[nodiscard]] std::string model_bytes(std::size_t kilobytes, std::uint8_t seed = 1);

// Retries come at once; a test may say otherwise.
[[nodiscard]] std::map<std::string, std::string> quick_settings(std::map<std::string, std::string> more = {});

// A daemon's worth of parts: created anew over the same folder, it is the daemon after a restart.
class Rig {
 public:
  explicit Rig(std::filesystem::path folder, std::map<std::string, std::string> settings = {});
  ~Rig();

  [[nodiscard]] wire::Job submit(const wire::PullRequest& request);
  [[nodiscard]] wire::Job ended(const wire::Job& job);
  wire::Job pull(const wire::PullRequest& request) { return ended(submit(request)); }
  // The result of a pull that must succeed.
  PullResult pulled(const wire::PullRequest& request);
  // The failure of a pull that must fail.
  wire::JobFailure refused(const wire::PullRequest& request);
  // Waits for the event that shows such a job.
  void await(const std::function<bool(const wire::Job&)>& wanted);
  // Every job that was published, oldest first.
  [[nodiscard]] std::vector<wire::Job> history() const;
  [[nodiscard]] std::string bytes_of(std::string_view model);
  [[nodiscard]] std::vector<std::string> downloads() const;  // names of files on their way, journals too
  [[nodiscard]] std::vector<std::string> blobs() const;

  const std::filesystem::path folder;
  EventBus events{100'000};
  SettingsStore settings;
  net::Io io{2};
  net::HttpClient http;
  store::Database database;
  model::Library library;
  transfer::Engine engine;
  Hub hub;
  Pulls pulls;
  model::LibraryJobs library_jobs;
  std::unique_ptr<jobs::Queue> queue;

 private:
  std::thread network_;
};

// The file server and the rig that most tests need.
class PullTest : public testing::Test {
 protected:
  // Publishes the bytes at /model.gguf.
  void serve(std::string bytes, std::string etag = "\"v1\"") {
    server.serve("/model.gguf", fakes::File::of(std::move(bytes), std::move(etag)));
  }
  [[nodiscard]] std::string url() const { return server.url("/model.gguf"); }
  Rig& start(std::map<std::string, std::string> more = {}) {
    rig.reset();
    rig = std::make_unique<Rig>(folder.path(), quick_settings(std::move(more)));
    return *rig;
  }
  // The transfer stops after so many bytes until server.release(); the look at the file before it does not.
  void hold(std::uint64_t bytes) {
    server.fault({});
    server.fault({.hold_after = bytes});
  }

  os::TemporaryFolder folder = os::TemporaryFolder::create().value();
  fakes::FileServer server;
  std::unique_ptr<Rig> rig;
};

}  // namespace puna::hub::testing_rig
