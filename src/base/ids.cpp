#include "base/ids.hpp"

#include <mutex>
#include <random>

#include "base/bytes.hpp"

namespace yyc3 {

namespace {

// A lock, not a strand: ids are made on every thread, for nanoseconds.
struct Generator {
  std::mutex lock;
  std::mt19937_64 random{std::random_device{}()};
  std::int64_t last_ms = 0;
  std::uint32_t sequence = 0;  // rand_a and the head of rand_b: order within one millisecond
};

Generator& generator() {
  static Generator instance;
  return instance;
}

}  // namespace

Uuid Uuid::make(const Clock& clock) {
  Generator& g = generator();
  const std::lock_guard hold(g.lock);
  const std::int64_t now = clock.utc().time_since_epoch().count();
  if (now > g.last_ms) {
    g.last_ms = now;
    g.sequence = static_cast<std::uint32_t>(g.random() & 0x3FFFF);
  } else if (++g.sequence > 0xFFFFF) {
    ++g.last_ms;
    g.sequence = 0;
  }
  const std::uint64_t random = g.random();
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i)
    id.bytes_[i] = static_cast<std::uint8_t>(g.last_ms >> (40 - 8 * i));
  id.bytes_[6] = static_cast<std::uint8_t>(0x70 | ((g.sequence >> 16) & 0x0F));
  id.bytes_[7] = static_cast<std::uint8_t>(g.sequence >> 8);
  id.bytes_[8] = static_cast<std::uint8_t>(0x80 | ((g.sequence >> 2) & 0x3F));
  id.bytes_[9] = static_cast<std::uint8_t>(((g.sequence & 0x03) << 6) | (random & 0x3F));
  for (std::size_t i = 10; i < 16; ++i)
    id.bytes_[i] = static_cast<std::uint8_t>(random >> (8 * (i - 9)));
  return id;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto bad = [] { return fail(ErrorCode::kInvalid, "not a UUID"); };
  if (text.size() != 36) return bad();
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return bad();
    if (!dash) digits += text[i];
  }
  const auto raw = from_hex(digits);
  if (!raw) return bad();
  Uuid id;
  std::copy(raw->begin(), raw->end(), id.bytes_.begin());
  return id;
}

std::string Uuid::str() const {
  std::string hex = to_hex(bytes_);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  return hex;
}

}  // namespace yyc3
