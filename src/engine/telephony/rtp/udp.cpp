#include "engine/telephony/rtp/udp.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace yyc3::rtp {

namespace {

/// errno of the failure, or 0.
int bind_udp(Fd& out, Address at) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return errno;
  const sockaddr_in address = socket_address(at);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno;
  const int expedited = 0xB8;  // DSCP EF (RFC 4594 §4.1); best effort, a router may ignore it
  ::setsockopt(fd.get(), IPPROTO_IP, IP_TOS, &expedited, sizeof expedited);
  out = std::move(fd);
  return 0;
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

sockaddr_in socket_address(Address address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address.ip);
  out.sin_port = htons(address.port);
  return out;
}

Result<PortPair> bind_pair(std::uint32_t ip, std::uint16_t first, std::uint16_t last,
                           std::uint32_t start) {
  const std::uint32_t pairs = (static_cast<std::uint32_t>(last) - first + 1) / 2;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    PortPair pair;
    pair.port = static_cast<std::uint16_t>(first + 2 * ((start + i) % pairs));
    int error = bind_udp(pair.rtp, {ip, pair.port});
    if (error == 0) error = bind_udp(pair.rtcp, {ip, static_cast<std::uint16_t>(pair.port + 1)});
    if (error == 0) return pair;
    if (error != EADDRINUSE && error != EACCES)
      return fail(ErrorCode::kUnavailable,
                  std::string("rtp socket: ") + std::strerror(error) +
                      (error == EMFILE ? "; raise the open-file limit (ulimit -n)" : ""));
  }
  return fail(ErrorCode::kBusy, "rtp: no free port pair; widen the configured port range");
}

Result<std::uint32_t> parse_ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1)
    return fail(ErrorCode::kInvalid, "must be an IPv4 address such as 192.0.2.1");
  return ntohl(address.s_addr);
}

bool connect_udp(int fd, const Address* to) {
  sockaddr_in address{};
  if (to != nullptr) {
    address = socket_address(*to);
  } else {
    address.sin_family = AF_UNSPEC;
  }
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool send_udp(int fd, ByteView bytes, const Address* to) {
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (to == nullptr)
    return ::send(fd, bytes.data(), bytes.size(), kFlags) == static_cast<ssize_t>(bytes.size());
  const sockaddr_in address = socket_address(*to);
  return ::sendto(fd, bytes.data(), bytes.size(), kFlags,
                  reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == static_cast<ssize_t>(bytes.size());
}

Result<Fd> make_eventfd() {
  Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (fd.get() < 0)
    return fail(ErrorCode::kUnavailable, "eventfd: too many open files; raise ulimit -n");
  return fd;
}

void ring_bell(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd, &one, sizeof one);  // full = already ringing
}

void hush_bell(int fd) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(fd, &count, sizeof count);
}

}  // namespace yyc3::rtp
