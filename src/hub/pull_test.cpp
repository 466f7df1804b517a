// The rules of the pull job: names, digests, sharing, restarts, secrets.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "gguf/writer.h"
#include "hub/pull_testing.h"
#include "hub/sha256.h"
#include "os/file.h"

namespace puna::hub {
namespace {

namespace fs = std::filesystem;
using namespace testing_rig;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using wire::JobState;

using Pull = PullTest;

TEST_F(Pull, the_name_comes_from_the_file_unless_one_is_given) {
  server.serve("/x/Tiny%20Model-Q8_0.gguf", fakes::File::of(model_bytes(1)));
  const auto source = server.url("/x/Tiny%20Model-Q8_0.gguf?download=true");
  EXPECT_EQ(start().pulled({.source = source}).name, "tiny-model:q8_0");
  EXPECT_EQ(rig->pulled({.source = source, .name = "Mine:2"}).name, "Mine:2");
}

// ledger: M4
TEST_F(Pull, what_cannot_work_is_refused_before_a_job_begins) {
  start();
  const auto code = [&](wire::PullRequest request) {
    const auto job = rig->pulls.submit(*rig->queue, request);
    return job ? "accepted" : std::string(to_string(job.error().code));
  };
  EXPECT_EQ(code({.source = "smollm2"}), "invalid_argument");
  EXPECT_EQ(code({.source = "ftp://host/x.gguf"}), "invalid_argument");
  EXPECT_EQ(code({.source = "http://"}), "invalid_argument");
  EXPECT_EQ(code({.source = "http://host/"}), "invalid_argument");  // no file, so no name
  EXPECT_EQ(code({.source = url(), .name = "a b"}), "invalid_argument");
  EXPECT_EQ(code({.source = url(), .name = "../x"}), "invalid_argument");
  EXPECT_EQ(code({.source = url(), .sha256 = "abc"}), "invalid_argument");
  EXPECT_EQ(code({.source = "http://host/m-00001-of-00003.gguf"}), "unsupported");
  EXPECT_THAT(rig->queue->list(), IsEmpty());
}

// ledger: D14
TEST_F(Pull, another_content_than_the_wanted_one_is_refused_and_thrown_away) {
  serve(model_bytes(10));
  const auto failure = start().refused({.source = url(), .sha256 = std::string(64, 'a')});
  EXPECT_EQ(failure.code, "corrupt_data");
  EXPECT_THAT(failure.message, AllOf(HasSubstr(std::string(64, 'a')), HasSubstr(sha256_of(model_bytes(10)).value())));
  EXPECT_THAT(rig->blobs(), IsEmpty());
  EXPECT_EQ(rig->pulled({.source = url(), .sha256 = "sha256:" + sha256_of(model_bytes(10)).value()}).change, PullChange::added);
}

// ledger: D14
TEST_F(Pull, a_model_with_a_fault_inside_is_refused_and_thrown_away) {
  serve(model_bytes(10).substr(0, 5000));
  const auto failure = start().refused({.source = url()});
  EXPECT_EQ(failure.code, "corrupt_data");
  EXPECT_THAT(failure.message, HasSubstr("'weights' ends"));
  EXPECT_THAT(rig->downloads(), IsEmpty());
  EXPECT_THAT(rig->blobs(), IsEmpty());
}

TEST_F(Pull, a_part_for_a_model_is_not_taken_for_a_model) {
  gguf::Writer writer;
  writer.set("general.architecture", std::string("clip"));
  writer.set("general.type", std::string("mmproj"));
  const std::array<std::byte, 32> weights{};
  ASSERT_TRUE(writer.add_tensor("weights", gguf::TensorType::i8, {weights.size()}, weights));
  ASSERT_TRUE(writer.write(folder.path() / "mmproj.gguf"));
  EXPECT_EQ(start().refused({.source = folder.path() / "mmproj.gguf"}).code, "unsupported");
  EXPECT_THAT(rig->blobs(), IsEmpty());
}

TEST_F(Pull, what_is_here_already_is_not_fetched_again) {
  serve(model_bytes(300));
  start().pulled({.source = url()});
  const auto again = rig->pulled({.source = url()});
  EXPECT_EQ(again.change, PullChange::unchanged);
  EXPECT_EQ(again.size, static_cast<std::int64_t>(model_bytes(300).size()));
  EXPECT_EQ(rig->pulled({.source = url(), .name = "second"}).change, PullChange::added);
  EXPECT_LT(server.body_bytes(), model_bytes(300).size() + 10);  // one byte for each look at the file
}

TEST_F(Pull, a_digest_that_the_library_holds_needs_no_request) {
  serve(model_bytes(10));
  start().pulled({.source = url()});
  const auto digest = sha256_of(model_bytes(10)).value();
  const auto asked = server.requests().size();
  EXPECT_EQ(rig->pulled({.source = "http://192.0.2.1/other.gguf", .sha256 = digest}).change, PullChange::added);
  EXPECT_THAT(server.requests(), SizeIs(asked));
}

TEST_F(Pull, a_removed_model_is_fetched_again) {
  serve(model_bytes(10));
  start().pulled({.source = url()});
  ASSERT_TRUE(rig->library.remove("model"));
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(10));
}

TEST_F(Pull, new_content_takes_the_name_over_and_frees_the_old) {
  serve(model_bytes(10));
  start().pulled({.source = url()});
  serve(model_bytes(10, 2), "\"v2\"");
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::replaced);
  EXPECT_THAT(rig->blobs(), ElementsAre("sha256-" + sha256_of(model_bytes(10, 2)).value()));
}

