#pragma once

#include <cstdint>

namespace yyc3::rtp {

/// IPv4, host byte order.
struct Address {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

/// Symmetric RTP: whom to believe. Behind NAT the sender is not who the SDP names, so a stranger
/// is taken too, but only after three packets in sequence (RFC 3550 A.1's probation), and never
/// once the far side is known.
class Latch {
 public:
  /// `named` is the SDP's address. Unlatches unless it is the one named before.
  void expect(Address named) {
    if (named == named_) return;
    named_ = named;
    latched_ = false;
    run_ = 0;
  }
  /// True when a valid packet of `from` is to be used.
  bool accept(Address from, std::uint16_t sequence) {
    if (latched_) return from == from_;
    if (from == named_) return take(from);
    const bool follows = from == from_ && sequence == static_cast<std::uint16_t>(sequence_ + 1);
    run_ = follows ? run_ + 1 : 1;
    from_ = from;
    sequence_ = sequence;
    return run_ >= kProbation && take(from);
  }
  [[nodiscard]] bool latched() const { return latched_; }
  /// Where to send: the latched sender, else who was named.
  [[nodiscard]] Address destination() const { return latched_ ? from_ : named_; }

 private:
  static constexpr int kProbation = 3;
  bool take(Address from) {
    from_ = from;
    latched_ = true;
    return true;
  }
  Address named_;
  Address from_;
  std::uint16_t sequence_ = 0;
  int run_ = 0;
  bool latched_ = false;
};

}  // namespace yyc3::rtp
