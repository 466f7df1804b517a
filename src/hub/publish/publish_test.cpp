// A push, whole: from the library over the queue to the hub double and back out of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/publish/publish_testing.h"

namespace puna::hub::publish {
namespace {

using fakes::Role;
using testing::HasSubstr;
using testing::Not;
using wire::JobState;
using wire::PushChange;

TEST_F(Push, makes_the_repository_and_fills_it_with_the_model_and_a_card) {
  const auto result = pushed();
  EXPECT_EQ(result.change, PushChange::created);
  EXPECT_EQ(result.commit, hub_->head("ada/tiny"));
  EXPECT_EQ(hub_->content("ada/tiny", "tiny-F16.gguf")->sha256(), sha256_);
  const auto card = hub_->content("ada/tiny", "README.md")->text();
  EXPECT_THAT(card, testing::StartsWith("---\nlicense: apache-2.0\n"));
  EXPECT_THAT(card, HasSubstr("puna run ada/tiny"));
  EXPECT_GT(puts(), 9);  // parts
}

TEST_F(Push, sends_and_commits_nothing_that_is_there_already) {
  const auto first = pushed();
  const auto sent = puts();
  const auto second = pushed();
  EXPECT_EQ(second.change, PushChange::unchanged);
  EXPECT_EQ(second.sent, 0);
  EXPECT_EQ(second.commit, first.commit);
  EXPECT_EQ(puts(), sent);
  EXPECT_GE(publisher_->sent(), Bytes(kWeights));
  EXPECT_LT(publisher_->sent(), Bytes(2 * kWeights));
}

class PushAdapter : public Push {
 protected:
  PushAdapter() {
    gguf::Writer writer;
    writer.set("general.architecture", std::string("llama"));
    writer.set("general.type", std::string("adapter"));
    writer.set("adapter.type", std::string("lora"));
    const std::vector<std::byte> numbers(256, std::byte{1});
    for (const auto* name : {"blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"})
      EXPECT_TRUE(writer.add_tensor(name, gguf::TensorType::f32, {8, 8}, numbers));
    const auto file = folder_.path() / "new.gguf";
    EXPECT_TRUE(writer.write(file));
    const auto hash = os::sha256_of(os::read_file(file, gib(1)).value()).value();
    EXPECT_TRUE(os::place_file(file, library_.blob_path(hash).value()));
    EXPECT_TRUE(library_.add({.name = "care", .files = {{.path = "care.gguf", .sha256 = hash}}, .provenance = {.catalogue = "tune"}}));
    pushes_ = "care";
  }
};

TEST_F(PushAdapter, sends_other_forms_of_it_with_the_same_commit) {
  companions_of_ = [](const wire::ModelDetail& adapter, jobs::JobContext&) -> Result<Companions> {
    Companions out{os::TemporaryFolder::create().value(), {}};
    out.files.push_back(out.folder.path() / "adapter_config.json");
    PUNA_CHECK(os::write_file_atomic(out.files.back(), adapter.model.name));
    return out;
  };
  const auto result = pushed();
  EXPECT_FALSE(result.note);
  EXPECT_EQ(hub_->content("ada/tiny", "adapter_config.json")->text(), "care:latest");
  EXPECT_TRUE(hub_->content("ada/tiny", "care.gguf"));
  EXPECT_EQ(pushed().change, PushChange::unchanged);
}

TEST_F(PushAdapter, goes_alone_and_says_so_when_there_is_no_other_form) {
  companions_of_ = [](const wire::ModelDetail&, jobs::JobContext&) -> Result<Companions> { return fail(Code::not_found, "no base"); };
  EXPECT_EQ(pushed().note, "it went without the files that PEFT reads: no base");
  EXPECT_TRUE(hub_->content("ada/tiny", "care.gguf"));
}

TEST_F(Push, leaves_a_card_alone_that_somebody_wrote) {
  pushed();
  ASSERT_TRUE(hub_->commit("ada/tiny", {fakes::file("README.md", "mine"), fakes::file("tiny-F16.gguf", "old")}));
  EXPECT_EQ(pushed().change, PushChange::updated);
  EXPECT_EQ(hub_->content("ada/tiny", "README.md")->text(), "mine");
  EXPECT_EQ(hub_->content("ada/tiny", "tiny-F16.gguf")->sha256(), sha256_);
}

// ledger: T5
TEST_F(Push, goes_on_behind_the_last_part_that_arrived_when_it_is_tried_again) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 4, .times = 1, .status = 503});
  EXPECT_EQ(pushed().commit, hub_->head("ada/tiny"));
  EXPECT_EQ(puts(), 10 + 1);
  EXPECT_EQ(hub_->content("ada/tiny", "tiny-F16.gguf")->sha256(), sha256_);
}

