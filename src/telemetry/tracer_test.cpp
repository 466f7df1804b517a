#include "telemetry/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/telemetry_testing.h"

namespace puna::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::size_t kMostWaiting = 4096, kBatch = 512;

// A tracer on the collector's network thread.
class TracerTest : public testing::Test {
 protected:
  void begin(const std::string& endpoint, Milliseconds delay = 1h) {
    settings_ = std::make_unique<SettingsStore>(
        SettingsStore::Sources{.flags = {{"telemetry.otlp_endpoint", endpoint}, {"telemetry.service_name", "test"}}});
    on_network([this, delay] {
      tracer_ = std::make_unique<Tracer>(Tracer::Parts{.io = collector_.network().io,
                                                       .http = *collector_.http,
                                                       .settings = [this] { return settings_->snapshot(); },
                                                       .clock = clock_,
                                                       .limits = {.attempt = 20s, .retry = {.attempts = 2, .base = 1ms, .cap = 1ms}},
                                                       .delay = delay});
    });
  }
  void TearDown() override {
    close(0ms);
    on_network([this] { tracer_.reset(); });
  }
  void on_network(const std::function<void()>& work) { collector_.network().call(work); }
  void record(std::size_t spans, const net::Headers& headers = {}) {
    on_network([&] {
      for (std::size_t i = 0; i < spans; ++i)
        if (const auto trace = tracer_->begin(headers)) tracer_->record(*trace, trace->span("work", SpanKind::internal, {}, {}));
    });
  }
  Tracer::Counts counts() {
    return collector_.network().call([this] { return tracer_->counts(); });
  }
  void close(Milliseconds limit) {
    collector_.network()
        .run([](Tracer& tracer, Milliseconds within) -> net::Task<Result<>> {
          co_await tracer.close(within);
          co_return Result<>();
        }(*tracer_, limit))
        .value();
  }

  SystemClock clock_;
  TestCollector collector_;
  std::unique_ptr<SettingsStore> settings_;
  std::unique_ptr<Tracer> tracer_;
};

TEST_F(TracerTest, records_nothing_unless_a_collector_is_named) {
  begin("");
  EXPECT_FALSE(collector_.network().call([this] { return tracer_->begin(); }));
}

TEST_F(TracerTest, sends_by_itself_what_was_recorded) {
  begin(collector_.url(), 10ms);
  record(2);
  collector_.await(1);
  EXPECT_THAT(collector_.requests().at(0).body, HasSubstr(R"("key":"service.name","value":{"stringValue":"test"})"));
}

TEST_F(TracerTest, sends_a_full_batch_at_once) {
  begin(collector_.url());
  record(kBatch);
  collector_.await(1);
}

TEST_F(TracerTest, keeps_nothing_of_a_trace_that_is_not_to_be_recorded) {
  begin(collector_.url());
  record(3, {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}});
  EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(TracerTest, sends_the_rest_at_the_end) {
  begin(collector_.url());
  record(5);
  close(20s);
  EXPECT_EQ(counts().sent, 5U);
  EXPECT_EQ(counts().dropped, 0U);
}

TEST_F(TracerTest, drops_and_counts_what_its_queue_does_not_hold) {
  collector_.fall_silent();
  begin(collector_.url());
  record(kBatch);
  collector_.await(1);
  record(kMostWaiting + 100);
  EXPECT_EQ(counts().waiting, kMostWaiting);
  EXPECT_EQ(counts().dropped, 100U);
}

TEST_F(TracerTest, counts_what_no_collector_took) {
  begin(nobodys_url());
  record(5);
  close(20s);
  EXPECT_EQ(counts().sent, 0U);
  EXPECT_EQ(counts().dropped, 5U);
}

TEST_F(TracerTest, ends_in_time_when_the_collector_is_silent) {
  collector_.fall_silent();
  begin(collector_.url());
  record(kBatch + 5);
  close(50ms);
  EXPECT_EQ(counts().sent, 0U);
  EXPECT_GE(counts().dropped, 5U);
}

}  // namespace
}  // namespace puna::telemetry
