#include "child.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace yyc3::peers {

namespace {

bool is_free(std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool good = true;
  for (const int kind : {SOCK_DGRAM, SOCK_STREAM}) {
    const int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    good = good && bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
    close(fd);
  }
  return good;
}

std::uint16_t any_port() {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool good = bind(fd, reinterpret_cast<sockaddr*>(&where), size) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) == 0;
  close(fd);
  return good ? ntohs(where.sin_port) : std::uint16_t{0};
}

}  // namespace

void sleep_ms(int ms) { usleep(static_cast<useconds_t>(ms) * 1'000); }

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "yyc3-peer-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TempDir::~TempDir() {
  if (std::getenv("YYC3_KEEP_PEERS") != nullptr) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_port(std::uint16_t span) {
  for (int tries = 0; tries < 200; ++tries) {
    // An even port: RTP's partner is the odd one behind it.
    const auto first = static_cast<std::uint16_t>(any_port() & 0xFFFE);
    bool good = first > 1024 && first + span < 65'535;
    for (std::uint16_t i = 0; good && i < span; ++i)
      good = is_free(static_cast<std::uint16_t>(first + i));
    if (good) return first;
  }
  throw std::runtime_error("no free ports on 127.0.0.1");
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

bool wait_for_text(const std::filesystem::path& path, std::string_view text, Milliseconds limit,
                   std::size_t from) {
  return eventually([&] { return read_file(path).find(text, from) != std::string::npos; }, limit);
}

Child::Child(const std::vector<std::string>& argv, const std::filesystem::path& dir,
             const std::filesystem::path& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addchdir_np(&actions, dir.c_str());
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int error = posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + argv.front() + "; is it installed?");
}

Child::~Child() { stop(); }

bool Child::running() { return !wait(Milliseconds{0}).has_value(); }

std::optional<int> Child::wait(Milliseconds limit) {
  eventually(
      [this] {
        if (status_) return true;
        int raw = 0;
        if (waitpid(pid_, &raw, WNOHANG) != pid_) return false;
        status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        return true;
      },
      limit);
  return status_;
}

int Child::stop(Milliseconds grace) {
  if (wait(Milliseconds{0})) return *status_;
  kill(pid_, SIGTERM);
  if (wait(grace)) return *status_;
  kill(pid_, SIGKILL);
  return wait(Milliseconds{5'000}).value_or(-1);
}

}  // namespace yyc3::peers
