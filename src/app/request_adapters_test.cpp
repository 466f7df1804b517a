#include "app/request_adapters.h"

#include <gtest/gtest.h>

namespace puna::app {
namespace {

TEST(RequestAdapters, follow_the_models_name_after_a_plus) {
  EXPECT_EQ(split_model_name("smollm2:135m").base, "smollm2:135m");
  EXPECT_TRUE(split_model_name("smollm2:135m").adapters.empty());
  const auto named = split_model_name("smollm2:135m+pirate+terse:2");
  EXPECT_EQ(named.base, "smollm2:135m");
  ASSERT_EQ(named.adapters.size(), 2u);
  EXPECT_EQ(named.adapters[0].name, "pirate");
  EXPECT_EQ(named.adapters[1].name, "terse:2");
}

TEST(RequestAdapters, stay_beside_their_base_without_weight) {
  LoadedAdapters loaded;
  const fleet::Launch base{.name = "m", .adapters = {{"/own.gguf", 0.5}}};
  const std::vector<fleet::Adapter> named{{"/a.gguf", 1}, {"/own.gguf", 1}};
  loaded.note("m", named);
  loaded.note("m", named);
  const auto launch = loaded.with(base);
  ASSERT_EQ(launch.adapters.size(), 2u);
  EXPECT_EQ(launch.adapters[0], (fleet::Adapter{"/own.gguf", 0.5}));
  EXPECT_EQ(launch.adapters[1], (fleet::Adapter{"/a.gguf", 0}));
  EXPECT_TRUE(loaded.with({.name = "other"}).adapters.empty());
}

TEST(RequestAdapters, are_told_to_the_engine_by_their_places) {
  const std::vector<fleet::Adapter> loaded{{"/own.gguf", 1}, {"/a.gguf", 0}, {"/b.gguf", 0}};
  const std::vector<fleet::Adapter> named{{"/b.gguf", 0.5}};
  EXPECT_EQ(lora_member(loaded, named), R"("lora":[{"id":0,"scale":0},{"id":1,"scale":0},{"id":2,"scale":0.5}])");
}

// A worker that has more than is asked for serves; one that has less, or another weight, does not.
TEST(RequestAdapters, need_no_new_worker_while_it_has_them) {
  const fleet::Launch with_a{.name = "m", .adapters = {{"/a.gguf", 0}}};
  const fleet::Launch with_both{.name = "m", .adapters = {{"/b.gguf", 0}, {"/a.gguf", 0}}};
  const fleet::Launch heavy{.name = "m", .adapters = {{"/a.gguf", 1}}};
  EXPECT_TRUE(with_both.same_process(with_a));
  EXPECT_FALSE(with_a.same_process(with_both));
  EXPECT_FALSE(heavy.same_process(fleet::Launch{.name = "m"}));
  EXPECT_FALSE(with_a.same_process(heavy));
}

}  // namespace
}  // namespace puna::app
