#include "fleet/schedule/scheduler.h"

#include <gmock/gmock.h>

#include "fleet/schedule/scheduler_testing.h"

namespace puna::fleet::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Milliseconds kSecond{1'000};

TEST(Scheduler, loads_a_model_once_for_all_who_ask_for_it) {
  Desk desk;
  const auto first = desk.ask("a"), second = desk.ask("a");
  EXPECT_THAT(desk.moves(), ElementsAre("+a"));
  EXPECT_FALSE(desk.is_granted(first));
  desk.loaded("a");
  EXPECT_TRUE(desk.is_granted(first) && desk.is_granted(second));
}

TEST(Scheduler, gives_a_model_no_more_requests_than_it_has_slots) {
  Desk desk;
  const auto first = desk.ask_and_load("a", 2), second = desk.ask("a"), third = desk.ask("a");
  EXPECT_TRUE(desk.is_granted(second));
  EXPECT_FALSE(desk.is_granted(third));
  desk.release(first);
  EXPECT_TRUE(desk.is_granted(third));
}

TEST(Scheduler, waits_for_the_busy_model_instead_of_evicting_it) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  const auto working = desk.ask_and_load("a");
  const auto waiting = desk.ask("b");
  EXPECT_THAT(desk.moves(), ElementsAre("+a"));
  desk.release(working);
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a"));
  desk.ended("a");
  desk.loaded("b");
  EXPECT_TRUE(desk.is_granted(waiting));
}

TEST(Scheduler, loads_only_when_the_memory_of_the_one_before_is_back) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  desk.release(desk.ask_and_load("a"));
  desk.ask("b");
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a"));
  desk.ended("a");
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a", "+b"));
}

TEST(Scheduler, evicts_the_idle_model_that_was_used_least_recently) {
  Desk desk;
  desk.capacity(gib(10));
  for (const std::string name : {"a", "b", "c"}) desk.model(name, gib(4));
  desk.release(desk.ask_and_load("a"));
  desk.pass(kSecond);
  desk.release(desk.ask_and_load("b"));
  desk.pass(kSecond);
  desk.release(desk.ask("a"));
  desk.ask("c");
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "+b", "-b"));
}

TEST(Scheduler, evicts_no_model_that_another_victim_makes_needless) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("small", gib(1));
  desk.model("large", gib(6));
  desk.model("new", gib(9));
  desk.model("fits", gib(5));
  desk.release(desk.ask_and_load("small"));
  desk.pass(kSecond);
  desk.release(desk.ask_and_load("large"));
  desk.ask("fits");
  EXPECT_THAT(desk.moves(), ElementsAre("+small", "+large", "-large"));
}

TEST(Scheduler, evicts_nothing_when_that_would_not_help) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("idle", gib(2));
  desk.model("busy", gib(6));
  desk.model("new", gib(9));
  desk.release(desk.ask_and_load("idle"));
  desk.ask_and_load("busy");
  desk.ask("new");
  EXPECT_THAT(desk.moves(), ElementsAre("+idle", "+busy"));
}

TEST(Scheduler, keeps_pinned_models) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("pinned", gib(6), true);
  desk.model("other", gib(6));
  desk.release(desk.ask_and_load("pinned"));
  const auto refused = desk.ask("other");
  EXPECT_THAT(desk.moves(), ElementsAre("+pinned"));
  EXPECT_THAT(desk.refusal(refused), HasSubstr("6.00 GiB held by pinned (pinned)"));
}

TEST(Scheduler, refuses_at_once_what_can_never_fit_and_shows_the_sum) {
  Desk desk;
  desk.capacity(gib(4));
  desk.terms["a"].need = {.weights = gib(4), .context = mib(512), .compute = mib(256), .slots = 4, .context_length = 4096};
  const auto refused = desk.ask("a");
  EXPECT_EQ(desk.refused[refused].code, Code::out_of_memory);
  EXPECT_FALSE(desk.refused[refused].retry_after);
  EXPECT_THAT(desk.refusal(refused),
              HasSubstr("model a needs 4.75 GiB: 4.00 GiB weights + 512 MiB KV for 4 x 4096 tokens + 256 MiB compute; "
                        "4.00 GiB of 8.00 GiB are available to models"));
  EXPECT_THAT(desk.moves(), IsEmpty());
}

