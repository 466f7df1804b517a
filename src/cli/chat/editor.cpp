#include "cli/chat/editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <cstdio>
#include <cstring>

#include "base/code_point.h"
#include "base/text.h"
#include "cli/screen/width.h"
#include "os/descriptor.h"

namespace puna::cli {
namespace {

constexpr std::string_view kPasteOn = "\033[?2004h";
constexpr std::string_view kPasteOff = "\033[?2004l";
constexpr std::wstring_view kPasteEnd = L"\033[201~";
constexpr int kHistoryLimit = 1000;

struct Window {
  unsigned short rows = 0;
  unsigned short columns = 0;
  bool operator==(const Window&) const = default;
};

Window window_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_row, size.ws_col};
}

// libedit takes text apart by the process's locale.
bool use_utf8() {
  if (std::setlocale(LC_CTYPE, "") && std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0) return true;
  return std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
}

struct EditLineEnd {
  void operator()(EditLine* line) const { ::el_end(line); }
};
struct HistoryEnd {
  void operator()(::History* history) const { ::history_end(history); }
};

}  // namespace

// libedit's callbacks get the EditLine, which carries its State.
struct Editor::State {
  Interrupt* interrupt = nullptr;
  Completer completer;
  std::string prompt;
  Line::Kind outcome = Line::Kind::end;
  std::string input;  // bytes read, not yet taken
  Window window;
  bool paste_is_marked = false;  // the terminal was asked to mark what is pasted
  std::unique_ptr<::History, HistoryEnd> history;
  std::unique_ptr<EditLine, EditLineEnd> line;

  Result<> set_up();

