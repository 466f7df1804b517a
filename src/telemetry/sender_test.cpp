#include "telemetry/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/telemetry_testing.h"

namespace puna::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr SendLimits kQuick{.attempt = 20s, .retry = {.attempts = 3, .base = 1ms, .factor = 1, .cap = 1ms}};

Result<std::int64_t> send(TestCollector& collector, const std::string& url, SendLimits limits = kQuick,
                          std::string_view headers = "authorization=Bearer%20s3cret") {
  const auto to = read_collector(url, headers).value();
  auto sender = collector.network().call([&] { return std::make_unique<Sender>(collector.network().io, *collector.http, limits); });
  auto out = collector.network().run(sender->send(to, "{}"));
  collector.network().call([&] { sender.reset(); });
  return out;
}

TEST(Collector, is_named_by_its_address_with_or_without_the_path) {
  EXPECT_EQ(read_collector("http://box:4318", "")->url.text(), "http://box:4318/v1/traces");
  EXPECT_EQ(read_collector("https://box/otlp/", "")->url.text(), "https://box/otlp/v1/traces");
  EXPECT_EQ(read_collector("https://box/v1/traces", "")->url.text(), "https://box/v1/traces");
  EXPECT_FALSE(read_collector("ftp://box", ""));
}

TEST(Collector, has_headers_and_tells_none_that_is_wrong) {
  const auto collector = read_collector("http://box", " api-key = a%2Cb ,x=1,").value();
  ASSERT_EQ(collector.headers.size(), 2U);
  EXPECT_EQ(collector.headers[0].second.reveal(), "a,b");
  for (const auto* wrong : {"s3cret", "bad name=s3cret", "x=s3cret%0d%0ay: z", "x=s3cret%"})
    EXPECT_THAT(read_collector("http://box", wrong).error().text(), Not(HasSubstr("s3cret")));
}

TEST(Sender, takes_a_batch_to_the_collector) {
  TestCollector collector;
  EXPECT_EQ(send(collector, collector.url()).value(), 0);
  const auto request = collector.requests().at(0);
  EXPECT_EQ(request.method + " " + request.path, "POST /v1/traces");
  EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(request.headers.get("Authorization"), "Bearer s3cret");
}

TEST(Sender, tries_again_when_that_may_help) {
  TestCollector collector({{429, {{"Retry-After", "0"}}, ""}, {503, {}, ""}, {200, {}, R"({"partialSuccess":{"rejectedSpans":"2"}})"}});
  EXPECT_EQ(send(collector, collector.url()).value(), 2);
  EXPECT_EQ(collector.requests().size(), 3U);
}

TEST(Sender, obeys_retry_after) {
  TestCollector collector({{429, {{"Retry-After", "3600"}}, ""}, {200, {}, "{}"}});
  auto limits = kQuick;
  limits.retry.longest_retry_after = 1s;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(send(collector, collector.url(), limits)) << "it is asked for an hour, of which a second is kept";
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
}

TEST(Sender, takes_a_refusal_as_the_last_word) {
  for (const int status : {400, 401, 404, 413, 500}) {
    TestCollector collector({{status, {}, "no"}, {200, {}, "{}"}});
    const auto refused = send(collector, collector.url());
    ASSERT_FALSE(refused) << status;
    EXPECT_THAT(refused.error().text(), Not(HasSubstr("s3cret")));
    EXPECT_EQ(collector.requests().size(), 1U) << status;
  }
}

TEST(Sender, gives_up_after_its_tries_when_the_collector_is_away_or_busy) {
  TestCollector busy({{503, {}, ""}});
  EXPECT_FALSE(send(busy, busy.url()));
  EXPECT_EQ(busy.requests().size(), 3U);
  EXPECT_EQ(send(busy, nobodys_url()).error().code, Code::unavailable);
}

TEST(Sender, does_not_wait_for_ever_for_an_answer) {
  TestCollector collector;
  collector.fall_silent();
  auto limits = kQuick;
  limits.attempt = 50ms;
  EXPECT_EQ(send(collector, collector.url(), limits).error().code, Code::deadline_exceeded);
  EXPECT_EQ(collector.requests().size(), 3U);
}

TEST(Sender, in_a_hurry_makes_no_further_pause) {
  TestCollector collector({{503, {}, ""}, {200, {}, "{}"}});
  const auto to = read_collector(collector.url(), "").value();
  SendLimits limits{.attempt = 20s, .retry = {.attempts = 9, .base = 1h, .factor = 1, .cap = 1h, .jitter = false}};
  auto sender = collector.network().call([&] { return std::make_unique<Sender>(collector.network().io, *collector.http, limits); });
  const auto sent =
      collector.network().run([](Sender& sender, const Collector& to, net::Io& io, TestCollector& came) -> net::Task<Result<std::int64_t>> {
        Result<std::int64_t> out = 0;
        auto sending = net::spawn(io, "sending", [](Sender& sender, const Collector& to, Result<std::int64_t>& out) -> net::Task<void> {
          out = co_await sender.send(to, "{}");
        }(sender, to, out));
        PUNA_CO_CHECK(co_await came.first());
        sender.hurry();
        co_await sending.join();
        co_return out;
      }(*sender, to, collector.network().io, collector));
  EXPECT_TRUE(sent);
  collector.network().call([&] { sender.reset(); });
}

}  // namespace
}  // namespace puna::telemetry
