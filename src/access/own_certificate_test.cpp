#include "access/own_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "net/tls.h"
#include "os/temporary_folder.h"

namespace puna::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Scene {
  os::TemporaryFolder home = os::TemporaryFolder::create().value();
  std::filesystem::path folder = home.path() / "tls";
  OwnCertificate own{folder};
  WallTime now = std::chrono::system_clock::now();

  Result<wire::Certificate> make(const wire::CertificateRequest& request = {}) { return own.make(request, {"box", "10.0.0.5"}, now); }
};

// ledger: M6
TEST(OwnCertificate, is_made_once_for_this_machine_and_then_shown) {
  Scene scene;
  EXPECT_FALSE(scene.own.show().value());
  const auto made = scene.make();
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_THAT(made->names, ElementsAre("box", "10.0.0.5"));
  EXPECT_TRUE(made->made && made->new_authority);
  const auto again = scene.make().value();
  EXPECT_FALSE(again.made);
  EXPECT_EQ(again.fingerprint, made->fingerprint);
  EXPECT_TRUE(net::TlsIdentity::load({made->file, made->file}));
}

TEST(OwnCertificate, keeps_its_files_from_others) {
  Scene scene;
  ASSERT_TRUE(scene.make());
  const auto mode = [](const std::filesystem::path& path) {
    struct stat status{};
    ::stat(path.c_str(), &status);
    return status.st_mode & 0777U;
  };
  EXPECT_EQ(mode(scene.folder), 0700U);
  for (const auto* name : {"server.pem", "authority.pem", "authority-key.pem"}) EXPECT_EQ(mode(scene.folder / name), 0600U) << name;
  std::ifstream file(scene.folder / "authority.pem");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}), testing::Not(HasSubstr("PRIVATE")));
}

TEST(OwnCertificate, is_put_in_the_place_of_another_only_when_that_is_said) {
  Scene scene;
  const auto first = scene.make().value();
  EXPECT_EQ(scene.make({.names = {{"other"}}}).error().code, Code::already_exists);
  EXPECT_EQ(scene.make({.days = 30}).error().code, Code::already_exists);
  const auto renewed = scene.make({.renew = true}).value();
  EXPECT_NE(renewed.fingerprint, first.fingerprint);
  EXPECT_EQ(renewed.authority_fingerprint, first.authority_fingerprint) << "clients trust it already";
  EXPECT_FALSE(renewed.new_authority);
}

TEST(OwnCertificate, has_another_authority_for_names_that_the_first_may_not_vouch_for) {
  Scene scene;
  const auto first = scene.make().value();
  const auto moved = scene.make({.names = {{"elsewhere", "192.168.7.7"}}, .renew = true}).value();
  EXPECT_TRUE(moved.new_authority);
  EXPECT_NE(moved.authority_fingerprint, first.authority_fingerprint);
  EXPECT_FALSE(scene.make({.names = {{"elsewhere", "192.168.7.8"}}, .renew = true})->new_authority) << "a new address of the same network";
}

TEST(OwnCertificate, is_made_anew_where_the_authoritys_file_is_broken) {
  Scene scene;
  ASSERT_TRUE(scene.make());
  std::ofstream(scene.folder / "authority-key.pem") << "not a key";
  const auto renewed = scene.make({.renew = true});
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_TRUE(renewed->new_authority);
}

TEST(OwnCertificate, refuses_what_no_certificate_can_have) {
  Scene scene;
  EXPECT_THAT(scene.make({.names = {{"two words"}}}).error().text(), HasSubstr("'two words' is neither a host name nor an address"));
  EXPECT_THAT(scene.make({.names = std::vector<std::string>{}}).error().text(), HasSubstr("at least one"));
  EXPECT_THAT(scene.make({.days = 826}).error().text(), HasSubstr("not within 1 and 825"));
  EXPECT_FALSE(std::filesystem::exists(scene.own.file()));
}

}  // namespace
}  // namespace puna::access
