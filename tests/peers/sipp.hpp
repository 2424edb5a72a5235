#pragma once

#include <memory>
#include <string>
#include <vector>

#include "child.hpp"

namespace yyc3::peers {

struct SippOptions {
  bool tcp = false;
  int calls = 1;           ///< -m: ends after so many
  int lost_percent = 0;    ///< -lost: drops so much of the signalling
  std::uint16_t port = 0;  ///< 0: any
  std::vector<std::string> more;
};

/// A carrier: sipp 3.6.1 running one story of carriers/.
class Sipp {
 public:
  /// @param story file name in carriers/ without ".xml". Throws when it does not start listening.
  explicit Sipp(const std::string& story, const SippOptions& options = {});

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string uri(const std::string& user = "customer") const;
  /// 0: every call went as the story says; 1: one did not. nullopt: still running.
  std::optional<int> wait(Milliseconds limit) { return child_->wait(limit); }
  [[nodiscard]] std::string messages() const;  ///< every message sent and received
  [[nodiscard]] std::string errors() const;

 private:
  TempDir dir_;
  std::uint16_t port_;
  std::unique_ptr<Child> child_;
};

}  // namespace yyc3::peers
