// A stand-in for `puna worker`: the same command line, status lines and routes, and a script instead of a model (see script.h).
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <string>

#include "base/json.h"
#include "fakes/scripted_worker/script.h"
#include "net/http_server.h"
#include "net/io.h"
#include "net/ndjson.h"
#include "net/sse.h"
#include "os/descriptor.h"
#include "os/file.h"
#include "wire/worker.h"

namespace puna::fakes {
namespace {

using Options = std::map<std::string, std::string, std::less<>>;

int number(const std::string& text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

// Nobody is left to complain to when one of these cannot be written.
void say(const std::string& line) {
  if (!os::write_all(STDERR_FILENO, line + "\n")) ::_exit(9);
}

class StatusPipe {
 public:
  explicit StatusPipe(int descriptor) : descriptor_(descriptor) {}
  void send(const wire::WorkerStatus& status) const {
    if (descriptor_ > 0 && !os::write_all(descriptor_, net::ndjson_line(json::encode(status)))) ::_exit(9);
  }

 private:
  int descriptor_;
};

void wait_at_gate(const std::string& path) {
  const os::UniqueFd gate(::open(path.c_str(), O_RDONLY | O_CLOEXEC));  // returns when the test opens the other end
  char byte = 0;
  while (gate && ::read(gate.get(), &byte, 1) > 0) continue;
}

void fail_loading(const StatusPipe& status, const std::string& argument) {
  const auto space = argument.find(' ');
  wire::WorkerStatus line;
  line.report = wire::WorkerReport::failure;
  line.fault = json::enum_from_name<wire::WorkerFault>(argument.substr(0, space));
  line.message = space == std::string::npos ? argument : argument.substr(space + 1);
  status.send(line);
  ::_exit(1);
}

void perform(const Step& step, const StatusPipe& status) {
  switch (step.verb) {
    case Verb::say:
      return say(step.argument);
    case Verb::progress: {
      wire::WorkerStatus line;
      line.progress = std::strtod(step.argument.c_str(), nullptr);
      return status.send(line);
    }
    case Verb::gate:
      return wait_at_gate(step.argument);
    case Verb::fail:
      return fail_loading(status, step.argument);
    case Verb::exit:
      ::_exit(number(step.argument));
    case Verb::signal:
      ::signal(number(step.argument), SIG_DFL);  // a sanitizer would handle it; SIGKILL and SIGSTOP refuse, and need no default
      ::kill(::getpid(), number(step.argument));
      return;
    case Verb::allocate: {
      static std::vector<char> taken;
      taken.resize(static_cast<std::size_t>(number(step.argument)) << 20U);
      return;
    }
    case Verb::sleep:
      while (true) ::pause();
    case Verb::deaf:
      ::signal(SIGTERM, SIG_IGN);
      return;
    case Verb::ready:
      return;
  }
}

std::string chunk(std::string_view name, std::string_view content, std::string_view finish) {
  return net::sse_frame(
      "", "",
      fmt::format(
          R"({{"id":"chatcmpl-fake","object":"chat.completion.chunk","created":1,"model":"{}","choices":[{{"index":0,"delta":{{{}}},"finish_reason":{}}}]}})",
          name, content, finish));
}

struct Wanted {
  bool stream = false;
  std::int64_t tokens = 3;
};

Wanted read_request(const std::string& body) {
  Wanted wanted;
  const auto request = json::parse_object(body);
  if (!request) return wanted;
  if (const auto* stream = request->if_contains("stream")) wanted.stream = stream->is_bool() && stream->get_bool();
  if (const auto* tokens = request->if_contains("max_tokens"); tokens && tokens->is_int64()) wanted.tokens = tokens->get_int64();
  return wanted;
}

class Server {
 public:
  Server(net::Io& io, Script script, StatusPipe status, std::string name)
      : io_(io), script_(std::move(script)), status_(status), name_(std::move(name)) {}

  net::Task<void> handle(net::ServerRequest& request, net::Responder& responder) {
    if (request.path != "/v1/chat/completions") return answer_plainly(request, responder);
    return chat(request, responder);
  }

 private:
  net::Task<void> answer_plainly(net::ServerRequest& request, net::Responder& responder) {
    if (request.path == "/v1/embeddings")
      co_await reply(responder, R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0]}],"model":"fake"})");
    else
      co_await reply(responder, request.path == "/slots" ? "[]" : R"({"status":"ok"})");
  }

  net::Task<void> chat(net::ServerRequest& request, net::Responder& responder) {
    for (const auto& step : script_.request) co_await net::on_pool(io_, [&] { perform(step, status_); });
    const Wanted wanted = read_request(request.body);
    if (!wanted.stream) {
      co_await reply(
          responder,
          fmt::format(
              R"({{"id":"chatcmpl-fake","object":"chat.completion","created":1,"model":"{}","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}}})",
              name_));
      co_return;
    }
    auto written = co_await responder.start_sse();
    for (std::int64_t token = 0; written && token < wanted.tokens; ++token)
      written = co_await responder.write(chunk(name_, R"("content":"word ")", "null"));
    if (written) written = co_await responder.write(chunk(name_, "", R"("stop")") + net::sse_frame("", "", "[DONE]"));
    if (written) written = co_await responder.finish();
    if (!written) say("a client went away");
  }

  net::Task<void> reply(net::Responder& responder, std::string body) {
    const auto sent = co_await responder.send({200, {{"Content-Type", "application/json"}}, std::move(body)});
    if (!sent) say("a client went away");
  }

  net::Io& io_;
  Script script_;
  StatusPipe status_;
  std::string name_;
};

int serve(const Options& options, const Script& script, const StatusPipe& status) {
  const auto option = [&](std::string_view name) {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
  };
  net::Io io(8);
  Server server(io, script, status, option("--name"));
  net::HttpServer http(io, {}, [&](net::ServerRequest& request, net::Responder& responder) { return server.handle(request, responder); });
  if (const auto listening = http.listen_unix(option("--socket")); !listening) {
    say(listening.error().text());
    return 1;
  }
  wire::WorkerStatus line;
  line.report = wire::WorkerReport::ready;
  line.context_length = number(option("--context"));
  line.slots = number(option("--slots"));
  line.threads = 1;
  line.devices = std::vector<std::string>{"script"};
  status.send(line);
  io.run();
  return 0;
}

int run(std::vector<std::string> words) {
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) return 9;
  ::signal(SIGTERM, [](int) { ::_exit(0); });
  ::signal(SIGPIPE, SIG_IGN);
  Options options;
  for (std::size_t i = 1; i + 1 < words.size(); i += 2) options[words[i]] = words[i + 1];
  const auto text = os::read_file(options.contains("--check") ? options["--check"] : options["--model"], mib(1));
  const bool real_model = text ? text->starts_with("GGUF") : text.error().code == Code::too_large;  // there is no script in it
  const auto script = real_model ? parse_script("") : text ? parse_script(*text) : fail(text.error());
  if (!script) {
    say(script.error().text());
    return 2;
  }
  const StatusPipe status(number(options["--status-fd"]));
  wire::WorkerStatus loading;
  loading.progress = 0;
  status.send(loading);
  for (const auto& step : script->load) perform(step, status);
  return script->becomes_ready && options.contains("--socket") ? serve(options, *script, status) : 0;
}

}  // namespace
}  // namespace puna::fakes

int main(int argc, char** argv) {
  return puna::fakes::run(std::vector<std::string>(argv + 1, argv + argc));
}
