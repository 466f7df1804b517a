// What curl's failures mean to people, and to the decision whether to try again.
#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "base/text.h"
#include "net/transfer.h"

namespace puna::net {

namespace {

Fault transient(Code code, std::string message) {
  return {.error = {code, std::move(message)}, .transient = true, .sent = false};
}
Fault permanent(Code code, std::string message) {
  return {.error = {code, std::move(message)}, .transient = false, .sent = false};
}

// Tells the missing network from the missing host.
std::string with_network(std::string message) {
  return network_present() ? message : message + "; this machine has no network connection";
}

std::string peer(const HttpRequest& request) {
  if (request.unix_socket) return "the server at " + request.unix_socket->string();
  return fmt::format("{} port {}", request.url.host, request.url.effective_port());
}

Fault connect_fault(int system_error, std::string_view detail, const HttpRequest& request) {
  const auto reason = system_error != 0 ? std::generic_category().message(system_error) : printable(detail);
  auto message = fmt::format("cannot connect to {}: {}", peer(request), reason);
  if (system_error == ENETUNREACH || system_error == EHOSTUNREACH || system_error == ENETDOWN) message = with_network(std::move(message));
  return transient(Code::unavailable, std::move(message));
}

}  // namespace

Error proxy_wants_credentials(std::string_view what) {
  return {Code::unauthenticated,
          fmt::format("{}: the proxy wants a name and a password (407): write them before its host, in the setting network.proxy or where "
                      "the environment names it",
                      what)};
}

Fault proxy_fault(int status, const HttpRequest& request) {
  if (status == 407) return {.error = proxy_wants_credentials(request.url.printable()), .transient = false, .sent = false};
  auto message = fmt::format("the proxy does not connect to {}: it answered {}", peer(request), status);
  return status < 500 ? permanent(Code::permission_denied, std::move(message)) : transient(Code::unavailable, std::move(message));
}

Fault fault_of(int curl_code, int system_error, std::string_view detail, const HttpRequest& request) {
  const auto where = request.url.printable();
  const auto said = detail.empty() ? std::string(curl_easy_strerror(static_cast<CURLcode>(curl_code))) : printable(detail);
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return transient(Code::unavailable, with_network(fmt::format("could not resolve host '{}'", request.url.host)));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return transient(Code::unavailable, with_network("could not resolve the proxy's name: " + said));
    case CURLE_COULDNT_CONNECT:
      return connect_fault(system_error, detail, request);
    case CURLE_OPERATION_TIMEDOUT:
      return transient(Code::deadline_exceeded, with_network(fmt::format("no connection to {} within {}", peer(request),
                                                                         format_duration(request.deadlines.connect))));
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return transient(Code::unavailable, fmt::format("the connection to {} was lost: {}", peer(request), said));
    case CURLE_SSL_CONNECT_ERROR:
      if (system_error != 0) return transient(Code::unavailable, fmt::format("the connection to {} was lost: {}", peer(request), said));
      return permanent(Code::upstream_failed, fmt::format("no secure connection to {}: {}", peer(request), said));
    case CURLE_PEER_FAILED_VERIFICATION:
      return permanent(
          Code::upstream_failed,
          fmt::format("the certificate of {} is not to be trusted: {}; a private authority goes into the setting network.ca_file",
                      request.url.host, said));
    case CURLE_SSL_CACERT_BADFILE:
      return permanent(Code::invalid_argument, "the file with certificate authorities (setting network.ca_file) cannot be read: " + said);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
      return permanent(Code::upstream_failed, fmt::format("{} does not answer in HTTP: {}", where, said));
    case CURLE_URL_MALFORMAT:
      return permanent(Code::invalid_argument, fmt::format("{} is not a URL that can be fetched: {}", where, said));
    case CURLE_OUT_OF_MEMORY:
      return permanent(Code::out_of_memory, "not enough memory for " + where);
    default:
      return permanent(Code::upstream_failed, fmt::format("{}: {}", where, said));
  }
}

}  // namespace puna::net
