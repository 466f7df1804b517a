#include "client/address.h"

#include <gtest/gtest.h>

namespace puna::client {
namespace {

const os::Places kPlaces{.config_file = "/c/config.toml", .data = "/d", .state = "/s", .cache = "/x", .runtime = "/r"};

std::string address_for(std::string host) {
  const auto address = find_address({{"PUNA_HOST", std::move(host)}}, kPlaces);
  if (!address) return address.error().text();
  const auto& url = address->url;
  return url ? url->text() : address->socket.string();
}

TEST(Address, the_own_daemon_is_meant_unless_another_is_named) {
  EXPECT_EQ(find_address({}, kPlaces)->socket, "/r/puna.sock");
  EXPECT_EQ(address_for(""), "/r/puna.sock");
  EXPECT_EQ(address_for("  "), "/r/puna.sock");
}

TEST(Address, a_plain_loopback_address_is_the_setting_of_the_own_daemon) {
  EXPECT_EQ(address_for("127.0.0.1"), "/r/puna.sock");
  EXPECT_EQ(address_for("localhost"), "/r/puna.sock");
  EXPECT_EQ(address_for("localhost:9000"), "http://localhost:9000");
}

// ledger: T1
TEST(Address, another_daemon_is_named_by_url_or_by_host) {
  EXPECT_EQ(address_for("http://box:9000"), "http://box:9000");
  EXPECT_EQ(address_for("box"), "http://box:17862");
  EXPECT_EQ(address_for("https://Box.example/puna"), "https://Box.example/puna");
  EXPECT_EQ(address_for("http://box/"), "http://box:17862");
}

TEST(Address, nonsense_is_refused_with_the_name_of_the_variable) {
  EXPECT_TRUE(address_for("ftp://box").contains("PUNA_HOST")) << address_for("ftp://box");
  EXPECT_TRUE(address_for("http://").contains("PUNA_HOST")) << address_for("http://");
}

TEST(Address, credentials_are_not_shown) {
  const auto address = find_address({{"PUNA_HOST", "http://me:secret@box"}}, kPlaces);
  ASSERT_TRUE(address) << address.error().text();
  EXPECT_FALSE(address->text().contains("secret")) << address->text();
}

}  // namespace
}  // namespace puna::client