// ledger: D2
TEST_F(Pull, the_same_request_twice_is_one_job) {
  serve(model_bytes(300));
  hold(100'000);
  const auto first = start().submit({.source = url()});
  const auto second = rig->submit({.source = url(), .name = "MODEL"});
  const auto third = rig->submit({.source = url()});
  EXPECT_EQ(third.id, first.id);
  EXPECT_NE(second.id, first.id);
  server.release();
  EXPECT_EQ(rig->ended(first).state, JobState::completed);
  EXPECT_EQ(rig->ended(second).state, JobState::completed);
}

// ledger: D2
TEST_F(Pull, two_names_for_one_file_share_the_transfer) {
  serve(model_bytes(300));
  hold(100'000);
  const auto first = start().submit({.source = url()});
  rig->await([](const wire::Job& job) { return job.progress.done > 0; });
  const auto second = rig->submit({.source = url(), .name = "second"});
  rig->await([&](const wire::Job& job) { return job.id == second.id && job.progress.done > 0; });
  server.release();
  EXPECT_EQ(rig->ended(first).state, JobState::completed);
  EXPECT_EQ(rig->ended(second).state, JobState::completed);
  EXPECT_LT(server.body_bytes(), 2 * model_bytes(300).size());
}

TEST_F(Pull, a_cancelled_pull_ends_although_the_server_is_silent) {
  serve(model_bytes(300));
  hold(100'000);
  const auto job = start().submit({.source = url()});
  rig->await([](const wire::Job& seen) { return seen.progress.done > 0; });
  ASSERT_TRUE(rig->queue->cancel(job.id));
  EXPECT_EQ(rig->ended(job).state, JobState::cancelled);
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::added);
}

TEST_F(Pull, a_paused_pull_goes_on_where_it_was) {
  serve(model_bytes(300));
  hold(100'000);
  const auto job = start().submit({.source = "http://someone:hunter2@" + url().substr(7)});
  rig->await([](const wire::Job& seen) { return seen.progress.done > 0; });
  ASSERT_TRUE(rig->queue->pause(job.id));
  rig->await([](const wire::Job& seen) { return seen.state == JobState::paused; });
  ASSERT_TRUE(rig->queue->resume(job.id));
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
}

// ledger: M2
TEST_F(Pull, goes_on_by_itself_after_a_restart_of_the_daemon) {
  serve(model_bytes(300));
  hold(100'000);
  const auto job = start().submit({.source = url()});
  rig->await([](const wire::Job& seen) { return seen.progress.done > 0; });
  start();  // ends the first one
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
  EXPECT_LT(server.body_bytes(), 2 * model_bytes(300).size());
}

TEST_F(Pull, a_file_that_a_kill_left_in_place_is_used_if_it_is_whole) {
  serve(model_bytes(10));
  start();
  const auto blob = rig->library.blob_path(sha256_of(model_bytes(10)).value()).value();
  ASSERT_TRUE(os::write_file_atomic(blob, model_bytes(10, 7)));
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(10));
  ASSERT_TRUE(rig->library.remove("model"));
  ASSERT_TRUE(os::write_file_atomic(blob, model_bytes(10)));
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::added);
}

std::string everything_below(const fs::path& folder) {
  std::string out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) out += os::read_file(entry.path(), gib(1)).value_or("");
  return out;
}

TEST_F(Pull, secrets_in_a_url_reach_its_server_and_nothing_else) {
  serve(model_bytes(300));
  fakes::FileServer other;
  other.serve("/real.gguf", fakes::File::of(model_bytes(300)));
  server.fault({.status = 302, .headers = {{"Location", other.url("/real.gguf", "localhost")}}});
  const auto asked = "http://someone:hunter2@" + server.url("/model.gguf?part=1&token=tok3n&X-Amz-Signature=s1gned#frag").substr(7);
  start();
  ASSERT_TRUE(puna::log::open({.file = folder.path() / "log", .level = puna::log::Level::debug}));
  const auto job = rig->pull({.source = asked});
  ASSERT_TRUE(puna::log::open({}));
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_THAT(server.requests().at(0).authorization, HasSubstr("Basic "));
  EXPECT_THAT(server.requests().at(0).target, HasSubstr("?part=1&token=tok3n&X-Amz-Signature=s1gned"));
  EXPECT_EQ(other.requests().at(0).authorization, "");
  EXPECT_EQ(rig->library.find("model")->source, server.url("/model.gguf?part=1"));
  std::string told = everything_below(folder.path());
  for (const auto& event : rig->events.since(0, 100'000).events) told += json::to_text(event->data);
  EXPECT_THAT(told, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("tok3n")), Not(HasSubstr("s1gned"))));
}

TEST_F(Pull, without_its_credentials_a_pull_does_not_go_on_but_says_what_to_do) {
  serve(model_bytes(300));
  hold(100'000);
  const auto asked = "http://someone:hunter2@" + url().substr(7);
  const auto job = start().submit({.source = asked});
  rig->await([](const wire::Job& seen) { return seen.progress.done > 0; });
  start();
  const auto failure = rig->ended(job).failure.value_or(wire::JobFailure{});
  EXPECT_EQ(failure.code, "unauthenticated");
  EXPECT_THAT(failure.message, HasSubstr("pull it again"));
  EXPECT_EQ(rig->pulled({.source = asked}).change, PullChange::added);
  EXPECT_LT(server.body_bytes(), 2 * model_bytes(300).size());
}

TEST(Catalogues, are_found_by_the_name_that_references_give_them) {
  os::TemporaryFolder folder = os::TemporaryFolder::create().value();
  SettingsStore settings({.file = {}, .environment = {}, .flags = {}});
  net::Io io(1);
  net::HttpClient http(io, {});
  const Catalogues all({.http = http, .settings = settings, .environment = {}});
  for (const std::string_view text : {"owner/repo", "ollama://x", "modelscope://a/b", "https://h/x.gguf", "/x.gguf"})
    EXPECT_TRUE(all.find(parse_reference(text).value().catalogue)) << text;
  EXPECT_THAT(all.find("nowhere").error().message, HasSubstr("huggingface or modelscope"));
}

}  // namespace
}  // namespace puna::hub
