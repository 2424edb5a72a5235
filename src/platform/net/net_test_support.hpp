#pragma once

// For the tests of this room only.

#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/net/event_loop.hpp"

namespace yyc3::net::testing {

using namespace std::chrono_literals;

inline constexpr auto kPatience = 20s;  // far beyond what any step needs, so that none hangs

struct TempDir {
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "yyc3-net-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::filesystem::path path;
};

template <class T>
Task<void> fulfil(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      promise->set_value();
    } else {
      promise->set_value(co_await std::move(task));
    }
  } catch (...) {
    promise->set_exception(std::current_exception());
  }
}

/// Runs `task` on the loop and waits for it here.
template <class T>
T run_on(EventLoop& loop, Task<T> task) {
  const auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  loop.spawn(fulfil(std::move(task), promise), "test");
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

/// True once `done` says so; false after kPatience.
template <class F>
bool eventually(F done) {
  for (int i = 0; i < 4000; ++i) {
    if (done()) return true;
    ::usleep(5000);
  }
  return false;
}

/// A blocking socket that says exactly what a test wants said.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  explicit RawClient(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    connect(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool send(std::string_view text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  /// Reads until `end` was seen, the peer closed or 20 s of silence.
  std::string read_until(std::string_view end) {
    while (buffer_.find(end) == std::string::npos && fill()) {
    }
    const std::size_t at = buffer_.find(end);
    const std::size_t size = at == std::string::npos ? buffer_.size() : at + end.size();
    std::string text = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return text;
  }
  std::string read_all() {
    while (fill()) {
    }
    return std::move(buffer_);
  }
  /// One answer with Content-Length: head and body.
  std::string response() {
    std::string text = read_until("\r\n\r\n");
    const std::size_t at = text.find("Content-Length: ");
    const std::size_t size = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
    while (buffer_.size() < size && fill()) {
    }
    text += buffer_.substr(0, size);
    buffer_.erase(0, size);
    return text;
  }
  /// True when the peer has closed and nothing is left.
  bool at_end() { return buffer_.empty() && !fill() && !timed_out_; }

 private:
  void connect(const sockaddr* address, socklen_t size) {
    REQUIRE(fd_ >= 0);
    timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    REQUIRE(::connect(fd_, address, size) == 0);
  }
  bool fill() {
    char piece[4096];
    const ssize_t got = ::recv(fd_, piece, sizeof(piece), 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (got > 0) buffer_.append(piece, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
  bool timed_out_ = false;
  std::string buffer_;
};

}  // namespace yyc3::net::testing
