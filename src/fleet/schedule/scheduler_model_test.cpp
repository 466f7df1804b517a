// Random sequences of events, and what must hold after each whatever the sequence was.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "fleet/schedule/scheduler_testing.h"

namespace puna::fleet::testing {
namespace {

enum class Standing { waiting, granted, refused, expired, cancelled, released, orphaned };

struct Known {
  Ask ask;
  Standing standing = Standing::waiting;
  std::size_t order = 0;
  bool begun = false;
};

struct Copy {  // of a model in memory
  enum class Phase { loading, loaded, leaving } phase = Phase::loading;
  Bytes bytes;
  std::uint64_t launch = 0;
  std::int64_t slots = 0;
  std::int64_t begun = 0;  // before a slot had come back
  bool used = false;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), scheduler_(limits()) {
    for (const std::string name : {"a", "b", "c", "d", "e"})
      terms_[name] = {.launch = 1, .need = {.weights = gib(1 + draw(6))}, .pinned = draw(8) == 0};
    take(scheduler_.budget({.capacity = {{kSystemMemory, capacity_}}, .total = gib(16)}, now_));
  }

  void step() {
    now_ += Milliseconds(draw(4) == 0 ? draw(20'000) : draw(200));
    switch (draw(17)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return ask();
      case 5:
        return cancel_one();
      case 6:
        return fail_one();
      case 7:
        return leave_one();
      case 8:
        return change_the_world();
      case 9:
      case 10:
      case 11:
        return release_one();
      case 12:
        return take(scheduler_.advance(now_));
      case 13:
        return draw(2) == 0 ? begin_staged() : begin_one();
      default:
        return move_on();
    }
  }

  // Everybody who still waits comes to an end when requests end and nothing new comes.
  void drain() {
    capacity_ = gib(64);
    take(scheduler_.budget({.capacity = {{kSystemMemory, capacity_}}, .total = gib(64)}, now_));
    for (int round = 0; round < 3'000 && count(Standing::waiting) > 0; ++round) {
      while (move_on_once()) continue;
      while (release_oldest()) continue;
      const auto next = scheduler_.next_event(now_);
      now_ = std::max(now_, next.value_or(now_)) + Milliseconds(1);
      take(scheduler_.advance(now_));
    }
    EXPECT_EQ(count(Standing::waiting), 0);
  }

  void check() {
    for (const auto& [name, copy] : copies_) {
      EXPECT_LE(running(name), copy.slots + copy.begun) << name;
      EXPECT_EQ(scheduler_.waiting(key(name)), waiting(name));
    }
    // Nobody waits for nothing: something is under way, or time will change it, or slots come back.
    if (count(Standing::waiting) == 0) return;
    const bool under_way = std::ranges::any_of(copies_, [](const auto& one) { return one.second.phase != Copy::Phase::loaded; });
    EXPECT_TRUE(under_way || count(Standing::granted) > 0 || scheduler_.next_event(now_)) << "stuck";
  }

 private:
  static SchedulerLimits limits() { return {.queue_per_model = 12, .queue_per_client = 10, .turn = Milliseconds(10'000)}; }
  std::uint64_t draw(std::uint64_t below) { return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_); }
  std::string a_model() { return std::string(1, static_cast<char>('a' + draw(5))); }

  template <class Condition>
  Known* any(Condition condition) {
    std::vector<Known*> found;
    for (auto& [id, known] : requests_)
      if (condition(known)) found.push_back(&known);
    return found.empty() ? nullptr : found[draw(found.size())];
  }
  std::int64_t count(Standing standing) const {
    return std::ranges::count_if(requests_, [&](const auto& one) { return one.second.standing == standing; });
  }
  std::int64_t running(const std::string& model) const {
    return std::ranges::count_if(
        requests_, [&](const auto& one) { return one.second.standing == Standing::granted && one.second.ask.model.first == model; });
  }
  std::size_t waiting(const std::string& model) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        requests_, [&](const auto& one) { return one.second.standing == Standing::waiting && one.second.ask.model.first == model; }));
  }

  void ask() {
    const std::string model = a_model();
    Ask ask{
        ++last_, key(model), {"client" + std::to_string(draw(4)), 1.0 + static_cast<double>(draw(3))}, static_cast<Priority>(draw(3)), {}};
    ask.staging = draw(2) == 0 ? Staging::allowed : Staging::never;
    if (draw(3) == 0) ask.deadline = now_ + Milliseconds(1 + draw(30'000));
    requests_[ask.id] = {ask, Standing::waiting, ++order_};
    take(scheduler_.ask(ask, terms_[model], now_));
  }

  void begin_one() {
    Known* known = any([](const Known& one) { return one.standing == Standing::granted; });
    if (!known) return;
    known->begun = true;
    take(scheduler_.begun(known->ask.id, now_));
  }

  void begin_staged() {
    Known* known = any([this](const Known& one) { return one.standing == Standing::waiting && staged_.contains(one.ask.id); });
    if (!known || !copies_.contains(known->ask.model.first)) return;
    ++copies_[known->ask.model.first].begun;
    known->begun = true;
    take(scheduler_.begun(known->ask.id, now_));
    EXPECT_EQ(known->standing, Standing::granted);
  }

  void cancel_one() {
    Known* known = any([](const Known& one) { return one.standing == Standing::waiting; });
    if (!known) return;
    known->standing = Standing::cancelled;
    take(scheduler_.cancel(known->ask.id, now_));
  }

  void release_one() {
    Known* known = any([](const Known& one) { return one.standing == Standing::granted || one.standing == Standing::orphaned; });
    if (!known) return;
    known->standing = Standing::released;
    take(scheduler_.release(known->ask.id, now_));
  }

  bool release_oldest() {
    for (auto& [id, known] : requests_)
      if (known.standing == Standing::granted) {
        known.standing = Standing::released;
        take(scheduler_.release(id, now_));
        return true;
      }
    return false;
  }

  void end(std::string name, const std::optional<Error>& error) {  // the name may be the copy's own, which goes
    copies_.erase(name);
    for (auto& [id, known] : requests_)
      if (known.standing == Standing::granted && known.ask.model.first == name) known.standing = Standing::orphaned;
    take(scheduler_.ended(key(name), error, now_));
  }

  void fail_one() {
    if (!copies_.empty() && draw(3) == 0)
      end(std::next(copies_.begin(), static_cast<long>(draw(copies_.size())))->first, Error(Code::upstream_failed, "died"));
  }

  void leave_one() {  // as when the keep-alive ends
    for (auto& [name, copy] : copies_)
      if (copy.phase == Copy::Phase::loaded && running(name) == 0 && draw(2) == 0) {
        copy.phase = Copy::Phase::leaving;
        return take(scheduler_.leaving(key(name), now_));
      }
  }

  void change_the_world() {
    if (draw(2) == 0) {
      ++terms_[a_model()].launch;
    } else {
      capacity_ = gib(6 + draw(8));
      take(scheduler_.budget({.capacity = {{kSystemMemory, capacity_}}, .total = gib(16)}, now_));
    }
  }

  bool move_on_once() {
    for (auto& [name, copy] : copies_) {
      if (copy.phase == Copy::Phase::loading) {
        copy.phase = Copy::Phase::loaded;
        copy.slots = static_cast<std::int64_t>(1 + draw(4));
        take(scheduler_.loaded(key(std::string(name)), copy.slots, now_, draw(2) == 0 ? Staging::allowed : Staging::never));
        return true;
      }
      if (copy.phase == Copy::Phase::leaving) {
        end(std::string(name), std::nullopt);
        return true;
      }
    }
    return false;
  }
  void move_on() { move_on_once(); }

  void take(const Effects& effects) {
    for (const auto& effect : effects) std::visit([this](const auto& one) { happen(one); }, effect);
    check();
  }

  void happen(const LoadModel& load) {
    const std::string name = load.model.first;
    EXPECT_FALSE(copies_.contains(name)) << "loaded twice";
    copies_[name] = {.bytes = terms_[name].need.total(), .launch = load.launch};
    Bytes promised;
    for (const auto& [other, copy] : copies_) promised += copy.bytes;
    EXPECT_LE(promised, capacity_) << "more is promised than there is";
  }

  void happen(const StopModel& stop) {
    const std::string name = stop.model.first;
    ASSERT_TRUE(copies_.contains(name));
    Copy& copy = copies_[name];
    EXPECT_EQ(running(name), 0) << "a busy model is stopped";
    EXPECT_EQ(copy.phase, Copy::Phase::loaded);
    EXPECT_TRUE(!terms_[name].pinned || copy.launch != terms_[name].launch) << "a pinned model is stopped";
    EXPECT_TRUE(copy.used || waiting(name) == 0 || copy.launch != terms_[name].launch) << "loaded for nothing";
    copy.phase = Copy::Phase::leaving;
  }

  // Nobody of its client and priority who came before it still waits.
  void expect_first(const Known& known) const {
    for (const auto& [id, other] : requests_) {
      const bool same =
          other.ask.model == known.ask.model && other.ask.client.id == known.ask.client.id && other.ask.priority == known.ask.priority;
      EXPECT_FALSE(same && other.standing == Standing::waiting && other.order < known.order) << "not first come, first served";
    }
  }

  void happen(const Stage& stage) {
    const Known& known = requests_.at(stage.request);
    EXPECT_EQ(known.standing, Standing::waiting);
    EXPECT_EQ(known.ask.staging, Staging::allowed);
    EXPECT_GE(running(stage.model.first), copies_.at(stage.model.first).slots) << "a slot was free";
    for (const RequestId other : staged_)
      EXPECT_FALSE(requests_.at(other).standing == Standing::waiting && requests_.at(other).ask.model == stage.model) << "a second one";
    for (const auto& [id, other] : requests_)
      EXPECT_FALSE(other.standing == Standing::granted && other.ask.model == stage.model && other.ask.staging == Staging::never &&
                   !other.begun)
          << "its slot would be taken";
    expect_first(known);
    staged_.insert(stage.request);
  }

  void happen(const Grant& grant) {
    Known& known = requests_.at(grant.request);
    EXPECT_EQ(known.standing, Standing::waiting);
    const auto copy = copies_.find(grant.model.first);
    ASSERT_TRUE(copy != copies_.end() && copy->second.phase == Copy::Phase::loaded);
    expect_first(known);
    known.standing = Standing::granted;
    copy->second.used = true;
  }

  void happen(const Refuse& refuse) {
    Known& known = requests_.at(refuse.request);
    EXPECT_EQ(known.standing, Standing::waiting);
    const bool late = known.ask.deadline && *known.ask.deadline <= now_;
    known.standing = late ? Standing::expired : Standing::refused;
    staged_.erase(refuse.request);
    EXPECT_FALSE(refuse.error.message.empty());
  }

  std::mt19937_64 random_;
  Scheduler scheduler_;
  MonotonicTime now_{std::chrono::hours(1)};
  Bytes capacity_ = gib(10);
  std::map<std::string, ModelTerms> terms_;
  std::map<std::string, Copy> copies_;
  std::map<RequestId, Known> requests_;
  std::set<RequestId> staged_;  // ever, less those refused
  RequestId last_ = 0;
  std::size_t order_ = 0;
};

// ledger: T15
TEST(SchedulerModel, holds_its_promises_in_ten_thousands_of_random_events) {
  for (std::uint64_t seed = 1; seed <= 60 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int i = 0; i < 400 && !::testing::Test::HasFailure(); ++i) world.step();
    world.drain();
  }
}

// While others ask for ever, who asked once is served, at whatever priority and for whichever model.
TEST(SchedulerModel, starves_nobody) {
  Desk desk({.turn = Milliseconds(10'000)});
  desk.capacity(gib(10));
  desk.model("a", gib(6));
  desk.model("b", gib(6));
  desk.ask_and_load("a", 2, {.client = "flood"});
  const auto same_model = desk.ask("a", {.client = "patient", .priority = Priority::low});
  const auto other_model = desk.ask("b", {.client = "patient", .priority = Priority::low});
  for (std::size_t second = 0, moves = 1; second < 600; ++second) {
    desk.ask("a", {.client = "flood", .priority = Priority::high});
    desk.pass(Milliseconds(1'000));
    for (; moves < desk.moves().size(); ++moves) {
      const std::string move = desk.moves()[moves];
      if (move.starts_with("+")) desk.loaded(move.substr(1), 2);
      if (move.starts_with("-")) desk.ended(move.substr(1));
    }
    if (second < desk.order.size()) desk.release(desk.order[second]);  // each takes some seconds
  }
  EXPECT_TRUE(desk.is_granted(same_model));
  EXPECT_TRUE(desk.is_granted(other_model));
}

}  // namespace
}  // namespace puna::fleet::testing
