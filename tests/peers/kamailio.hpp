#pragma once

#include <memory>
#include <string>

#include "child.hpp"

namespace yyc3::peers {

/// A registrar and proxy with digest (MD5): kamailio 5.6, users yyc3/secret and callee/secret2.
/// It challenges INVITE with 407 and stays in the path by Record-Route.
class Kamailio {
 public:
  Kamailio();  ///< throws std::runtime_error when it does not start

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const;  ///< 127.0.0.1:port
  [[nodiscard]] std::string log() const;

 private:
  TempDir dir_;
  std::uint16_t port_;
  std::unique_ptr<Child> child_;
};

}  // namespace yyc3::peers
