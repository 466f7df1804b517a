// What lines and servers do to a download: each case ends with the right file, and costs no more than what was lost.
#include "hub_testing.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using fakes::HubFault;
using fakes::Role;
using testing::HasSubstr;

struct Case {
  std::string name;
  std::vector<HubFault> faults;
  Costs costs = {};
  std::map<std::string, std::string> settings = {};
};

HubFault storage(HubFault fault) {
  fault.role = Role::storage;
  return fault;
}

class Survives : public HubTest, public testing::WithParamInterface<Case> {};

// ledger: D1 D3
TEST_P(Survives, the_file_arrives_all_the_same_after) {
  offer();
  for (const auto& fault : GetParam().faults) hub->fault(fault);
  start(GetParam().settings);
  const auto pulled = arrives(model, GetParam().costs);
  EXPECT_EQ(pulled.sha256, hub->content(std::string(kRepository), std::string(kModelFile))->sha256());
  EXPECT_GE(hits(), 1U) << "nothing went wrong: the case proves nothing";
}

std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << one.name;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Transport, Survives,
    testing::Values(
        Case{"a_body_that_is_cut_short", {storage({.times = 3, .cut_after = 30'000})}},
        Case{"a_reset_in_the_middle_of_a_piece", {storage({.skip = 1, .cut_after = 20'000, .reset = true})}, {.again = 10 * kPiece}},
        Case{"a_reset_instead_of_an_answer", {storage({.times = 2, .reset = true})}, {.resolves = 8}},
        Case{"a_chunked_answer_that_breaks_off", {storage({.skip = 1, .cut_after = 10'000, .chunked = true})}},
        Case{"an_end_of_the_connection_that_looks_like_the_end", {storage({.skip = 1, .cut_after = 10'000, .until_close = true})}},
        Case{"silence_after_some_bytes", {storage({.skip = 1, .stall_after = 10'000})}, {.again = 2 * kPiece}},
        Case{"silence_instead_of_an_answer", {storage({.hold = true})}, {.resolves = 3}, {{"network.first_byte_deadline", "300ms"}}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Answers, Survives,
    testing::Values(
        Case{"the_whole_file_instead_of_a_range", {storage({.skip = 1, .ignore_range = true})}, {.again = 3'000'000}},
        Case{"the_whole_file_every_time", {storage({.times = 0, .ignore_range = true})}, {.again = 40'000'000, .resolves = 4}},
        Case{"a_range_that_begins_later_than_asked", {storage({.skip = 1, .shift_range = 100})}, {.again = 8 * kPiece}},
        Case{"a_header_that_claims_another_range", {storage({.skip = 1, .claim_shift = 4096})}, {.again = 8 * kPiece}},
        Case{"a_range_that_ends_early", {storage({.times = 5, .shorten_range = 10'000})}},
        Case{"a_range_with_status_200", {storage({.times = 0, .slice_as_200 = true})}},
        Case{"a_range_without_content_range", {storage({.skip = 1, .no_content_range = true})}, {.again = 8 * kPiece}},
        Case{"another_total_in_one_answer", {storage({.skip = 1, .claim_total = 77})}, {.again = 8 * kPiece}},
        Case{"an_encoding_that_was_not_asked_for", {storage({.skip = 1, .gzip = true})}, {.again = 8 * kPiece}},
        Case{"an_answer_in_several_parts", {storage({.skip = 1, .multipart = true})}, {.again = 8 * kPiece}},
        Case{"a_range_that_cannot_be_had_for_once", {storage({.skip = 1, .unsatisfied = "bytes */2000000"})}},
        Case{"a_missing_etag", {storage({.times = 0, .headers = {{{"ETag", ""}}}})}},
        Case{"a_weak_etag", {storage({.times = 0, .headers = {{{"ETag", "W/\"x\""}}}})}},
        Case{"another_etag_in_every_answer", {storage({.headers = {{{"ETag", "\"a\""}}}}), storage({.headers = {{{"ETag", "\"b\""}}}})}},
        Case{"no_content", {storage({.skip = 1, .status = 204, .body = ""})}},
        Case{"a_header_of_20_kilobytes", {storage({.times = 0, .large_header = 20'000})}},
        Case{"two_lengths_that_differ", {storage({.skip = 1, .extra_headers = {{"Content-Length: 5"}}})}, {.again = 8 * kPiece}},
        Case{"chunked_answers", {storage({.times = 0, .chunked = true})}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Load, Survives,
    testing::Values(Case{"a_burst_of_500", {storage({.times = 3, .status = 500})}, {.resolves = 6}},
                    Case{"a_burst_of_502", {storage({.times = 3, .status = 502})}, {.resolves = 6}},
                    Case{"a_burst_of_503", {storage({.times = 3, .status = 503})}, {.resolves = 6}},
                    Case{"a_burst_of_504", {storage({.times = 3, .status = 504})}, {.resolves = 6}},
                    Case{"a_limit_that_says_when_it_ends",
                         {{.role = Role::hub, .path = "*/resolve/*", .status = 429, .headers = {{{"RateLimit", "\"resolvers\";r=0;t=1"}}}}},
                         {.resolves = 3}},
                    Case{"a_limit_with_a_number_of_seconds",
                         {{.role = Role::hub, .path = "*/resolve/*", .status = 429, .headers = {{{"Retry-After", "1"}}}}},
                         {.resolves = 3}},
                    Case{"a_limit_with_a_date",
                         {{.role = Role::hub, .path = "*/resolve/*", .status = 429, .headers = {{{"Retry-After", "{date+2}"}}}}},
                         {.resolves = 3}},
                    Case{"a_limit_without_a_word", {{.role = Role::hub, .path = "*/resolve/*", .status = 429}}, {.resolves = 3}},
                    Case{"a_limit_of_the_api", {{.role = Role::hub, .path = "/api/*", .status = 429, .headers = {{{"Retry-After", "1"}}}}}},
                    Case{"a_fault_of_the_api", {{.role = Role::hub, .path = "/api/*", .times = 2, .status = 503}}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Redirects, Survives,
    testing::Values(Case{"a_redirect_by_301", {{.path = "*/resolve/*", .times = 0, .status = 301}}},
                    Case{"a_redirect_by_303", {{.path = "*/resolve/*", .times = 0, .status = 303}}},
                    Case{"a_redirect_by_307", {{.path = "*/resolve/*", .times = 0, .status = 307}}},
                    Case{"a_redirect_by_308", {{.path = "*/resolve/*", .times = 0, .status = 308}}},
                    Case{"a_link_that_ends_half_way", {{.path = "*/resolve/*", .expire_after = 1'000'000}}, {.again = 10 * kPiece}},
                    Case{"a_renewal_that_is_held_up",
                         {{.path = "*/resolve/*", .expire_after = 1'000'000},
                          {.path = "*/resolve/*", .status = 429, .headers = {{{"Retry-After", "1"}}}}},
                         {.again = 10 * kPiece, .resolves = 3}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Content, Survives,
    testing::Values(
        Case{"one_flipped_bit", {storage({.covers = 1'234'567, .flip_at = 1'234'567})}, {.again = 2'000'000 + 2 * kPiece}},
        Case{"a_flipped_bit_in_the_last_byte", {storage({.covers = 1'999'999, .flip_at = 1'999'999})}, {.again = 2'000'000 + 2 * kPiece}},
        Case{"a_pointer_in_the_middle", {storage({.skip = 2, .pointer = true})}, {.again = 8 * kPiece}}),
    name_of);

using Transport = HubTest;

TEST_F(Transport, one_slow_connection_does_not_hold_up_the_rest) {
  offer(model_file(4'000'000));
  hub->pace(Role::storage, {.rate = 1'000'000});
  hub->fault({.role = Role::storage, .skip = 2, .rate = 1});
  start({{"transfer.slow", "300ms"}});
  arrives(model, {.again = 16 * kPiece});
  EXPECT_EQ(hits(), 1U);
}

TEST_F(Transport, storage_that_comes_back_is_used_again) {
  offer();
  start({{"network.retry_attempts", "100"}, {"network.retry_cap", "200ms"}});
  hub->shut(Role::storage);
  const auto job = rig->submit({.source = model});
  rig->await([](const wire::Job& now) { return now.progress.note.has_value(); });
  ASSERT_TRUE(hub->reopen(Role::storage));
  EXPECT_EQ(rig->ended(job).state, wire::JobState::completed);
  expect_costs({.resolves = 10});
}

TEST_F(Transport, all_connections_may_die_at_once) {
  offer();
  const auto job = half_way(model);
  hub->clear_faults();
  hub->break_connections(Role::storage);
  EXPECT_EQ(rig->ended(job).state, wire::JobState::completed);
  expect_costs({.again = 16 * kPiece});
}

TEST_F(Transport, a_hub_that_is_gone_is_said) {
  offer();
  hub->shut(Role::hub);
  const auto failure = refused(model);
  EXPECT_EQ(failure.code, "unavailable");
  EXPECT_THAT(failure.message, HasSubstr("127.0.0.1"));
}

TEST_F(Transport, a_server_that_fails_for_good_is_given_up) {
  offer();
  hub->fault({.role = Role::storage, .times = 0, .status = 503});
  EXPECT_FALSE(refused(model).message.empty());
  EXPECT_THAT(rig->blobs(), testing::IsEmpty());
  EXPECT_LE(hits(), 200U);
}

TEST_F(Transport, a_login_page_instead_of_the_file_is_refused_and_named) {
  offer();
  hub->fault({.role = Role::storage, .times = 0, .login_page = true});
  EXPECT_THAT(refused(model).message, HasSubstr("web page"));
}

TEST_F(Transport, a_login_page_in_the_middle_ends_the_job_and_costs_nothing_that_is_here) {
  offer();
  hub->fault({.role = Role::storage, .skip = 8, .login_page = true});
  EXPECT_THAT(refused(model).message, HasSubstr("web page"));
  arrives(model, {.again = 20 * kPiece});
}

TEST_F(Transport, a_link_that_never_works_is_a_refusal_and_no_loop) {
  offer();
  hub->fault({.path = "*/resolve/*", .times = 0, .expire_after_ms = 0});
  EXPECT_EQ(refused(model).code, "permission_denied");
  EXPECT_LE(asked(Role::hub, "/resolve/"), 4U);
}

TEST_F(Transport, a_loop_of_redirects_is_refused) {
  offer();
  hub->fault({.path = "*/resolve/*", .times = 0, .location = hub->origin() + "/" + std::string(kRepository) + "/resolve/main/loop"});
  EXPECT_THAT(refused(model).message, HasSubstr("redirect"));
  EXPECT_LE(hits(), 50U);
}

TEST_F(Transport, a_file_of_zero_bytes_is_no_model_and_of_one_byte_neither) {
  for (const auto size : {0, 1}) {
    offer(fakes::Content::generated(static_cast<std::uint64_t>(size), 1));
    EXPECT_NE(refused(model).code, "");
  }
  EXPECT_THAT(rig->blobs(), testing::IsEmpty());
}

// A server that serves nothing above 50 GB as a whole is no special case.
TEST_F(Transport, a_file_is_asked_for_in_ranges_only) {
  offer();
  arrives(model);
  EXPECT_EQ(hub->count([](const auto& one) { return one.role == Role::storage && one.range.empty(); }), 0U);
}

TEST_F(Transport, sizes_around_a_piece_are_no_special_case) {
  for (const auto size : {16 * kPiece - 1, 16 * kPiece, 16 * kPiece + 1}) {
    offer(model_file(size, size));
    hub->forget_requests();
    EXPECT_EQ(arrives(model).sha256, hub->content(std::string(kRepository), std::string(kModelFile))->sha256());
  }
}

}  // namespace
}  // namespace puna::hub
