#include "net/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "net/loopback_testing.h"
#include "net/tls.h"

namespace puna::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::days kYear{365}, kTenYears{3650};
const WallTime kNow = std::chrono::system_clock::now();

CertifiedKey authority_for(const std::vector<std::string>& names) {
  return make_authority(names, kTenYears, kNow).value();
}

TEST(CertificateNames, are_host_names_and_addresses_in_their_usual_form) {
  EXPECT_EQ(certificate_name("Box.Local").value(), "box.local");
  EXPECT_EQ(certificate_name("fe80:0:0::0001").value(), "fe80::1");
  EXPECT_EQ(certificate_name(" 192.168.1.5 ").value(), "192.168.1.5");
  for (const auto* wrong : {"", "two words", "*.box", "http://box", "box:17862", "-box", "1.2.3", "a..b", "box,DNS:evil"})
    EXPECT_FALSE(certificate_name(wrong)) << wrong;
}

TEST(OwnCertificate, names_hosts_and_addresses_and_its_end) {
  const std::vector<std::string> names = {"box", "192.168.1.5", "box.local", "fd00::5"};
  const auto made = issue_certificate(authority_for(names), names, kYear, kNow);
  ASSERT_TRUE(made) << made.error().text();
  const auto facts = read_certificate(made->certificate).value();
  EXPECT_THAT(facts.names, ElementsAre("box", "box.local", "192.168.1.5", "fd00::5"));
  EXPECT_LT(std::chrono::abs(facts.expires - (kNow + kYear)), 2s);
  EXPECT_EQ(facts.fingerprint.size(), 95U) << facts.fingerprint;
}

TEST(OwnCertificate, is_not_for_names_beyond_its_authority) {
  const auto authority = authority_for({"box"});
  for (const auto* name : {"example.com", "8.8.8.8", "2001:db8::1", "mailbox"}) {
    const auto refused = issue_certificate(authority, {"box", name}, kYear, kNow);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, Code::conflict) << refused.error().text();
  }
  EXPECT_TRUE(issue_certificate(authority, {"box", "10.9.8.7"}, kYear, kNow)) << "what a router hands out changes";
  EXPECT_FALSE(issue_certificate(authority_for({"203.0.113.7"}), {"example.com"}, kYear, kNow)) << "no host name was permitted";
}

TEST(OwnCertificate, does_not_outlive_its_authority) {
  const auto refused = issue_certificate(authority_for({"box"}), {"box"}, kTenYears + std::chrono::days(1), kNow);
  EXPECT_THAT(refused.error().text(), HasSubstr("the authority ends before"));
}

TEST(OwnCertificate, needs_the_authoritys_own_key) {
  auto mixed = authority_for({"box"});
  mixed.key = authority_for({"box"}).key;
  EXPECT_EQ(issue_certificate(mixed, {"box"}, kYear, kNow).error().code, Code::corrupt_data);
  EXPECT_EQ(read_certificate("-----BEGIN nothing").error().code, Code::corrupt_data);
}

// ledger: M6
TEST(OwnCertificate, is_trusted_by_a_client_that_has_the_authority_and_by_no_other) {
  const loopback::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "");
  const std::vector<std::string> names = {"localhost", "127.0.0.1"};
  const auto authority = authority_for(names);
  const auto made = issue_certificate(authority, names, kYear, kNow).value();
  std::ofstream(folder / "server.pem") << made.key.reveal() << made.certificate;
  std::ofstream(folder / "authority.pem") << authority.certificate;
  std::filesystem::permissions(folder / "server.pem", std::filesystem::perms::owner_read);
  loopback::TestServer server(loopback::answer_with("hello"));
  auto identity = TlsIdentity::load({folder / "server.pem", folder / "server.pem"}).value();
  const auto endpoint = server.network.call([&] {
    server.server->use_tls(std::move(identity));
    return server.server->listen_tcp("127.0.0.1", 0, Security::tls).value();
  });
  HttpRequest request;
  request.url = *Url::parse(fmt::format("https://127.0.0.1:{}/", endpoint.port));
  EXPECT_EQ(loopback::TestClient({.ca_file = folder / "authority.pem"}).fetch(request).value().body, "hello");
  EXPECT_FALSE(loopback::TestClient().fetch(request));
}

}  // namespace
}  // namespace puna::net
