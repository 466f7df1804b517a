#include "fleet/warm_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "os/temporary_folder.h"

namespace puna::fleet {
namespace {

namespace fs = std::filesystem;

TEST(WarmFolder, is_one_for_each_file_whatever_leads_to_it) {
  const auto folder = os::TemporaryFolder::create().value();
  const fs::path blob = folder.path() / ("sha256-" + std::string(64, 'a'));
  std::ofstream(blob) << "x";
  std::ofstream(folder.path() / "b.gguf") << "x";
  fs::create_symlink(blob, folder.path() / "link.gguf");
  EXPECT_EQ(warm_folder("/w", folder.path() / "link.gguf").value(), warm_folder("/w", blob).value());
  EXPECT_EQ(warm_folder("/w", blob).value(), fs::path("/w") / blob.filename());
  EXPECT_NE(warm_folder("/w", folder.path() / "b.gguf").value(), warm_folder("/w", blob).value());
}

TEST(WarmFolder, goes_with_its_model_alone) {
  const auto root = os::TemporaryFolder::create().value();
  for (const auto* model : {"/m/a.gguf", "/m/b.gguf"}) {
    fs::create_directories(warm_folder(root.path(), model).value());
    std::ofstream(warm_folder(root.path(), model).value() / "1.kv") << "12345";
  }
  EXPECT_EQ(warm_bytes(root.path()), Bytes(10));
  EXPECT_TRUE(forget_conversations(root.path(), "/m/a.gguf"));
  EXPECT_TRUE(forget_conversations(root.path(), "/m/a.gguf"));
  EXPECT_EQ(warm_bytes(root.path()), Bytes(5));
}

}  // namespace
}  // namespace puna::fleet
