#include "worker/decode_pool.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "worker/whisper_decoder.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

constexpr auto kPatience = std::chrono::seconds(120);  // far beyond what any step needs

/// A pool of one seat on its home loop; `f` runs there.
struct Pool {
  Pool() {
    HearModels models;
    models.tables = testing::tables();
    auto base = WhisperModel::load(testing::models() / "whisper-base-q8_0.bin");
    auto tiny = WhisperModel::load(testing::models() / "whisper-tiny.en-q8_0.bin");
    REQUIRE(base);
    REQUIRE(tiny);
    models.chinese = *base;
    models.english = *tiny;
    pool = std::make_unique<DecodePool>(std::move(models), 1, home, log, clock);
  }
  ~Pool() {
    home.stop();
    home.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  template <class F>
  auto on_home(F f) {
    std::promise<decltype(f())> done;
    auto result = done.get_future();
    REQUIRE(home.post([&] { done.set_value(f()); }));
    REQUIRE(result.wait_for(kPatience) == std::future_status::ready);
    return result.get();
  }
  std::shared_ptr<DecodePool::Job> job(std::function<void(speech::wire::WorkerMessage)> answer) {
    auto made = std::make_shared<DecodePool::Job>();
    made->order.job = 1;
    made->order.spec.deadline = std::chrono::seconds(60);
    made->pcm = testing::noise(1600, 20);
    made->answer = std::move(answer);
    return made;
  }

  SystemClock clock;
  telemetry::NullLog log;
  net::EventLoop home{"home", log};
  std::unique_ptr<DecodePool> pool;
};

/// Hears nothing until it is released, whatever the deadline.
class StuckModel final : public HearModel {
 public:
  explicit StuckModel(std::shared_future<void> release) : release_(std::move(release)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder(text::TablesPtr,
                                                      const Clock&) const override {
    class StuckDecoder final : public Decoder {
     public:
      explicit StuckDecoder(std::shared_future<void> release) : release_(std::move(release)) {}
      Result<Decoded> decode(const DecodeRequest&, const StopFlag&) override {
        release_.wait();
        return Decoded{};
      }

     private:
      std::shared_future<void> release_;
    };
    return std::make_unique<StuckDecoder>(release_);
  }

 private:
  std::string name_ = "stuck";
  std::shared_future<void> release_;
};

/// Hears a loud sound until it is stopped, and nothing in silence.
class EndlessModel final : public HearModel {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder(text::TablesPtr,
                                                      const Clock&) const override {
    class EndlessDecoder final : public Decoder {
     public:
      Result<Decoded> decode(const DecodeRequest& request, const StopFlag& stop) override {
        if (request.pcm.front() == 0) return Decoded{};
        const auto begin = std::chrono::steady_clock::now();
        while (!stop.cancelled && std::chrono::steady_clock::now() - begin < kPatience)
          std::this_thread::sleep_for(Milliseconds(1));
        return fail(ErrorCode::kCancelled, "stopped");
      }
    };
    return std::make_unique<EndlessDecoder>();
  }