 private:
  static State& of(EditLine* line) {
    void* data = nullptr;
    ::el_get(line, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }
  static std::string typed(EditLine* line) {
    const LineInfo* info = ::el_line(line);
    return {info->buffer, info->lastchar};
  }

  static char* prompt_of(EditLine* line) { return of(line).prompt.data(); }
  static int read_character(EditLine* line, wchar_t* out);
  static unsigned char paste(EditLine* line, int key);
  static unsigned char break_line(EditLine* line, int key);
  static unsigned char complete(EditLine* line, int key);

  bool fill_input();
  void note_signal();
  bool take_character(wchar_t* out);
  void follow_window();
};

Result<> Editor::State::set_up() {
  history.reset(::history_init());
  line.reset(::el_init("puna", stdin, stdout, stderr));
  if (!history || !line) return fail(Code::internal, "the terminal cannot be used for typing; give the prompt as an argument");
  EditLine* el = line.get();
  HistEvent event{};
  ::history(history.get(), &event, H_SETSIZE, kHistoryLimit);
  ::el_set(el, EL_CLIENTDATA, this);
  ::el_set(el, EL_PROMPT, prompt_of);
  ::el_set(el, EL_EDITOR, "emacs");
  ::el_set(el, EL_SIGNAL, 0);
  ::el_set(el, EL_HIST, ::history, history.get());
  ::el_set(el, EL_GETCFN, read_character);
  ::el_set(el, EL_ADDFN, "puna-paste", "insert what is pasted", paste);
  ::el_set(el, EL_ADDFN, "puna-break", "insert a line break", break_line);
  ::el_set(el, EL_ADDFN, "puna-complete", "complete a command", complete);
  ::el_set(el, EL_BIND, "\\e[200~", "puna-paste", nullptr);
  ::el_set(el, EL_BIND, "\\e^M", "puna-break", nullptr);
  ::el_set(el, EL_BIND, "\\e^J", "puna-break", nullptr);  // what the terminal makes of it
  ::el_set(el, EL_BIND, "^I", "puna-complete", nullptr);
  ::el_set(el, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  ::el_set(el, EL_BIND, "\\e[3~", "ed-delete-next-char", nullptr);
  ::el_set(el, EL_BIND, "\\e[1;5C", "em-next-word", nullptr);
  ::el_set(el, EL_BIND, "\\e[1;5D", "ed-prev-word", nullptr);
  window = window_size();
  return {};
}

// Waits for a key, for a signal, or for the terminal's end.
bool Editor::State::fill_input() {
  while (true) {
    std::array<pollfd, 2> watched{pollfd{interrupt->descriptor(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) continue;
    if (watched[0].revents != 0) {
      note_signal();
      return false;
    }
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    input.append(buffer.data(), static_cast<std::size_t>(count));
    if (utf8_complete_prefix(input) > 0) return true;
  }
}

// A wish to terminate survives rearm(): then the line's end is the editor's end.
void Editor::State::note_signal() {
  input.clear();
  interrupt->rearm();
  if (!interrupt->requested()) outcome = typed(line.get()).empty() ? Line::Kind::interrupted_empty : Line::Kind::interrupted;
}

bool Editor::State::take_character(wchar_t* out) {
  if (utf8_complete_prefix(input) == 0 && !fill_input()) return false;
  std::size_t at = 0;
  *out = static_cast<wchar_t>(next_code_point(input, at));
  input.erase(0, at);
  return true;
}

void Editor::State::follow_window() {
  const Window now = window_size();
  if (now == window) return;
  window = now;
  ::el_resize(line.get());
}

int Editor::State::read_character(EditLine* line, wchar_t* out) {
  State& state = of(line);
  // Not before libedit has set the terminal's modes, which it does after it drew the prompt.
  if (!state.paste_is_marked) state.paste_is_marked = os::write_all(STDOUT_FILENO, kPasteOn).has_value();
  if (!state.take_character(out)) return 0;
  state.follow_window();
  return 1;
}

unsigned char Editor::State::paste(EditLine* line, int) {
  State& state = of(line);
  std::wstring text;
  wchar_t character = 0;
  while (!text.ends_with(kPasteEnd) && state.take_character(&character))
    text += character == L'\r' ? L'\n' : character == L'\t' ? L' ' : character;
  if (text.ends_with(kPasteEnd)) text.resize(text.size() - kPasteEnd.size());
  std::erase_if(text, [](wchar_t c) { return c < L' ' && c != L'\n'; });
  ::el_winsertstr(line, text.c_str());
  return CC_REFRESH;
}

unsigned char Editor::State::break_line(EditLine* line, int) {
  ::el_winsertstr(line, L"\n");
  return CC_REFRESH;
}

unsigned char Editor::State::complete(EditLine* line, int) {
  State& state = of(line);
  const std::string begun = typed(line);
  const auto words = state.completer ? state.completer(begun) : std::vector<std::string>();
  if (words.empty()) return CC_ERROR;
  std::string common = words.front();
  for (const auto& word : words) common.resize(static_cast<std::size_t>(std::ranges::mismatch(common, word).in1 - common.begin()));
  if (common.size() <= begun.size()) return CC_ERROR;
  ::el_insertstr(line, common.substr(begun.size()).c_str());
  return CC_REFRESH;
}

Result<std::unique_ptr<Editor>> Editor::open(Interrupt& interrupt, Completer completer) {
  if (!use_utf8()) return fail(Code::unsupported, "this system has no UTF-8 locale; give the prompt as an argument");
  auto state = std::make_unique<State>();
  state->interrupt = &interrupt;
  state->completer = std::move(completer);
  PUNA_CHECK(state->set_up());
  return std::unique_ptr<Editor>(new Editor(std::move(state)));
}

Editor::Editor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Editor::~Editor() = default;

Result<Line> Editor::read(std::string_view prompt) {
  State& state = *state_;
  state.prompt = prompt;
  state.outcome = Line::Kind::end;
  int count = 0;
  const char* text = ::el_gets(state.line.get(), &count);
  if (std::exchange(state.paste_is_marked, false)) PUNA_CHECK(os::write_all(STDOUT_FILENO, kPasteOff));
  if (!text || count <= 0) {
    PUNA_CHECK(os::write_all(STDOUT_FILENO, "\n"));
    return Line{state.outcome, {}};
  }
  std::string_view typed(text, static_cast<std::size_t>(count));
  if (typed.ends_with('\n')) typed.remove_suffix(1);
  return Line{Line::Kind::text, std::string(typed)};
}

void Editor::remember(const std::string& text) {
  HistEvent event{};
  ::history(state_->history.get(), &event, H_ENTER, text.c_str());
}

}  // namespace puna::cli
