#pragma once

// Internal to platform/net: one connection of an HttpServer.

#include <memory>
#include <optional>
#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "platform/net/http_server.hpp"
#include "platform/net/stream.hpp"
#include "platform/net/websocket_impl.hpp"

namespace yyc3::net {

/// What the connections of one server share. Outlives the HttpServer while one of them lives.
struct ServerShared {
  HttpServerOptions options;
  HttpHandler handler;
  telemetry::Log& log;
  bool draining = false;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(AnyStream stream, std::shared_ptr<ServerShared> shared, std::string peer);

  /// Serves until either side ends the connection.
  Task<void> run();
  /// Ends it politely: at once when idle, after the current answer when busy.
  void drain();
  /// Cuts it; a running handler is cancelled.
  void cut();

 private:
  using Parser = beast::http::request_parser<beast::http::string_body>;
  using Message = beast::http::request<beast::http::string_body>;

  Task<bool> serve_one();
  Task<bool> wait_for_request();
  Task<bool> read_head(Parser& parser);
  Task<bool> read_body(Parser& parser);
  Task<bool> refuse(int status, std::string title, std::string detail);
  Result<HttpRequest> to_request(const Message& message) const;
  Task<bool> answer(HttpRequest request, bool keep_alive);
  Task<void> answer_into(HttpRequest request, bool keep_alive, bool& alive);
  Task<HttpResponse> call_handler(HttpRequest request);
  Task<void> watch_for_leaving();
  Task<bool> write_response(HttpResponse response, bool is_head, bool keep_alive);
  Task<bool> write_source(HttpResponse response);
  Task<bool> write(std::string head, std::string body);
  Task<bool> upgrade(HttpRequest request, Message message);
  Task<void> close_gently();

  AnyStream stream_;
  beast::flat_buffer buffer_;
  std::shared_ptr<ServerShared> shared_;
  std::string peer_;
  bool is_unix_;
  bool is_tls_;
  bool idle_ = true;
  std::weak_ptr<WebSocket::Impl> websocket_;
};

}  // namespace yyc3::net
