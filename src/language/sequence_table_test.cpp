#include "language/sequence_table.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace yyc3::language {
namespace {

using Tokens = std::vector<Token>;

void read_rest(SequenceTable& table, const SequenceTable::Place& place, const Tokens& prompt) {
  table.append(place.sequence, std::span(prompt).subspan(place.kept));
}

TEST_CASE("what a prompt begins with is read once") {
  SequenceTable table(3);
  const Tokens first{1, 2, 3, 4};
  const auto a = table.take(first, "one");
  REQUIRE(a);
  CHECK(a->kept == 0);
  CHECK_FALSE(a->copy_of);
  read_rest(table, *a, first);

  SUBCASE("of a busy sequence it is copied") {
    const auto b = table.take(Tokens{1, 2, 9}, "two");
    REQUIRE(b);
    CHECK(b->sequence != a->sequence);
    CHECK(b->kept == 2);
    CHECK(b->copy_of == a->sequence);
  }
  SUBCASE("a conversation goes on where it was") {
    table.release(a->sequence);
    const auto b = table.take(Tokens{1, 2, 3, 4, 5}, "one");
    REQUIRE(b);
    CHECK(b->sequence == a->sequence);
    CHECK(b->kept == 4);
    CHECK_FALSE(b->copy_of);
  }
  SUBCASE("the last token is read again: it alone tells what follows") {
    table.release(a->sequence);
    const auto b = table.take(first, "one");
    REQUIRE(b);
    CHECK(b->kept == 3);
  }
  SUBCASE("the place that was idle for longest is taken") {
    table.release(a->sequence);
    const auto b = table.take(Tokens{7}, "two");
    read_rest(table, *b, {7});
    table.release(b->sequence);
    const auto c = table.take(Tokens{8}, "three");
    read_rest(table, *c, {8});
    table.release(c->sequence);
    const auto d = table.take(Tokens{1, 2, 5}, "four");
    REQUIRE(d);
    CHECK(d->sequence == a->sequence);  // the oldest place, and the beginning that it holds
    CHECK(d->kept == 2);
    CHECK_FALSE(d->copy_of);
    read_rest(table, *d, {1, 2, 5});
    table.release(d->sequence);
    const auto e = table.take(Tokens{9}, "five");
    REQUIRE(e);
    CHECK(e->sequence == b->sequence);  // "two" is the oldest now
  }
}

TEST_CASE("when all sequences are busy there is no place") {
  SequenceTable table(1);
  const auto a = table.take(Tokens{1}, "");
  REQUIRE(a);
  CHECK_FALSE(table.take(Tokens{1}, ""));
  table.release(a->sequence);
  CHECK(table.take(Tokens{1}, ""));
}

TEST_CASE("room is made by the idle sequence that was not used for longest") {
  SequenceTable table(3);
  const auto a = table.take(Tokens{1, 2}, "a");
  read_rest(table, *a, {1, 2});
  const auto b = table.take(Tokens{3, 4}, "b");
  read_rest(table, *b, {3, 4});
  CHECK_FALSE(table.evict());  // both are busy
  table.release(b->sequence);
  table.release(a->sequence);
  CHECK(table.evict() == a->sequence);
  CHECK(table.size(a->sequence) == 0);
  CHECK(table.evict() == b->sequence);
  CHECK_FALSE(table.evict());
}

TEST_CASE("property: what is kept is what a real memory would hold") {
  CHECK(rc::check([] {
    SequenceTable table(3);
    std::vector<Tokens> memory(3);  // as llama.cpp holds it
    for (int i = 0; i < 60; ++i) {
      const auto prompt = *rc::gen::nonEmpty(rc::gen::container<Tokens>(rc::gen::inRange(0, 3)));
      const auto owner = *rc::gen::element<std::string>("a", "b", "");
      const auto place = table.take(prompt, owner);
      RC_ASSERT(place);
      Tokens& at = memory[static_cast<std::size_t>(place->sequence)];
      if (place->copy_of) at = memory[static_cast<std::size_t>(*place->copy_of)];
      RC_ASSERT(place->kept < prompt.size());
      RC_ASSERT(place->kept <= at.size());
      at.resize(place->kept);
      RC_ASSERT(std::equal(at.begin(), at.end(), prompt.begin()));
      at = prompt;
      read_rest(table, *place, prompt);
      table.release(place->sequence);
      if (*rc::gen::inRange(0, 5) == 0)
        if (const auto freed = table.evict()) memory[static_cast<std::size_t>(*freed)].clear();
    }
  }));
}

}  // namespace
}  // namespace yyc3::language
