#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/telephony/rtp/fetch_ahead.hpp"

namespace yyc3::rtp {

/// SpscRing for large values: written and read in place, so 20 ms of audio are copied once each
/// way. One producer thread, one consumer thread; wait-free; never allocates.
/// Any number of slots: the 64-bit counters do not wrap in the life of a stream.
template <class T, std::size_t Slots>
class FrameRing {
 public:
  /// Producer: the slot to fill, or nullptr when full. Nothing is seen of it until publish().
  T* claim() {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) >= Slots) return nullptr;
    return &slots_[tail % Slots];
  }
  void publish() {
    tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  bool push(const T& value) {
    T* const slot = claim();
    if (slot == nullptr) return false;
    *slot = value;
    publish();
    return true;
  }

  /// Consumer: the oldest value, or nullptr when empty. It stays until drop().
  [[nodiscard]] const T* peek() const {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    return head == tail_.load(std::memory_order_acquire) ? nullptr : &slots_[head % Slots];
  }
  void drop() { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  bool pop(T& out) {
    const T* const slot = peek();
    if (slot == nullptr) return false;
    out = *slot;
    drop();
    return true;
  }

  /// Either side: its counters, then (they have come) the slot that is claimed or read next.
  void fetch_counters() const { fetch_ahead(&head_, &tail_ + 1); }
  void fetch_claim() const {
    const T* const slot = &slots_[tail_.load(std::memory_order_relaxed) % Slots];
    fetch_ahead(slot, slot + 1);
  }
  void fetch_peek() const {
    const T* const slot = &slots_[head_.load(std::memory_order_relaxed) % Slots];
    fetch_ahead(slot, slot + 1);
  }

  /// Any thread; exact only on the two that use the ring.
  [[nodiscard]] std::size_t size() const {
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    return static_cast<std::size_t>(tail_.load(std::memory_order_acquire) - head);
  }
  [[nodiscard]] bool empty() const { return size() == 0; }
  static constexpr std::size_t capacity() { return Slots; }

 private:
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::array<T, Slots> slots_{};
};

}  // namespace yyc3::rtp
