#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace yyc3 {

/// A UUID, version 7 when made here (RFC 9562 §5.7): sorts by creation time, so it is also the
/// keyset cursor of every table.
class Uuid {
 public:
  constexpr Uuid() = default;
  /// A new version 7 id. Unique and increasing within the process, whatever the clock does.
  /// Threads: any.
  static Uuid make(const Clock& clock);
  /// Errors: kInvalid unless `text` is the 36-character form (either case).
  static Result<Uuid> parse(std::string_view text);

  [[nodiscard]] std::string str() const;  ///< lower-case, 36 characters
  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// Strong ids: a CallId cannot be handed where a TurnId is wanted.
template <class Tag>
struct Id {
  Uuid value;

  static Id make(const Clock& clock) { return Id{Uuid::make(clock)}; }
  static Result<Id> parse(std::string_view text) {
    const Result<Uuid> uuid = Uuid::parse(text);
    if (!uuid) return tl::unexpected<Error>(uuid.error());
    return Id{*uuid};
  }
  [[nodiscard]] std::string str() const { return value.str(); }
  auto operator<=>(const Id&) const = default;
};

using CallId = Id<struct CallTag>;
using TurnId = Id<struct TurnTag>;
using EventId = Id<struct EventTag>;
using RecordingId = Id<struct RecordingTag>;

}  // namespace yyc3

template <class Tag>
struct std::hash<yyc3::Id<Tag>> {
  std::size_t operator()(const yyc3::Id<Tag>& id) const noexcept {
    std::size_t mixed = 1469598103934665603ULL;
    for (const auto byte : id.value.bytes()) mixed = (mixed ^ byte) * 1099511628211ULL;
    return mixed;
  }
};
