#include "hub/pull_testing.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "gguf/check.h"
#include "gguf/writer.h"
#include "os/file.h"

namespace puna::hub::testing_rig {
namespace {

namespace fs = std::filesystem;

Result<gguf::Summary> check(const fs::path& file, const std::stop_token&) {
  PUNA_TRY(const auto header, gguf::Header::read_file(file));
  PUNA_CHECK(gguf::check(header));
  return gguf::summarize(header);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::string model_bytes(std::size_t kilobytes, std::uint8_t seed) {
  const auto folder = os::TemporaryFolder::create().value();
  std::vector<std::byte> weights(kilobytes * 1024);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::byte>(i * 31 + i / 251 + seed);
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  EXPECT_TRUE(writer.add_tensor("weights", gguf::TensorType::i8, {weights.size()}, weights));
  EXPECT_TRUE(writer.write(folder.path() / "model.gguf"));
  return os::read_file(folder.path() / "model.gguf", gib(1)).value();
}

std::map<std::string, std::string> quick_settings(std::map<std::string, std::string> more) {
  more.insert({{"network.retry_base", "1ms"}, {"network.retry_cap", "1ms"}, {"network.retry_attempts", "3"}});
  return more;
}

Rig::Rig(fs::path where, std::map<std::string, std::string> flags)
    : folder(std::move(where)),
      settings({.file = folder / "config.toml", .environment = {}, .flags = std::move(flags)}),
      http(io, {.proxy = ""}),
      database(store::Database::open(folder / "puna.db").value()),
      library(model::Library::open(database, events, folder / "models").value()),
      engine({.settings = settings, .downloads = folder / "cache" / "downloads", .http = {.proxy = ""}}),
      hub(http, settings, {}),
      pulls({.io = io,
             .hub = hub,
             .engine = engine,
             .settings = settings,
             .library = library,
             .downloads = folder / "cache" / "downloads",
             .models = folder / "models",
             .check = check}),
      library_jobs(library),
      queue(std::make_unique<jobs::Queue>(database, events, settings, std::vector{pulls.job_spec(), library_jobs.verify_spec()})),
      network_([this] { io.run(); }) {
  EXPECT_TRUE(queue->start());
}

Rig::~Rig() {
  EXPECT_TRUE(queue->stop(kPatience));
  queue.reset();
  io.stop();
  network_.join();
}

wire::Job Rig::submit(const wire::PullRequest& request) {
  auto job = pulls.submit(*queue, request);
  EXPECT_TRUE(job) << job.error().text();
  return job.value_or(wire::Job{});
}

wire::Job Rig::ended(const wire::Job& job) {
  auto out = queue->wait(job.id, kPatience);
  EXPECT_TRUE(out) << out.error().text();
  return out.value_or(wire::Job{});
}

PullResult Rig::pulled(const wire::PullRequest& request) {
  const auto job = pull(request);
  EXPECT_EQ(job.state, wire::JobState::completed) << (job.failure ? job.failure->message : "");
  return job.result ? json::decode<PullResult>(*job.result).value() : PullResult{};
}

wire::JobFailure Rig::refused(const wire::PullRequest& request) {
  const auto job = pull(request);
  EXPECT_EQ(job.state, wire::JobState::failed);
  return job.failure.value_or(wire::JobFailure{});
}

std::vector<wire::Job> Rig::history() const {
  std::vector<wire::Job> out;
  for (const auto& event : events.since(0, 100'000).events)
    if (event->type == "job.updated") out.push_back(json::decode<wire::Job>(event->data).value());
  return out;
}

void Rig::await(const std::function<bool(const wire::Job&)>& wanted) {
  std::mutex mutex;
  std::condition_variable published;
  const auto subscription = events.subscribe([&] {
    const std::lock_guard lock(mutex);
    published.notify_all();
  });
  std::unique_lock lock(mutex);
  EXPECT_TRUE(published.wait_for(lock, kPatience, [&] { return std::ranges::any_of(history(), wanted); }));
}

std::string Rig::bytes_of(std::string_view model) {
  auto detail = library.show(model);
  EXPECT_TRUE(detail) << detail.error().text();
  return detail ? os::read_file(detail->path, gib(1)).value_or("") : "";
}

std::vector<std::string> Rig::downloads() const {
  return names_in(folder / "cache" / "downloads");
}
std::vector<std::string> Rig::blobs() const {
  return names_in(folder / "models" / "blobs");
}

}  // namespace puna::hub::testing_rig
