#include "app/commands/language_session.hpp"

#include <future>
#include <utility>

#include "app/language.hpp"

namespace yyc3::app {

namespace {

constexpr int kReadyTries = 100;  // of 50 ms: the worker is up by then

struct Waiting final : inference::ChatSink {
  void on_piece(inference::ChatNumber, std::string_view text) override {
    if (piece) piece(text);
  }
  void on_answer(inference::ChatNumber, const inference::ChatAnswer& answer) override {
    done.set_value(answer);
  }
  void on_failed(inference::ChatNumber, const Error& error) override {
    done.set_value(tl::unexpected<Error>(error));
  }
  std::function<void(std::string_view)> piece;
  std::promise<Result<inference::ChatAnswer>> done;
};

template <class F>
auto on_loop(net::EventLoop& loop, F work) {
  std::promise<decltype(work())> done;
  loop.post([&] { done.set_value(work()); });
  return done.get_future().get();
}

}  // namespace

Result<std::unique_ptr<LanguageSession>> LanguageSession::open(const Config& config) {
  std::unique_ptr<LanguageSession> session(new LanguageSession());
  LocalWorker& local = session->local_;
  if (auto started = local.start(config, "language"); !started)
    return tl::unexpected<Error>(started.error());
  const auto& endpoint = local.workers.language_endpoint();
  if (!endpoint)
    return fail(ErrorCode::kInvalid,
                "there is none: `make language` brings one, or set language.url");
  if (!local.wait_for("language"))
    return fail(ErrorCode::kUnavailable, "its worker does not start: see `aicall doctor`");
  const LanguageParts parts{local.loop, local.registry, local.log, local.clock, {}};
  auto made = make_language(config, *endpoint, parts);
  if (!made) return tl::unexpected<Error>(made.error());
  session->chat_ = std::move(*made);
  const auto ready = [&] { return session->chat_->available(); };
  for (int i = 0; i < kReadyTries && !on_loop(local.loop, ready); ++i) usleep(50'000);
  return session;
}

LanguageSession::~LanguageSession() {
  if (!chat_) return;
  on_loop(local_.loop, [this] {
    chat_.reset();
    return true;
  });
}

Result<inference::ChatAnswer> LanguageSession::ask(inference::ChatRequest request,
                                                   std::function<void(std::string_view)> on_piece) {
  Waiting waiting;
  waiting.piece = std::move(on_piece);
  auto answer = waiting.done.get_future();
  on_loop(local_.loop, [&] { return chat_->ask(std::move(request), waiting); });
  return answer.get();
}

}  // namespace yyc3::app
