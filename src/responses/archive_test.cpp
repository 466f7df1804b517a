#include "responses/archive.h"

#include <gtest/gtest.h>

#include "net/loopback_testing.h"

namespace puna::responses {
namespace {

using namespace std::chrono_literals;

class KeptResponses : public testing::Test {
 protected:
  ~KeptResponses() override { EXPECT_TRUE(network_.run(archive_->flush(10s))); }

  void keep(std::string id, std::optional<std::string> previous = {}, std::string owner = "") {
    const auto now = start_ + std::chrono::seconds(++kept_);
    network_.call([&] {
      archive_->keep({.id = id,
                      .owner = owner,
                      .previous_id = previous,
                      .response = {{"id", id}},
                      .input = json::array{id},
                      .created_at = now,
                      .used_at = now});
      return 0;
    });
  }
  Result<Kept> find(std::string id, std::string owner = "") { return network_.run(archive_->find(std::move(owner), std::move(id))); }
  void flush() { ASSERT_TRUE(network_.run(archive_->flush(10s))); }
  std::string conversation(std::string id) {
    const auto all = network_.run(archive_->conversation("", std::move(id)));
    if (!all) return all.error().message;
    std::string out;
    for (const auto& kept : *all) out += kept.id;
    return out;
  }

  Bounds bounds_{.size = kib(64), .time = kForever};
  WallTime start_ = std::chrono::system_clock::now() - 1h;
  int kept_ = 0;
  store::Database database_ = store::Database::open(":memory:").value();
  net::loopback::NetworkThread network_;
  std::unique_ptr<Archive> archive_ = std::make_unique<Archive>(network_.io, database_, [this] { return bounds_; });
};

TEST_F(KeptResponses, are_found_at_once_and_after_they_were_written) {
  keep("a");
  EXPECT_EQ(find("a")->response, json::value({{"id", "a"}}));
  flush();
  EXPECT_EQ(find("a")->input, json::value(json::array{"a"}));
  EXPECT_EQ(find("b").error().code, Code::not_found);
}

TEST_F(KeptResponses, are_seen_by_their_owner_only) {
  keep("a", {}, "key-1");
  EXPECT_EQ(find("a").error().code, Code::not_found);
  flush();
  EXPECT_EQ(find("a").error().code, Code::not_found);
  EXPECT_TRUE(find("a", "key-1"));
  EXPECT_EQ(network_.run(archive_->remove("", "a")).error().code, Code::not_found);
  EXPECT_TRUE(network_.run(archive_->remove("key-1", "a")));
  EXPECT_EQ(find("a", "key-1").error().code, Code::not_found);
}

TEST_F(KeptResponses, make_a_conversation_with_those_before_them) {
  keep("a");
  keep("b", "a");
  keep("c", "b");
  EXPECT_EQ(conversation("c"), "abc");
  flush();
  ASSERT_TRUE(network_.run(archive_->remove("", "a")));
  EXPECT_NE(conversation("c").find("response a is not kept here"), std::string::npos);
}

TEST_F(KeptResponses, that_were_used_least_recently_go_when_there_is_no_room) {
  bounds_.size = Bytes(40);  // each has 15 bytes
  keep("a");
  flush();
  keep("b");
  flush();
  EXPECT_EQ(conversation("a"), "a");
  keep("c");
  flush();
  EXPECT_TRUE(find("a"));
  EXPECT_FALSE(find("b"));
  EXPECT_TRUE(find("c"));
}

TEST_F(KeptResponses, that_nobody_used_for_long_go) {
  bounds_.time = 30s;
  keep("a");
  flush();
  start_ += 2h;
  keep("b");
  flush();
  EXPECT_FALSE(find("a"));
  EXPECT_TRUE(find("b"));
}

}  // namespace
}  // namespace puna::responses