 private:
  std::string name_ = "endless";
};

class SharedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime now() const override { return SteadyTime(Milliseconds(ms.load())); }
  [[nodiscard]] UtcTime utc() const override { return {}; }
  std::atomic<int> ms{0};
};

TEST_CASE("a decode that runs for three deadlines makes the pool say that it is stuck") {
  std::promise<void> release;
  SharedClock clock;
  telemetry::NullLog log;
  net::EventLoop home("home", log);
  HearModels models;
  models.chinese = std::make_shared<StuckModel>(release.get_future().share());
  DecodePool pool(std::move(models), 1, home, log, clock);
  const auto job = std::make_shared<DecodePool::Job>();
  job->order.spec.deadline = Milliseconds(3'000);
  std::promise<void> answered;
  job->answer = [&](const speech::wire::WorkerMessage&) { answered.set_value(); };
  const auto on_home = [&](const std::function<bool()>& ask) {
    std::promise<bool> done;
    auto result = done.get_future();
    REQUIRE(home.post([&] { done.set_value(ask()); }));
    REQUIRE(result.wait_for(kPatience) == std::future_status::ready);
    return result.get();
  };
  const std::function<bool()> stuck = [&] { return pool.stuck(); };
  const std::function<bool()> add = [&] {
    pool.add(job);
    return true;
  };
  on_home(add);
  clock.ms = 9'000;
  CHECK_FALSE(on_home(stuck));
  clock.ms = 9'001;
  CHECK(on_home(stuck));
  release.set_value();
  REQUIRE(answered.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK_FALSE(on_home(stuck));
  home.stop();
  home.join();
}

TEST_CASE("a partial decode needs an idle decoder and makes way for any other") {
  using speech::wire::JobError;
  using speech::wire::WorkerMessage;
  SharedClock clock;
  telemetry::NullLog log;
  net::EventLoop home("home", log);
  HearModels models;
  models.chinese = std::make_shared<EndlessModel>();
  DecodePool pool(std::move(models), 1, home, log, clock);
  std::array<std::promise<WorkerMessage>, 9> answers;
  const auto add = [&](std::size_t number, bool partial, std::int16_t loud) {
    const auto job = std::make_shared<DecodePool::Job>();
    job->order.job = number;
    job->order.spec.partial = partial;
    job->pcm.assign(1600, loud);
    job->answer = [&answers, number](const WorkerMessage& m) { answers.at(number).set_value(m); };
    pool.add(job);
    return job;
  };
  std::promise<void> asked;
  REQUIRE(home.post([&] {
    add(0, true, 1'000);  // runs
    add(1, true, 1'000);  // the only decoder is busy
    add(2, false, 0);     // the caller of another call has ended
    asked.set_value();
  }));
  REQUIRE(asked.get_future().wait_for(kPatience) == std::future_status::ready);
  const auto answer = [&](std::size_t number) {
    auto told = answers.at(number).get_future();
    REQUIRE(told.wait_for(kPatience) == std::future_status::ready);
    return told.get();
  };
  for (const std::size_t number : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(number);
    const WorkerMessage told = answer(number);
    REQUIRE(std::holds_alternative<JobError>(told));
    CHECK(std::get<JobError>(told).error.code == ErrorCode::kBusy);
  }
  CHECK(std::holds_alternative<speech::wire::Text>(answer(2)));
  // One that took 100 ms is followed by 200 ms of rest.
  std::promise<void> begun;
  REQUIRE(home.post([&] {
    add(5, true, 1'000);
    begun.set_value();
  }));
  REQUIRE(begun.get_future().wait_for(kPatience) == std::future_status::ready);
  clock.ms = 100;
  REQUIRE(home.post([&] { add(6, false, 0); }));
  CHECK(std::holds_alternative<speech::wire::Text>(answer(6)));
  CHECK(std::holds_alternative<JobError>(answer(5)));
  clock.ms = 299;
  REQUIRE(home.post([&] { add(7, true, 0); }));
  CHECK(std::holds_alternative<JobError>(answer(7)));
  clock.ms = 300;
  REQUIRE(home.post([&] { add(8, true, 0); }));
  CHECK(std::holds_alternative<speech::wire::Text>(answer(8)));
  // One that has made way and is then given up answers nothing.
  std::promise<void> given_up;
  REQUIRE(home.post([&] {
    const auto partial = add(3, true, 1'000);
    add(4, false, 0);
    pool.cancel(partial);
    given_up.set_value();
  }));
  REQUIRE(given_up.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(std::holds_alternative<speech::wire::Text>(answer(4)));
  CHECK(answers[3].get_future().wait_for(Milliseconds(0)) == std::future_status::timeout);
  home.stop();
  home.join();
}

TEST_CASE("a decode that is asked for goes before the rehearsals, which all come to their end") {
  struct Seen {
    bool text = false;
    std::size_t left = 0;
    std::size_t rehearsed = 0;
  };
  Pool p;
  std::promise<Seen> answered;
  auto answer = answered.get_future();
  const std::size_t begun = p.on_home([&] {
    p.pool->rehearse();
    const std::size_t left = p.pool->rehearsals_left();
    p.pool->add(p.job([&](const speech::wire::WorkerMessage& message) {
      answered.set_value({std::holds_alternative<speech::wire::Text>(message),
                          p.pool->rehearsals_left(), p.pool->rehearsed()});
    }));
    return left;
  });
  CHECK(begun == 4);  // yes/no and digit, Chinese and English
  REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
  const Seen seen = answer.get();
  CHECK(seen.text);
  CHECK(seen.left == 4);
  CHECK(seen.rehearsed == 0);
  const auto begin = std::chrono::steady_clock::now();
  while (p.on_home([&] { return p.pool->rehearsals_left(); }) > 0 &&
         std::chrono::steady_clock::now() - begin < kPatience)
    std::this_thread::sleep_for(Milliseconds(20));
  CHECK(p.on_home([&] { return p.pool->rehearsed(); }) == 4);
}

TEST_CASE("a rehearsal that is disturbed again and again is given up") {
  Pool p;
  for (int i = 0; i < 4 * DecodePool::kRehearsalTries; ++i) {
    std::promise<void> answered;
    auto answer = answered.get_future();
    p.on_home([&] {
      if (i == 0) p.pool->rehearse();
      p.pool->add(p.job([&](const speech::wire::WorkerMessage&) { answered.set_value(); }));
      return 0;
    });
    REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
  }
  CHECK(p.on_home([&] { return p.pool->rehearsals_left(); }) == 0);
  CHECK(p.on_home([&] { return p.pool->rehearsed(); }) < 4);
}

}  // namespace
}  // namespace yyc3::worker
