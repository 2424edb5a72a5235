#include "sipp.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include "house/paths.hpp"

namespace yyc3::peers {

namespace {

/// The port is taken: somebody listens.
bool is_taken(std::uint16_t port, bool tcp) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  const bool taken = bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0;
  close(fd);
  return taken;
}

}  // namespace

Sipp::Sipp(const std::string& story, const SippOptions& options)
    : port_(options.port == 0 ? free_port() : options.port) {
  const auto file = paths::source_dir() / "tests/peers/carriers" / (story + ".xml");
  std::vector<std::string> argv = {"sipp",
                                   "-sf",
                                   file.string(),
                                   "-i",
                                   "127.0.0.1",
                                   "-p",
                                   std::to_string(port_),
                                   "-mi",
                                   "127.0.0.1",
                                   "-mp",
                                   std::to_string(free_port(4)),
                                   "-m",
                                   std::to_string(options.calls),
                                   "-nostdin",
                                   "-timeout",
                                   "90",
                                   "-timeout_error",
                                   "-trace_err",
                                   "-error_file",
                                   (dir_.path() / "errors").string(),
                                   "-trace_msg",
                                   "-message_file",
                                   (dir_.path() / "messages").string()};
  if (options.tcp) argv.insert(argv.end(), {"-t", "t1"});
  if (options.lost_percent > 0)
    argv.insert(argv.end(), {"-lost", std::to_string(options.lost_percent)});
  argv.insert(argv.end(), options.more.begin(), options.more.end());
  child_ = std::make_unique<Child>(argv, dir_.path(), dir_.path() / "out");
  const bool up = eventually([&] { return is_taken(port_, options.tcp) || !child_->running(); },
                             Milliseconds{10'000});
  if (!up || !child_->running())
    throw std::runtime_error("sipp does not start: " + read_file(dir_.path() / "out") + errors());
}

std::string Sipp::uri(const std::string& user) const {
  return fmt::format("sip:{}@127.0.0.1:{}", user, port_);
}
std::string Sipp::messages() const { return read_file(dir_.path() / "messages"); }
std::string Sipp::errors() const { return read_file(dir_.path() / "errors"); }

}  // namespace yyc3::peers