TEST(Scheduler, refuses_who_waits_when_the_memory_shrinks_below_what_is_needed) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  desk.ask_and_load("a");
  const auto waiting = desk.ask("b");
  desk.capacity(gib(5));
  EXPECT_EQ(desk.refused[waiting].code, Code::out_of_memory);
}

TEST(Scheduler, counts_what_was_measured_instead_of_what_was_predicted) {
  Desk desk;
  desk.capacity(gib(10));
  desk.model("a", gib(4));
  desk.model("b", gib(5));
  desk.ask_and_load("a");
  desk.note(desk.scheduler.measured(key("a"), {{kSystemMemory, gib(6)}}, desk.now));
  desk.ask("b");
  EXPECT_THAT(desk.moves(), ElementsAre("+a"));
}

TEST(Scheduler, has_no_more_models_in_memory_than_the_limit) {
  Desk desk({.models = 1});
  desk.release(desk.ask_and_load("a"));
  desk.ask("b");
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a"));
}

TEST(Scheduler, knows_a_limit_for_each_device) {
  Desk desk;
  desk.note(desk.scheduler.budget({.capacity = {{"CUDA0", gib(8)}}, .total = gib(16)}, desk.now));
  for (const std::string name : {"a", "b"}) desk.terms[name].need = {.weights = gib(5), .devices = {{"CUDA0", gib(5)}}};
  desk.ask_and_load("a");
  const auto waiting = desk.ask("b", {.max_wait = kSecond});
  desk.pass(kSecond);
  EXPECT_THAT(desk.refusal(waiting), HasSubstr("8.00 GiB on CUDA0 are available to models, 5.00 GiB held by a (busy)"));
}

