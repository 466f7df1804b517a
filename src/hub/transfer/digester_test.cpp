#include "hub/transfer/digester.h"

#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Digester, computes_sha256) {
  Digester digester(Algorithm::sha256, Bytes(3));
  digester.update(bytes("abc"));
  const auto found = digester.found().value();
  EXPECT_EQ(found.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(found.wanted, found.sha256);
}

TEST(Digester, computes_what_git_names_a_file_by) {
  Digester digester(Algorithm::git_sha1, Bytes(6));
  digester.update(bytes("hel"));
  digester.update(bytes("lo\n"));
  EXPECT_EQ(digester.found().value().wanted, "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(Digester(Algorithm::git_sha1, Bytes(0)).found().value().wanted, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

TEST(Digester, a_copy_goes_on_by_itself) {
  Digester digester(Algorithm::git_sha1, Bytes(6));
  digester.update(bytes("hel"));
  Digester copy = digester;
  copy.update(bytes("p\n\n"));
  digester.update(bytes("lo\n"));
  EXPECT_EQ(digester.found().value().wanted, "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_NE(copy.found().value().sha256, digester.found().value().sha256);
}

}  // namespace
}  // namespace puna::hub::transfer
