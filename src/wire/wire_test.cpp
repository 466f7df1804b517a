#include <gtest/gtest.h>

#include "wire/error.h"
#include "wire/job.h"
#include "wire/model.h"
#include "wire/schema.h"
#include "wire/system.h"

namespace puna::wire {
namespace {

// ledger: F11
TEST(Wire, an_error_survives_the_way_through_the_api) {
  Error in(Code::overloaded, "the queue is full");
  in.retry_after = std::chrono::milliseconds(1500);
  const Error out = from_wire(429, json::to_text(json::encode(to_wire(in))));
  EXPECT_EQ(out.code, Code::overloaded);
  EXPECT_EQ(out.message, "the queue is full");
  EXPECT_EQ(out.retry_after, in.retry_after);
}

TEST(Wire, an_answer_that_is_no_error_body_is_quoted_with_its_status) {
  const Error out = from_wire(502, "<html>bad gateway\x1b[2J</html>");
  EXPECT_EQ(out.code, Code::upstream_failed);
  EXPECT_EQ(out.message, "HTTP status 502: <html>bad gateway\uFFFD[2J</html>");
}

TEST(Wire, a_job_reads_back_as_it_was_written) {
  Job job;
  job.id = "01";
  job.state = JobState::paused;
  job.progress = {5, 10, "bytes", "downloading", 2.5, std::nullopt};
  job.request = json::object{{"source", "x"}};
  const auto back = json::decode<Job>(json::encode(job));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(json::to_text(json::encode(*back)), json::to_text(json::encode(job)));
}

TEST(Schema, lists_required_members_and_refers_to_named_types) {
  SchemaSet set;
  EXPECT_EQ(json::to_text(set.of<JobList>()), R"({"$ref":"#/components/schemas/JobList"})");
  const auto& job = set.components().at("Job").as_object();
  EXPECT_EQ(job.at("properties").as_object().at("state").as_object().at("$ref").as_string(), "#/components/schemas/JobState");
  EXPECT_EQ(set.components().at("JobState").as_object().at("enum").as_array().size(), 7u);
  const auto& required = job.at("required").as_array();
  EXPECT_EQ(std::count(required.begin(), required.end(), json::value("failure")), 0);
  EXPECT_EQ(std::count(required.begin(), required.end(), json::value("id")), 1);
}

}  // namespace
}  // namespace puna::wire
