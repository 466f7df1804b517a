// A small load generator: keep-alive connections that repeat one POST, and what each answer took.
//
//   load TARGET PATH BODY_FILE CONNECTIONS REQUESTS
//     TARGET   tcp:HOST:PORT or unix:PATH
//   prints one JSON object: requests, failures, seconds, per_second, latency_ms {p50,p95,p99}, first_byte_ms {p50,p95}, events
//
// Sockets are driven directly, without Puna's own HTTP client, so that both sides of a comparison are asked by the same stranger.
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Socket = asio::generic::stream_protocol::socket;

namespace {

struct Plan {
  asio::generic::stream_protocol::endpoint endpoint;
  std::string request;
  int left = 0;  // requests still to send, shared by the connections
};

struct Sample {
  double first_byte_ms = 0, total_ms = 0;
  int events = 0;
  bool ok = false;
};

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// How many bytes the answer takes, or 0 while it is incomplete.
std::size_t answer_size(const std::string& bytes) {
  const auto head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  const std::string_view fields(bytes.data(), head + 2);
  const auto length = fields.find("Content-Length: ");
  if (length != std::string_view::npos) {
    const std::size_t whole = head + 4 + std::stoul(std::string(fields.substr(length + 16, 20)));
    return bytes.size() >= whole ? whole : 0;
  }
  return std::string_view(bytes).substr(head + 2).ends_with("\r\n0\r\n\r\n") ? bytes.size() : 0;  // the last chunk
}

int count(const std::string& text, std::string_view what) {
  int found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++found;
  return found;
}

// One request and its answer; false when the server had closed the idle connection, as it may.
asio::awaitable<bool> ask(Socket& socket, const Plan& plan, Sample& sample) {
  const auto start = Clock::now();
  std::string answer;
  const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(plan.request), asio::as_tuple(asio::use_awaitable));
  if (unsent) co_return false;
  while (answer_size(answer) == 0) {
    char block[16384];
    const auto [error, got] = co_await socket.async_read_some(asio::buffer(block), asio::as_tuple(asio::use_awaitable));
    if (error && answer.empty()) co_return false;
    if (error) throw boost::system::system_error(error);
    answer.append(block, got);
    // The first byte of the body is what a person waits for; headers alone do not count.
    const auto head = answer.find("\r\n\r\n");
    if (sample.first_byte_ms == 0 && head != std::string::npos && answer.size() > head + 4) sample.first_byte_ms = since(start);
  }
  sample.total_ms = since(start);
  sample.ok = answer.starts_with("HTTP/1.1 200");
  sample.events = std::max(0, count(answer, "data: ") - count(answer, "data: [DONE]"));
  co_return true;
}

asio::awaitable<void> converse(Plan& plan, std::vector<Sample>& samples) {
  Socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(plan.endpoint, asio::use_awaitable);
  while (plan.left-- > 0) {
    Sample sample;
    if (!co_await ask(socket, plan, sample)) {
      const auto start = Clock::now();
      socket = Socket(co_await asio::this_coro::executor);
      co_await socket.async_connect(plan.endpoint, asio::use_awaitable);
      const double reconnecting = since(start);  // a client of this server pays for it each time
      sample = {};
      if (!co_await ask(socket, plan, sample)) continue;  // counted as a missing answer
      sample.first_byte_ms += reconnecting;
      sample.total_ms += reconnecting;
    }
    samples.push_back(sample);
  }
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

boost::json::object summary(const std::vector<Sample>& samples, double seconds) {
  std::vector<double> totals, first_bytes;
  std::int64_t events = 0, failures = 0;
  for (const auto& sample : samples) {
    totals.push_back(sample.total_ms);
    first_bytes.push_back(sample.first_byte_ms);
    events += sample.events;
    failures += sample.ok ? 0 : 1;
  }
  return {{"requests", samples.size()},
          {"failures", failures},
          {"seconds", seconds},
          {"per_second", static_cast<double>(samples.size()) / seconds},
          {"events", events},
          {"events_per_second", static_cast<double>(events) / seconds},
          {"latency_ms",
           boost::json::object{{"p50", percentile(totals, 0.5)}, {"p95", percentile(totals, 0.95)}, {"p99", percentile(totals, 0.99)}}},
          {"first_byte_ms", boost::json::object{{"p50", percentile(first_bytes, 0.5)}, {"p95", percentile(first_bytes, 0.95)}}}};
}

asio::generic::stream_protocol::endpoint parse_target(const std::string& target) {
  if (target.starts_with("unix:")) return asio::local::stream_protocol::endpoint(target.substr(5));
  const auto colon = target.rfind(':');
  return asio::ip::tcp::endpoint(asio::ip::make_address(target.substr(4, colon - 4)),
                                 static_cast<std::uint16_t>(std::stoi(target.substr(colon + 1))));
}

int run(const std::vector<std::string>& words) {
  if (words.size() != 5) {
    std::fprintf(stderr, "usage: load TARGET PATH BODY_FILE CONNECTIONS REQUESTS\n");
    return 2;
  }
  std::ifstream file(words[2], std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  Plan plan{parse_target(words[0]), "", std::stoi(words[4])};
  plan.request = "POST " + words[1] +
                 " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body;
  asio::io_context context(1);
  std::vector<Sample> samples;
  samples.reserve(static_cast<std::size_t>(plan.left));
  std::exception_ptr failure;
  for (int i = 0; i < std::stoi(words[3]); ++i)
    asio::co_spawn(context, converse(plan, samples), [&failure](const std::exception_ptr& thrown) {
      if (thrown) failure = thrown;
    });
  const auto start = Clock::now();
  context.run();
  if (failure) std::rethrow_exception(failure);
  std::printf("%s\n", boost::json::serialize(summary(samples, since(start) / 1000)).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "load: %s\n", problem.what());
    return 1;
  }
}
