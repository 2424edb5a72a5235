#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>

namespace yyc3 {

/// A bounded queue from exactly one producer thread to exactly one consumer thread. Wait-free,
/// never allocates: what the media thread may touch. `Slots` is a power of two. Full: `push`
/// refuses and the producer decides what to drop (and counts it).
template <class T, std::size_t Slots>
class SpscRing {
  static_assert(std::has_single_bit(Slots));

 public:
  /// Producer only. False when full; `value` is then untouched.
  bool push(const T& value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == Slots) return false;
    slots_[tail % Slots] = value;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Consumer only. False when empty.
  bool pop(T& out) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    out = slots_[head % Slots];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  /// Consumer only: the next value without taking it, or nullptr.
  [[nodiscard]] const T* peek() const {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    return head == tail_.load(std::memory_order_acquire) ? nullptr : &slots_[head % Slots];
  }

  /// Any thread; exact only on the two that use the ring.
  [[nodiscard]] std::size_t size() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool empty() const { return size() == 0; }
  static constexpr std::size_t capacity() { return Slots; }

 private:
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::array<T, Slots> slots_{};
};

}  // namespace yyc3
