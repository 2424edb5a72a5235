#include "language/sequence_table.hpp"

#include <algorithm>

namespace yyc3::language {

namespace {

std::size_t common(std::span<const Token> a, std::span<const Token> b) {
  const auto [first, second] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(first - a.begin());
}

}  // namespace

/// Its own sequence, an empty one, or the idle one that was not used for longest.
std::optional<std::size_t> SequenceTable::home_of(std::string_view owner) const {
  std::optional<std::size_t> oldest;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (row.busy) continue;
    if (!owner.empty() && row.owner == owner) return i;
    const auto age = [](const Row& each) { return each.tokens.empty() ? 0 : each.used; };
    if (!oldest || age(row) < age(rows_[*oldest])) oldest = i;
  }
  return oldest;
}

std::optional<SequenceTable::Place> SequenceTable::take(std::span<const Token> prompt,
                                                        std::string_view owner) {
  const auto home = home_of(owner);
  if (!home) return std::nullopt;
  std::size_t best = *home;
  std::size_t kept = common(prompt, rows_[best].tokens);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::size_t alike = common(prompt, rows_[i].tokens);
    if (alike > kept) {
      best = i;
      kept = alike;
    }
  }
  kept = std::min(kept, prompt.size() - 1);  // what follows is told by the last token alone
  Row& row = rows_[*home];
  Place place{static_cast<int>(*home), kept, std::nullopt};
  if (best != *home && kept > 0) place.copy_of = static_cast<int>(best);
  row.tokens.assign(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(kept));
  row.owner = owner;
  row.busy = true;
  rows_[best].used = ++now_;  // a beginning that others share stays
  row.used = ++now_;
  return place;
}

void SequenceTable::append(int sequence, std::span<const Token> tokens) {
  Row& at = row(sequence);
  at.tokens.insert(at.tokens.end(), tokens.begin(), tokens.end());
  at.used = ++now_;
}

void SequenceTable::release(int sequence) { row(sequence).busy = false; }

std::optional<int> SequenceTable::evict() {
  std::optional<int> oldest;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (!rows_[i].busy && !rows_[i].tokens.empty() &&
        (!oldest || rows_[i].used < row(*oldest).used))
      oldest = static_cast<int>(i);
  if (oldest) forget(*oldest);
  return oldest;
}

void SequenceTable::forget(int sequence) { row(sequence) = Row{}; }

}  // namespace yyc3::language
