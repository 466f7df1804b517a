// The scheduler's rules with real processes.
#include <gmock/gmock.h>
#include <signal.h>

#include "fleet/fleet_testing.h"
#include "models/tiny_model.h"

namespace puna::fleet::testing {
namespace {

using enum wire::WorkerState;
using ::testing::HasSubstr;

class FleetSchedules : public FleetTest {
 protected:
  FleetSchedules() {
    options_.memory_share = 1;
    memory_ = os::MemoryNow{.total = gib(4), .available = gib(2)};
  }
  void sized(const std::string& model, Bytes bytes, std::string_view steps = "") {
    script(model, steps);
    size(model, bytes);
  }
  // Those who wait are turned away while the test still has their places.
  void end() { EXPECT_TRUE(run(fleet_->shutdown(Milliseconds(0)))); }
  std::vector<wire::QueuedRequest> queued() const {
    std::vector<wire::QueuedRequest> out;
    for (const auto& event : events_.since(0, 100'000).events)
      if (event->type == "request.queued") out.push_back(*json::decode<wire::QueuedRequest>(event->data));
    return out;
  }
};

TEST_F(FleetSchedules, no_more_requests_than_slots_and_tells_the_others_their_place) {
  script("m", "");
  options_.slots = 1;
  Outcome<Lease> second, third;
  std::vector<net::Spawned> waiters;
  {
    const auto first = acquire("m");
    waiters.push_back(begin(fleet_->acquire("m", {.request_id = "r2"}), second));
    waiters.push_back(begin(fleet_->acquire("m", {.request_id = "r3"}), third));
    until([&] { return queued().size() == 3; });  // the first waited for the load
    EXPECT_EQ(queued()[2].request, "r3");
    EXPECT_EQ(queued()[2].position, 2);
    EXPECT_EQ(look("m").queued_requests, 2);
  }
  until([&] { return second.known; });
  EXPECT_FALSE(third.known);
  EXPECT_EQ(second.result->arrived_at(), 1U);
  end();
}

TEST_F(FleetSchedules, room_for_a_model_when_the_one_that_works_has_ended) {
  sized("a", gib(1));
  sized("b", gib(1) + mib(256));
  Outcome<Lease> second;
  net::Spawned waiter;
  {
    const auto first = acquire("a");
    waiter = begin(fleet_->acquire("b"), second);
    until([&] { return queued().size() == 2; });
    ASSERT_TRUE(chat(*first));
    EXPECT_EQ(fleet_->running(), 1U);
  }
  until([&] { return second.known; });
  ASSERT_TRUE(second.result) << second.result.error().text();
  EXPECT_EQ(told_states("a").back(), stopped);
}

TEST_F(FleetSchedules, the_end_of_a_stream_before_its_model_makes_room) {
  sized("a", mib(512), "ready\n" + gate("stream"));
  sized("b", gib(1) + mib(800));
  options_.turn = Milliseconds(0);  // at once
  auto first = acquire("a");
  Outcome<net::HttpResponse> answer;
  Outcome<Lease> second;
  const auto asking = begin(http_.fetch(net::HttpRequest::to_socket(first->socket(), "POST", "/v1/chat/completions")), answer);
  const auto waiter = begin(fleet_->acquire("b"), second);
  until([&] { return queued().size() == 2; });
  open_gate("stream");
  until([&] { return answer.known; });
  EXPECT_EQ(answer.result->status, 200);
  EXPECT_EQ(look("a").state, busy);
  first = fail(Code::cancelled, "released");
  until([&] { return second.known; });
  EXPECT_TRUE(second.result) << second.result.error().text();
}

TEST_F(FleetSchedules, nothing_that_can_never_fit_and_shows_the_sum) {
  sized("large", gib(3));
  const auto refused = acquire("large");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::out_of_memory);
  EXPECT_THAT(refused.error().message, HasSubstr("2.00 GiB of 4.00 GiB are available to models"));
  EXPECT_EQ(fleet_->running(), 0U);
}

TEST_F(FleetSchedules, nothing_over_a_pinned_model) {
  sized("a", gib(1));
  sized("b", gib(1));
  pinned_ = {"a"};
  ASSERT_TRUE(acquire("a"));
  const auto refused = acquire("b");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("held by a (pinned)"));
  EXPECT_TRUE(look("a").pinned);
}

TEST_F(FleetSchedules, no_longer_queue_than_allowed) {
  script("m", "");
  options_.slots = 1;
  options_.queue_per_model = 1;
  const auto first = acquire("m");
  Outcome<Lease> second;
  const auto waiter = begin(fleet_->acquire("m"), second);
  until([&] { return queued().size() == 2; });
  const auto third = acquire("m");
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::overloaded);
  EXPECT_TRUE(third.error().retry_after);
  end();
}

// ledger: T9
TEST_F(FleetSchedules, no_request_longer_than_it_would_wait) {
  script("m", "");
  options_.slots = 1;
  const auto first = acquire("m");
  const auto second = acquire("m", {.max_wait = Milliseconds(20)});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_TRUE(second.error().retry_after);
}

TEST_F(FleetSchedules, nothing_for_a_client_that_has_left) {
  script("m", "");
  options_.slots = 1;
  Outcome<Lease> leaving, staying;
  net::Spawned leaver, stayer;
  {
    const auto first = acquire("m");
    leaver = begin(fleet_->acquire("m", {.request_id = "leaver"}), leaving);
    stayer = begin(fleet_->acquire("m"), staying);
    until([&] { return queued().size() == 3; });
    leaver.cancel();
    until([&] { return leaving.known; });
  }
  until([&] { return staying.known; });
  EXPECT_EQ(leaving.result.error().code, Code::cancelled);
  EXPECT_TRUE(staying.result);
}

// ledger: M12
TEST_F(FleetSchedules, the_next_worker_for_who_waited_for_a_slot_of_one_that_died) {
  script("m", "");
  options_.slots = 1;
  auto first = acquire("m");
  Outcome<Lease> second;
  const auto waiter = begin(fleet_->acquire("m"), second);
  until([&] { return queued().size() == 2; });
  send_signal(pid_of("m"), SIGKILL);
  until([&] { return second.known; });
  ASSERT_TRUE(second.result) << second.result.error().text();
  EXPECT_NE(second.result->socket(), first->socket());
}

TEST_F(FleetSchedules, the_next_request_to_the_worker_while_its_slots_are_taken) {
  script("m", "");
  options_.slots = 1;
  auto first = acquire("m", {.staging = Staging::allowed});
  auto second = acquire("m", {.request_id = "r2", .staging = Staging::allowed});
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_FALSE(second->has_slot());
  EXPECT_EQ(second->arrived_at(), 1U);
  EXPECT_EQ(queued().back().request, "r2");
  EXPECT_EQ(std::pair(look("m").active_requests, look("m").queued_requests), std::pair(1L, 1L));
  first = fail(Code::cancelled, "released");
  EXPECT_TRUE(run(second->slot()));
  EXPECT_EQ(std::pair(look("m").active_requests, look("m").queued_requests), std::pair(1L, 0L));
}

TEST_F(FleetSchedules, no_slot_for_a_staged_request_that_has_waited_too_long) {
  script("m", "");
  options_.slots = 1;
  const auto first = acquire("m", {.staging = Staging::allowed});
  auto second = acquire("m", {.max_wait = Milliseconds(20), .staging = Staging::allowed});
  ASSERT_TRUE(second) << second.error().text();
  const auto slot = run(second->slot());
  ASSERT_FALSE(slot);
  EXPECT_EQ(slot.error().code, Code::unavailable);
  EXPECT_TRUE(slot.error().retry_after);
  EXPECT_FALSE(second->lost());
}

// ledger: M12
TEST_F(FleetSchedules, nothing_more_for_a_staged_request_whose_worker_died_and_says_that_it_was_not_touched) {
  script("m", "");
  options_.slots = 1;
  const auto first = acquire("m", {.staging = Staging::allowed});
  auto second = acquire("m", {.staging = Staging::allowed});
  ASSERT_TRUE(second) << second.error().text();
  send_signal(pid_of("m"), SIGKILL);
  EXPECT_FALSE(run(second->slot()));
  EXPECT_TRUE(second->lost());
}

TEST_F(FleetSchedules, a_client_beside_the_flood_of_another) {
  script("m", "");
  options_.slots = 2;
  std::deque<Outcome<Lease>> flood(20);
  std::vector<net::Spawned> waiters;
  ASSERT_TRUE(acquire("m", {.client = {.id = "person"}}));
  for (auto& one : flood) waiters.push_back(begin(fleet_->acquire("m", {.client = {.id = "flood"}}), one));
  until([&] { return look("m").queued_requests == 19; });  // one slot is kept for the person
  EXPECT_TRUE(acquire("m", {.client = {.id = "person"}}));
  end();
}

class FleetSwapsRealModels : public FleetTest {
 protected:
  FleetSwapsRealModels() : FleetTest(PUNA_PROGRAM) {
    options_.threads = 1;
    options_.context_length = 512;
    options_.most_models = 1;
    options_.turn = Milliseconds(0);
  }
};

TEST_F(FleetSwapsRealModels, and_cuts_no_stream) {
  for (const std::string name : {"a", "b"}) EXPECT_TRUE(tiny_model::write(folder() / "models" / name, tiny_model::Kind::chat));
  Outcome<Lease> other;
  net::Spawned waiter;
  {
    const auto lease = acquire("a");
    ASSERT_TRUE(lease) << lease.error().text();
    waiter = begin(fleet_->acquire("b"), other);
    auto request = net::HttpRequest::to_socket(lease->socket(), "POST", "/v1/chat/completions");
    request.body = R"({"messages":[{"role":"user","content":"hello"}],"temperature":0,"stream":true})";
    const auto answer = run(http_.fetch(std::move(request)));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_THAT(answer->body, HasSubstr("data: [DONE]"));
    EXPECT_FALSE(other.known);
  }
  until([&] { return other.known; });
  ASSERT_TRUE(other.result) << other.result.error().text();
  EXPECT_EQ(told_states("a").back(), stopped);
}

}  // namespace
}  // namespace puna::fleet::testing
