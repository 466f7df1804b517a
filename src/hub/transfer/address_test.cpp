#include "hub/transfer/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

using testing::ElementsAre;

net::Url url(std::string_view text) {
  return net::Url::parse(text).value();
}

std::string url_in(std::chrono::seconds from_now) {
  const auto at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + from_now);
  return "https://storage.example/x?Expires=" + std::to_string(at) + "&Signature=s";
}

TEST(EndOfSignature, is_read_in_every_form) {
  const auto seconds = [](std::string_view text) { return unix_seconds(end_of_signature(url(text)).value()); };
  EXPECT_EQ(seconds("https://a/x?Expires=1800000000&Signature=y"), 1'800'000'000);
  EXPECT_EQ(seconds("https://a/x?X-Amz-Date=20260131T120000Z&X-Amz-Expires=3600"), 1'769'864'400);
  EXPECT_EQ(seconds("https://a/x?se=2026-01-31T12:00:00Z&sig=y"), 1'769'860'800);
  EXPECT_FALSE(end_of_signature(url("https://a/x?Expires=never")));
  EXPECT_FALSE(end_of_signature(url("https://a/x")));
}

// Locates "https://hub.example/N", N being how often it was asked.
class AddressTest : public testing::Test {
 protected:
  Address::Target next() { return net::run_blocking(io, address.next()).value(); }

  net::Io io{1};
  std::vector<Why> asked;
  Address address{io, [this](Why why) -> net::Task<Result<Location>> {
                    asked.push_back(why);
                    co_return Location{.url = url("https://hub.example/" + std::to_string(asked.size())),
                                       .headers = {{"Authorization", "x"}}};
                  }};
};

TEST_F(AddressTest, is_located_once) {
  EXPECT_FALSE(address.settled());
  EXPECT_EQ(next().url.text(), "https://hub.example/1");
  address.answered(next(), url("https://hub.example/1"));
  EXPECT_TRUE(address.settled());
  const auto target = next();
  EXPECT_EQ(target.headers.get("Authorization"), "x");
  EXPECT_THAT(asked, ElementsAre(Why::first));
}

TEST_F(AddressTest, goes_where_the_redirect_led_without_credentials) {
  address.answered(next(), url("https://storage.example/x"));
  EXPECT_EQ(next().url.text(), "https://storage.example/x");
  EXPECT_TRUE(next().headers.empty());
  EXPECT_EQ(address.host(), "storage.example");
}

TEST_F(AddressTest, a_refusal_asks_for_the_redirect_anew_and_then_for_the_location) {
  address.answered(next(), url("https://storage.example/x"));
  EXPECT_TRUE(address.refused(next()));
  EXPECT_EQ(next().url.text(), "https://hub.example/1");
  EXPECT_TRUE(address.refused(next()));
  EXPECT_EQ(next().url.text(), "https://hub.example/2");
  EXPECT_THAT(asked, ElementsAre(Why::first, Why::expired));
}

TEST_F(AddressTest, a_refusal_of_an_older_target_changes_nothing) {
  const auto old = next();
  address.answered(old, url("https://storage.example/x"));
  EXPECT_TRUE(address.refused(next()));
  const auto now = next();
  EXPECT_TRUE(address.refused(old));
  EXPECT_EQ(next().generation, now.generation);
}

TEST_F(AddressTest, what_never_worked_is_not_renewed) {
  EXPECT_FALSE(address.refused(next()));
}

TEST_F(AddressTest, is_renewed_before_its_signature_ends) {
  address.answered(next(), url(url_in(std::chrono::seconds(31))));
  EXPECT_TRUE(address.settled());
  EXPECT_EQ(next().url.host, "storage.example");
  const auto soon = url_in(std::chrono::seconds(5));
  EXPECT_TRUE(address.refused(next()));
  address.answered(next(), url(soon));
  EXPECT_TRUE(address.settled()) << "a clock that is wrong must not end every URL at once";
}

}  // namespace
}  // namespace puna::hub::transfer
