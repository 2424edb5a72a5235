"""The checks find what they are for, and leave good code alone."""
import pathlib
import unittest

import check_house
import commit_msg
import house
import test_summary


def found(name: str, text: str) -> list[str]:
    path = pathlib.Path(name)
    return [what for _, what in [*check_house.file_problems(path, text), *check_house.cpp_problems(path, text)]]


class HouseRules(unittest.TestCase):
    def test_each_rule_bites(self):
        awaits = "Task<void> f() {\n  %s\n}\n"
        for why, name, text in [
            ("clock", "src/product/call/a.cpp", "auto t = std::chrono::steady_clock::now();"),
            ("thread", "src/product/call/a.cpp", "std::jthread worker;"),
            ("unfinished", "src/product/call/a.cpp", "// TO" "DO mend"),
            ("machine path", "docs/a.md", "see /wo" "rk/main"),
            ("registry", "web/package-lock.json", '"reso' 'lved": "x"'),
            ("long file", "src/product/call/a.cpp", "int a;\n" * 601),
            ("long function", "src/product/call/a.cpp", "void f() {\n" + "  g();\n" * 70 + "}\n"),
            ("long method", "src/product/call/a.hpp", "class A {\n  void f() {\n" + "    g();\n" * 70 + "  }\n};\n"),
            ("lambda", "src/product/call/a.cpp", awaits % "co_await db.read(lane, [&](auto& c) { return c; });"),
            ("lambda over lines", "src/product/call/a.cpp", awaits % "co_await db.read(\n    lane,\n    [x] { return x; });"),
            ("braces", "src/product/call/a.cpp", awaits % "co_await dial(Request{1, 2});"),
            ("bare braces", "src/product/call/a.cpp", awaits % "co_await dial({1, 2});"),
        ]:
            with self.subTest(why):
                self.assertEqual(len(found(name, text)), 1)

    def test_good_code_passes(self):
        for why, name, text in [
            ("the clock itself", "src/base/clock.cpp", "return std::chrono::steady_clock::now();"),
            ("a test may measure", "src/base/a_test.cpp", "auto t = std::chrono::steady_clock::now();"),
            ("platform threads", "src/platform/net/a.cpp", "std::jthread worker;"),
            ("words in text", "src/product/call/a.cpp", 'log("std::thread");  // std::thread'),
            ("an issue is named", "src/product/call/a.cpp", "// TO" "DO(#12) mend"),
            ("named first", "src/product/call/a.cpp", "Task<void> f() {\n  co_await dial(request, items[0]);\n}\n"),
            ("nothing to free", "src/product/call/a.cpp", "Task<void> f() {\n  co_await sleep_for(Milliseconds{10});\n}\n"),
            ("after the statement", "src/product/call/a.cpp", "Task<void> f() {\n  if (co_await g()) {\n  }\n}\n"),
            ("a long class", "src/product/call/a.hpp", "class A : B<int(int)> {\n" + "  void f() {\n  }\n" * 40 + "};\n"),
            ("a long table", "src/product/call/a.cpp", "const int kTable[f(2)] = {\n" + "  1,\n" * 80 + "};\n"),
            ("longest function", "src/product/call/a.cpp", "void f() {\n" + "  g();\n" * 68 + "}\n"),
        ]:
            with self.subTest(why):
                self.assertEqual(found(name, text), [])


class Map(unittest.TestCase):
    def test_longest_room_wins(self):
        rooms = {"engine/telephony": [], "engine/telephony/sip": []}
        self.assertEqual(house.room_of("engine/telephony/sip/a.hpp", rooms), "engine/telephony/sip")
        self.assertIsNone(house.room_of("engine/text/a.hpp", rooms))

    def test_map_is_read(self):
        rooms = house.rooms()
        self.assertEqual(rooms["base"], [])
        self.assertIn("base", rooms["platform/net"])


class Commits(unittest.TestCase):
    def test_messages(self):
        good = ["feat(net): a web server", "fix!: no crash\n\nWhy.", "docs(api,web): words"]
        bad = ["Fixed things", "feat: ends with a stop.", "feat(net) no colon", "feat: a\nsecond line", "feat: " + "x" * 100]
        for message in good:
            self.assertEqual(list(commit_msg.problems(message)), [], message)
        for message in bad:
            self.assertNotEqual(list(commit_msg.problems(message)), [], message)


class Summary(unittest.TestCase):
    def test_closing_lines(self):
        for line, counts in [
            ("100% tests passed, 0 tests failed out of 31", (31, 0)),
            ("90% tests passed, 1 tests failed out of 10", (9, 1)),
            ("      Tests  12 passed (12)", (12, 0)),
            ("      Tests  2 failed | 10 passed (12)", (10, 2)),
            ("checks: 6 passed, 1 failed", (6, 1)),
            ("Test project build", None),
        ]:
            self.assertEqual(test_summary.counts(line), counts)


if __name__ == "__main__":
    unittest.main()
