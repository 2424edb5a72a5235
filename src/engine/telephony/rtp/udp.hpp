#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "engine/telephony/rtp/latch.hpp"

namespace yyc3::rtp {

/// A descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// Two non-blocking UDP sockets on an even port and the next one (RFC 3550 §11).
struct PortPair {
  Fd rtp;
  Fd rtcp;
  std::uint16_t port = 0;
};

/// Tries pairs from `start` on, round the range [first, last]. Errors: kBusy none is free;
/// kUnavailable no socket (too many open files: raise the limit).
Result<PortPair> bind_pair(std::uint32_t ip, std::uint16_t first, std::uint16_t last,
                           std::uint32_t start);

/// Host byte order. Errors: kInvalid unless `text` is an IPv4 literal.
Result<std::uint32_t> parse_ipv4(const std::string& text);

sockaddr_in socket_address(Address address);
/// Connects or, with a null address, disconnects; false when the kernel refuses.
bool connect_udp(int fd, const Address* to);
bool send_udp(int fd, ByteView bytes, const Address* to);
Result<Fd> make_eventfd();
/// Wakes who polls the eventfd; never blocks.
void ring_bell(int fd);
/// Rearms it.
void hush_bell(int fd);

}  // namespace yyc3::rtp
