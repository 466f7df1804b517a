#include "model/probes.h"

#include <fstream>

#include "model/library_test.h"

namespace puna::model {
namespace {

using test::Rig;
using testing::ElementsAre;
using wire::ProbeOutcome;

wire::ModelProbe all_well() {
  wire::ModelProbe out{.probed_at = "2026-01-01T00:00:00Z"};
  for (auto* finding : {&out.loads, &out.writes, &out.embeds, &out.chat, &out.system, &out.tools, &out.tool_calls, &out.thinking})
    finding->outcome = ProbeOutcome::passed;
  return out;
}

TEST(Probes, what_was_seen_goes_before_what_the_header_says) {
  EXPECT_THAT(put_right({"completion"}, all_well()), ElementsAre("completion", "chat", "tools", "thinking"));
  auto probe = all_well();
  probe.tool_calls.outcome = ProbeOutcome::failed;
  probe.thinking.outcome = ProbeOutcome::absent;
  EXPECT_THAT(put_right({"completion", "chat", "tools", "thinking", "vision"}, probe), ElementsAre("completion", "chat", "vision"));
}

TEST(Probes, what_nobody_tried_stays_as_the_header_says) {
  EXPECT_THAT(put_right({"completion", "chat", "tools"}, {}), ElementsAre("completion", "chat", "tools"));
}

TEST(Probes, a_model_that_cannot_write_is_one_that_embeds) {
  auto probe = all_well();
  probe.writes.outcome = ProbeOutcome::absent;
  EXPECT_THAT(put_right({"completion"}, probe), ElementsAre("embedding"));
}

TEST(Probes, belong_to_the_files_and_so_to_every_model_of_them_and_survive_a_restart) {
  Rig rig;
  rig.add("a", '1');
  ASSERT_TRUE(rig.library->note_probe("a", rig.library->print("a").value(), all_well()));
  ASSERT_TRUE(rig.library->copy("a", "b"));
  rig.reopen();
  for (const auto& model : rig.library->list().value()) EXPECT_EQ(model.probe->tools.outcome, ProbeOutcome::passed) << model.name;
}

TEST(Probes, are_told_as_an_event_and_in_the_list) {
  Rig rig;
  rig.add("a", '1');
  EXPECT_FALSE(rig.library->find("a")->probe);
  const auto before = rig.events.latest();
  ASSERT_TRUE(rig.library->note_probe("a", rig.library->print("a").value(), all_well()));
  EXPECT_EQ(rig.events.since(before).events.front()->type, "model.probed");
  EXPECT_THAT(rig.library->list()->front().details.capabilities, ElementsAre("completion", "chat", "tools", "thinking"));
}

TEST(Probes, of_a_file_that_has_changed_hold_no_longer) {
  Rig rig;
  rig.add("a", '1');
  const auto print = rig.library->print("a").value();
  ASSERT_TRUE(rig.library->note_probe("a", print, all_well()));
  const auto time = std::filesystem::last_write_time(rig.blob('1'));
  std::filesystem::last_write_time(rig.blob('1'), time + std::chrono::seconds(5));
  EXPECT_FALSE(rig.library->find("a")->probe);
  EXPECT_EQ(rig.library->note_probe("a", print, all_well()).error().code, Code::conflict);
}

}  // namespace
}  // namespace puna::model
