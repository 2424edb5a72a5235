#pragma once

#include "base/clock.hpp"

namespace yyc3::app {

/// SIGINT and SIGTERM, for a command that ends in order. From its making on neither ends the
/// program: the command asks whether one came. Threads: made before any other is started, which
/// inherit this; one asks.
class StopSignals {
 public:
  StopSignals();
  /// @returns the signal that came, waiting at most `time` for it; 0: none
  [[nodiscard]] int within(Milliseconds time) const;
  /// Waits as long as it takes.
  [[nodiscard]] int wait() const;
  /// The next one ends the program at once: somebody is in a hurry.
  void release() const;
};

}  // namespace yyc3::app
