#include "app/commands/stop_signals.hpp"

#include <csignal>

namespace yyc3::app {

namespace {

sigset_t both() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t signals = both();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

int StopSignals::within(Milliseconds time) const {
  const sigset_t signals = both();
  const timespec most{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &most);
  return signal > 0 ? signal : 0;
}

int StopSignals::wait() const {
  const sigset_t signals = both();
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

void StopSignals::release() const {
  const sigset_t signals = both();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace yyc3::app