TEST(Scheduler, lets_a_busy_model_end_its_streams_and_go_when_another_has_waited_for_a_turn) {
  Desk desk({.turn = Milliseconds(10'000)});
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  const auto working = desk.ask_and_load("a");
  desk.ask("b");
  const auto beside = desk.ask("a");
  EXPECT_TRUE(desk.is_granted(beside));
  desk.pass(Milliseconds(10'000));
  const auto later = desk.ask("a");
  EXPECT_FALSE(desk.is_granted(later));
  desk.release(working);
  EXPECT_THAT(desk.moves(), ElementsAre("+a"));
  desk.release(beside);
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a"));
}

TEST(Scheduler, leaves_a_model_its_turn_before_it_yields) {
  Desk desk({.turn = Milliseconds(10'000)});
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  const auto early = desk.ask_and_load("a");
  desk.ask("b");
  desk.pass(Milliseconds(11'000));
  const auto waits_for_a = desk.ask("a");
  desk.release(early);
  desk.ended("a");
  desk.loaded("b");
  desk.pass(Milliseconds(9'000));
  EXPECT_TRUE(desk.is_granted(desk.ask("b")));
  desk.pass(Milliseconds(2'000));
  EXPECT_FALSE(desk.is_granted(desk.ask("b")));
  EXPECT_FALSE(desk.is_granted(waits_for_a));
}

TEST(Scheduler, takes_a_model_up_again_when_nobody_waits_for_its_memory_any_more) {
  Desk desk({.turn = Milliseconds(10'000)});
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  desk.ask_and_load("a");
  const auto leaves = desk.ask("b");
  desk.pass(Milliseconds(10'000));
  const auto waiting = desk.ask("a");
  desk.note(desk.scheduler.cancel(leaves, desk.now));
  EXPECT_TRUE(desk.is_granted(waiting));
}

TEST(Scheduler, does_not_push_a_model_out_between_two_questions_for_a_batch) {
  Desk desk({.turn = Milliseconds(10'000)});
  desk.capacity(gib(10));
  desk.model("chat", gib(6));
  desk.model("batch", gib(6));
  desk.release(desk.ask_and_load("chat"));
  desk.ask("batch", {.priority = Priority::low});
  EXPECT_THAT(desk.moves(), ElementsAre("+chat"));
  desk.pass(Milliseconds(10'000));
  EXPECT_THAT(desk.moves(), ElementsAre("+chat", "-chat"));
}

TEST(Scheduler, refuses_with_a_time_to_retry_when_the_wait_becomes_too_long) {
  Desk desk;
  const auto holding = desk.ask_and_load("a", 1);
  const auto waiting = desk.ask("a", {.max_wait = 5 * kSecond});
  EXPECT_EQ(desk.scheduler.next_event(desk.now), desk.now + 5 * kSecond);
  desk.pass(5 * kSecond);
  EXPECT_EQ(desk.refused[waiting].code, Code::unavailable);
  EXPECT_TRUE(desk.refused[waiting].retry_after);
  EXPECT_THAT(desk.refusal(waiting), HasSubstr("has all of its 1 slots taken"));
  desk.release(holding);
  EXPECT_FALSE(desk.is_granted(waiting));
}

TEST(Scheduler, refuses_beyond_the_bound_of_the_model_and_says_when_to_retry) {
  Desk desk({.queue_per_model = 2});
  const auto first = desk.ask_and_load("a", 1);
  desk.pass(4 * kSecond);
  desk.ask("a");
  desk.ask("a");
  desk.release(first);  // requests take 4 s
  desk.ask("a");
  const auto refused = desk.ask("a");
  EXPECT_EQ(desk.refused[refused].code, Code::overloaded);
  EXPECT_EQ(desk.refused[refused].retry_after, 12 * kSecond);
}

TEST(Scheduler, refuses_beyond_the_bound_of_the_client_and_leaves_room_for_others) {
  Desk desk({.queue_per_client = 1});
  desk.ask_and_load("a", 1);
  desk.ask("a", {.client = "flood"});
  EXPECT_EQ(desk.refused[desk.ask("a", {.client = "flood"})].code, Code::overloaded);
  EXPECT_EQ(desk.refusal(desk.ask("a", {.client = "other"})), "");
}

TEST(Scheduler, gives_the_failure_of_a_load_to_all_who_waited_for_it) {
  Desk desk;
  const auto first = desk.ask("a"), second = desk.ask("a");
  desk.ended("a", Error(Code::corrupt_data, "torn"));
  EXPECT_EQ(desk.refusal(first), "torn");
  EXPECT_EQ(desk.refusal(second), "torn");
  EXPECT_THAT(desk.moves(), ElementsAre("+a"));
}

TEST(Scheduler, loads_again_for_who_waited_for_a_slot_when_the_worker_dies) {
  Desk desk;
  const auto working = desk.ask_and_load("a", 1);
  const auto waiting = desk.ask("a");
  desk.ended("a", Error(Code::upstream_failed, "killed"));
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "+a"));
  desk.release(working);  // late, and of no effect
  desk.loaded("a", 1);
  EXPECT_TRUE(desk.is_granted(waiting));
  EXPECT_EQ(desk.refusal(waiting), "");
}

TEST(Scheduler, lets_go_of_a_model_whose_name_means_another_file_once_it_is_idle) {
  Desk desk;
  const auto working = desk.ask_and_load("a");
  desk.terms["a"].launch = 2;
  const auto waiting = desk.ask("a");
  EXPECT_FALSE(desk.is_granted(waiting));
  desk.release(working);
  desk.ended("a");
  desk.loaded("a");
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a", "+a"));
  EXPECT_TRUE(desk.is_granted(waiting));
}

TEST(Scheduler, tells_places_and_the_wait_that_measured_times_promise) {
  Desk desk;
  const auto first = desk.ask_and_load("a", 1);
  const auto second = desk.ask("a"), third = desk.ask("a");
  EXPECT_FALSE(desk.scheduler.places(key("a"), desk.now)[0].expected_wait);
  desk.pass(6 * kSecond);
  desk.release(first);
  const auto places = desk.scheduler.places(key("a"), desk.now);
  ASSERT_EQ(places.size(), 1U);
  EXPECT_TRUE(desk.is_granted(second));
  EXPECT_EQ(places[0].request, third);
  EXPECT_EQ(places[0].position, 1U);
  EXPECT_EQ(places[0].expected_wait, 6 * kSecond);
}

TEST(Scheduler, hands_the_request_that_is_next_to_the_worker_while_every_slot_is_taken) {
  Desk desk;
  const auto first = desk.ask_and_load("a", 1, stageable());
  const auto second = desk.ask("a", stageable()), third = desk.ask("a", stageable());
  EXPECT_THAT(desk.staged, ElementsAre(second));
  EXPECT_FALSE(desk.is_granted(second));
  desk.release(first);
  EXPECT_TRUE(desk.is_granted(second));
  EXPECT_THAT(desk.staged, ElementsAre(second, third));
}

TEST(Scheduler, stages_nothing_at_a_worker_without_a_queue_of_its_own_nor_what_must_not_be) {
  Desk desk;
  desk.ask("a", stageable());
  desk.note(desk.scheduler.loaded(key("a"), 1, desk.now));
  desk.ask("a", stageable());
  desk.ask_and_load("b", 1, stageable());
  desk.ask("b");
  desk.ask("b", stageable());  // not past the one that is next
  EXPECT_THAT(desk.staged, IsEmpty());
}

TEST(Scheduler, stages_nothing_that_would_take_the_slot_of_a_request_that_the_engine_has_not_begun_with) {
  Desk desk;
  const auto restoring = desk.ask_and_load("a", 1);
  const auto next = desk.ask("a", stageable());
  EXPECT_THAT(desk.staged, IsEmpty());
  desk.note(desk.scheduler.begun(restoring, desk.now));
  EXPECT_THAT(desk.staged, ElementsAre(next));
}

TEST(Scheduler, counts_a_staged_request_among_those_who_wait_and_as_the_next) {
  Desk desk({.queue_per_model = 2});
  const auto first = desk.ask_and_load("a", 1);
  desk.pass(4 * kSecond);
  desk.release(first);
  desk.ask("a", stageable());
  const auto staged = desk.ask("a", stageable()), behind = desk.ask("a", stageable());
  const auto places = desk.scheduler.places(key("a"), desk.now);
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(std::pair(places[0].request, places[1].request), std::pair(staged, behind));
  EXPECT_EQ(places[1].expected_wait, 8 * kSecond);
  EXPECT_EQ(desk.refused[desk.ask("a")].code, Code::overloaded);
}

TEST(Scheduler, stages_the_next_one_when_the_staged_one_leaves) {
  Desk desk;
  desk.ask_and_load("a", 1, stageable());
  const auto leaves = desk.ask("a", stageable()), next = desk.ask("a", stageable());
  desk.note(desk.scheduler.cancel(leaves, desk.now));
  EXPECT_THAT(desk.staged, ElementsAre(leaves, next));
  EXPECT_EQ(desk.scheduler.waiting(key("a")), 1U);
}

TEST(Scheduler, refuses_a_staged_request_whose_time_is_up_or_whose_worker_has_ended) {
  Desk desk;
  desk.ask_and_load("a", 1, stageable());
  auto late = stageable();
  late.max_wait = kSecond;
  const auto first = desk.ask("a", late);
  desk.pass(kSecond);
  EXPECT_THAT(desk.refusal(first), HasSubstr("has all of its 1 slots taken"));
  const auto second = desk.ask("a", stageable()), third = desk.ask("a");
  desk.ended("a", Error(Code::upstream_failed, "killed"));
  EXPECT_EQ(desk.refusal(second), "killed");
  EXPECT_EQ(desk.refusal(third), "");
}

TEST(Scheduler, takes_a_staged_request_at_its_word_that_the_engine_has_begun) {
  Desk desk;
  desk.ask_and_load("a", 1, stageable());  // whose client is slow to take its answer
  const auto staged = desk.ask("a", stageable());
  desk.note(desk.scheduler.begun(staged, desk.now));
  EXPECT_TRUE(desk.is_granted(staged));
  desk.release(staged);
  EXPECT_EQ(desk.scheduler.waiting(key("a")), 0U);
}

TEST(Scheduler, ends_a_staged_request_of_a_model_that_makes_room_and_then_stops_it) {
  Desk desk({.turn = Milliseconds(10'000)});
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  const auto working = desk.ask_and_load("a", 1, stageable());
  const auto staged = desk.ask("a", stageable());
  desk.ask("b");
  desk.pass(Milliseconds(10'000));
  desk.ask("a", stageable());
  desk.release(working);
  EXPECT_TRUE(desk.is_granted(staged));
  EXPECT_THAT(desk.staged, ElementsAre(staged));  // it takes no new ones
  desk.release(staged);
  EXPECT_THAT(desk.moves(), ElementsAre("+a", "-a"));
}

}  // namespace
}  // namespace puna::fleet::testing
