#include "daemon/exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

// ledger: M6
TEST(Exposure, to_other_machines_needs_a_key_and_tls) {
  for (const auto* host : {"0.0.0.0", "::", "192.168.1.5", "fe80::1"}) {
    EXPECT_FALSE(judge({.host = host})) << host;
    EXPECT_FALSE(judge({.host = host, .tls = true})) << host;
    EXPECT_FALSE(judge({.host = host, .key = true})) << host;
    EXPECT_TRUE(judge({.host = host, .tls = true, .key = true})) << host;
  }
}

TEST(Exposure, of_loopback_is_free) {
  for (const auto* host : {"127.0.0.1", "127.8.9.10", "::1", "localhost"}) {
    EXPECT_TRUE(judge({.host = host})) << host;
    EXPECT_FALSE(warning_of({.host = host})) << host;
  }
}

TEST(Exposure, is_refused_with_what_lacks) {
  const auto refused = judge({.host = "0.0.0.0", .key = true});
  EXPECT_THAT(refused.error().message, HasSubstr("server.tls_cert"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("puna key create")));
  EXPECT_EQ(refused.error().code, Code::permission_denied);
}

TEST(Exposure, that_is_insecure_is_allowed_and_warned_of) {
  EXPECT_TRUE(judge({.host = "0.0.0.0", .insecure = true}));
  EXPECT_THAT(warning_of({.host = "0.0.0.0", .insecure = true}).value_or(""), HasSubstr("need no API key"));
  EXPECT_THAT(warning_of({.host = "0.0.0.0", .key = true, .insecure = true}).value_or(""), HasSubstr("unencrypted"));
  EXPECT_FALSE(warning_of({.host = "0.0.0.0", .tls = true, .key = true, .insecure = true}));
}

TEST(Exposure, warns_of_a_certificate_that_ends_soon) {
  const auto now = WallTime(std::chrono::hours(1000));
  EXPECT_FALSE(expiry_warning(now + std::chrono::days(31), now));
  EXPECT_THAT(expiry_warning(now + std::chrono::days(29), now).value_or(""), HasSubstr("expires at"));
  EXPECT_THAT(expiry_warning(now, now).value_or(""), HasSubstr("expired at"));
}

TEST(Exposure, warns_of_a_certificate_for_other_names) {
  const std::vector<std::string> network = {"box", "192.168.1.5", "localhost", "127.0.0.1"};
  const auto is_for = [](std::string_view name) { return [name](const std::string& host) { return host == name; }; };
  const auto outside = reached_as("0.0.0.0", network, {"models.example.org"});
  for (const auto* good : {"box", "192.168.1.5", "models.example.org"}) EXPECT_FALSE(name_warning(outside, is_for(good))) << good;
  EXPECT_THAT(name_warning(outside, is_for("localhost")).value_or(""), HasSubstr("box, 192.168.1.5"));
  EXPECT_FALSE(name_warning(reached_as("127.0.0.1", network, {}), is_for("localhost")));
}

}  // namespace
}  // namespace puna::daemon