TEST_F(Push, begins_a_file_anew_when_storage_has_forgotten_its_parts) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 4, .times = 1, .status = 503});
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 4, .times = 1, .status = 403});
  EXPECT_EQ(pushed().commit, hub_->head("ada/tiny"));
  EXPECT_EQ(hub_->content("ada/tiny", "tiny-F16.gguf")->sha256(), sha256_);
}

TEST_F(Push, a_lost_answer_to_the_commit_makes_no_second_one) {
  hub_->fault({.role = Role::hub, .method = "POST", .path = "*/commit/*", .cut_after = 0, .reset = true});
  EXPECT_EQ(pushed().commit, hub_->head("ada/tiny"));
  EXPECT_EQ(hub_->count([](const fakes::Served& served) { return served.target.contains("/commit/") && served.status == 200; }), 1);
}

TEST_F(Push, commits_on_top_of_what_others_committed_meanwhile) {
  start();
  hub_->fault({.role = Role::storage, .method = "PUT", .hold = true});
  const auto job = submit({.destination = "ada/tiny"});
  ASSERT_TRUE(await_puts(1));
  ASSERT_TRUE(hub_->commit("ada/tiny", {fakes::file("notes.txt", "theirs")}));
  hub_->release();
  EXPECT_EQ(queue_for(job).state, JobState::completed);
  EXPECT_EQ(hub_->content("ada/tiny", "notes.txt")->text(), "theirs");
  EXPECT_EQ(hub_->content("ada/tiny", "tiny-F16.gguf")->sha256(), sha256_);
}

TEST_F(Push, each_refusal_has_its_code) {
  start({{"hub.token", ""}});
  const auto stranger = refused();
  EXPECT_EQ(stranger.code, "unauthenticated");
  EXPECT_THAT(stranger.message, HasSubstr("hub.token"));
  start({{"hub.token", "hf_reader"}});
  EXPECT_EQ(refused().code, "permission_denied");
  start({{"hub.token", "hf_unknown"}});
  EXPECT_EQ(refused().code, "unauthenticated");
  start();
  EXPECT_EQ(refused({.destination = "others/tiny"}).code, "permission_denied");
  hub_->fault({.role = Role::hub, .path = "*/preupload/*", .status = 413});
  EXPECT_EQ(refused().code, "too_large");
}

TEST_F(Push, destinations_are_checked_before_anything_is_asked) {
  for (const std::string destination : {"tiny", "ada/tiny:Q4_0", "https://example.com/x.gguf", "./tiny.gguf", "ada/../x"})
    EXPECT_FALSE(submit({.destination = destination})) << destination;
  EXPECT_EQ(hub_->requests().size(), 0);
}

// ledger: F13
TEST_F(Push, the_token_goes_to_the_hub_alone_and_into_no_log) {
  pushed();
  for (const auto& served : hub_->requests())
    if (served.role == Role::storage) EXPECT_EQ(served.authorization, "") << served.target;
  for (const auto& event : events_.since(0, 100'000).events) EXPECT_THAT(json::to_text(event->data), Not(HasSubstr(std::string(kToken))));
}

TEST_F(Push, progress_never_falls_and_ends_at_its_total) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 4, .times = 1, .status = 503});
  const auto job = ended({.destination = "ada/tiny"});
  EXPECT_EQ(job.progress.phase, "uploading");
  EXPECT_EQ(job.progress.done, job.progress.total);
}

TEST_F(Push, a_cancelled_push_ends_at_once) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 2, .times = 0, .hold = true});
  const auto job = submit({.destination = "ada/tiny"}).value();
  ASSERT_TRUE(await_puts(3));
  ASSERT_TRUE(queue_->cancel(job.id));
  EXPECT_EQ(queue_->wait(job.id, kSoon)->state, JobState::cancelled);
  hub_->release();
}

}  // namespace
}  // namespace puna::hub::publish
