#include "net/curl_multi.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/log.h"
#include "net/transfer.h"

namespace puna::net {

namespace {
constexpr std::size_t kMostSpareHandles = 64;

// OpenSSL writes in a way that raises SIGPIPE when the peer is gone, which would end the process. Holds it off while curl works, on
// this thread only, so that pipes elsewhere keep their meaning.
class NoSigpipe {
 public:
  explicit NoSigpipe(bool wanted) : active_(wanted) {
    if (!active_) return;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    active_ = sigismember(&before_, SIGPIPE) == 0;
  }
  ~NoSigpipe() {
    if (!active_) return;
    constexpr timespec kAtOnce{};
    while (sigtimedwait(&pipe_, nullptr, &kAtOnce) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  bool active_;
  sigset_t pipe_{}, before_{};
};

}  // namespace

Result<std::shared_ptr<CurlMulti>> CurlMulti::create(Io& io, const ClientOptions& options) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return fail(Code::internal, std::string("cannot start libcurl: ") + curl_easy_strerror(initialised));
  CURLM* multi = curl_multi_init();
  if (!multi) return fail(Code::out_of_memory, "cannot start libcurl");
  std::shared_ptr<CurlMulti> created(new CurlMulti(io, multi));
  created->set_options(options);
  return created;
}

CurlMulti::CurlMulti(Io& io, void* multi)
    : context_(io.context()),
      executor_(io.context().get_executor()),
      multi_(multi),
      timer_(executor_, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlMulti::~CurlMulti() {
  const NoSigpipe quiet(uses_tls_);
  for (auto* easy : spare_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);  // closes kept connections, through on_close
  while (!watches_.empty()) forget(watches_.begin()->first);
}

void CurlMulti::configure(const ClientOptions& options) {
  set_options(options);
}

void CurlMulti::set_options(const ClientOptions& options) {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_idle_connections));
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options.max_connections_per_host));
}

void* CurlMulti::take_handle() {
  CURL* easy = nullptr;
  if (spare_.empty()) {
    easy = curl_easy_init();
  } else {
    easy = spare_.back();
    spare_.pop_back();
  }
  if (!easy) return nullptr;
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlMulti::on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlMulti::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  return easy;
}

void CurlMulti::give_back(void* easy) {
  if (spare_.size() >= kMostSpareHandles) return curl_easy_cleanup(easy);
  curl_easy_reset(easy);
  spare_.push_back(easy);
}

Result<> CurlMulti::start(Transfer& transfer) {
  uses_tls_ = uses_tls_ || transfer.request().url.scheme == "https";
  const NoSigpipe quiet(uses_tls_);
  if (const auto code = curl_multi_add_handle(multi_, transfer.handle()); code != CURLM_OK)
    return fail(Code::internal, std::string("cannot start a transfer: ") + curl_multi_strerror(code));
  active_.insert(&transfer);
  run_wanted_ = false;  // what curl just asked for is done here and now
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  run_soon();  // to collect a transfer that ended already
  return {};
}

void CurlMulti::remove(Transfer& transfer) {
  if (active_.erase(&transfer) == 0) return;
  const NoSigpipe quiet(uses_tls_);
  curl_multi_remove_handle(multi_, transfer.handle());
}

void CurlMulti::unpause(Transfer& transfer) {
  if (!active_.contains(&transfer)) return;
  const NoSigpipe quiet(uses_tls_);
  curl_easy_pause(transfer.handle(), CURLPAUSE_CONT);
}

void CurlMulti::shut_down() {
  while (!active_.empty()) {
    Transfer& transfer = **active_.begin();
    remove(transfer);
    transfer.ended_by_client(cancelled_error());
  }
}

int CurlMulti::on_socket(void*, int socket, int what, void* self, void*) {
  auto& multi = *static_cast<CurlMulti*>(self);
  const auto watch = multi.watch(socket);
  watch->wants_read = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  watch->wants_write = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  if (watch->wants_read && !watch->awaits_read) multi.await_ready(watch, true);
  if (watch->wants_write && !watch->awaits_write) multi.await_ready(watch, false);
  if (what == CURL_POLL_REMOVE && !(watch->kept && watch->connected)) multi.forget(socket);
  return 0;
}

int CurlMulti::on_timer(void*, long milliseconds, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  multi.run_wanted_ = milliseconds == 0;
  if (milliseconds > 0)
    multi.timer_.set_after(Milliseconds(milliseconds));
  else
    multi.timer_.clear();
  if (milliseconds == 0) multi.run_soon();
  return 0;
}

int CurlMulti::on_open(void* self, int, void* address) {
  const auto& wanted = *static_cast<curl_sockaddr*>(address);
  const int socket = ::socket(wanted.family, wanted.socktype | SOCK_CLOEXEC, wanted.protocol);
  if (socket < 0) return socket;
  auto& multi = *static_cast<CurlMulti*>(self);
  multi.forget(socket);  // curl closes a socket that never connected without a word, and its number comes back here
  multi.watch(socket)->kept = true;
  return socket;
}

int CurlMulti::on_close(void* self, int socket) {
  static_cast<CurlMulti*>(self)->forget(socket);
  return ::close(socket);
}

std::shared_ptr<CurlMulti::Watch> CurlMulti::watch(int socket) {
  auto& watch = watches_[socket];
  if (!watch) watch = std::make_shared<Watch>(context_, socket);
  return watch;
}

void CurlMulti::forget(int socket) {
  const auto found = watches_.find(socket);
  if (found == watches_.end()) return;
  found->second->closed = true;
  found->second->descriptor.release();  // curl closes it
  watches_.erase(found);
}

void CurlMulti::await_ready(const std::shared_ptr<Watch>& watch, bool read) {
  (read ? watch->awaits_read : watch->awaits_write) = true;
  watch->descriptor.async_wait(read ? Descriptor::wait_read : Descriptor::wait_write,
                               [weak = weak_from_this(), watch, read](const boost::system::error_code& error) {
                                 (read ? watch->awaits_read : watch->awaits_write) = false;
                                 if (auto self = weak.lock(); self && !watch->closed) self->became_ready(watch, read, error.failed());
                               });
}

// Nobody may be interested any more: a wait is left under way when curl loses interest, for the next request on the connection.
void CurlMulti::became_ready(const std::shared_ptr<Watch>& watch, bool read, bool failed) {
  watch->connected = watch->connected || !failed;
  if (!(read ? watch->wants_read : watch->wants_write)) return;
  act(watch->descriptor.native_handle(), failed ? CURL_CSELECT_ERR : read ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
  if (watch->closed || failed) return;
  if (watch->wants_read && !watch->awaits_read) await_ready(watch, true);
  if (watch->wants_write && !watch->awaits_write) await_ready(watch, false);
}

void CurlMulti::act(int socket, int events) {
  const NoSigpipe quiet(uses_tls_);
  int running = 0;
  if (const auto code = curl_multi_socket_action(multi_, socket, events, &running); code != CURLM_OK)
    log::error("net", "libcurl refused an event", {{"error", curl_multi_strerror(code)}});
  collect_ended();
}

void CurlMulti::run_soon() {
  if (std::exchange(run_posted_, true)) return;
  asio::post(context_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->run_posted_ = false;
    if (std::exchange(self->run_wanted_, false)) return self->act(CURL_SOCKET_TIMEOUT, 0);
    self->collect_ended();
  });
}

void CurlMulti::collect_ended() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message goes with its handle
    void* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    auto& ended = *static_cast<Transfer*>(transfer);
    remove(ended);
    ended.ended(code);
  }
}

}  // namespace puna::net
