import pathlib
import subprocess
import sys
import tempfile
import unittest

import unity


class Unity(unittest.TestCase):
    def test_names_at_namespace_scope_are_found_others_are_not(self):
        text = """
            #include "a.hpp"
            #define LOUD(x) x
            namespace yyc3::net {
            namespace {
            constexpr std::string_view kWord = "struct No { int a; }";  // enum Never { kNone };
            using Clock = std::chrono::steady_clock;
            struct Seen : Base { int inside = 0; void method(); };
            enum class Colour { kRed };
            template <class T> [[nodiscard]] std::vector<T> twice(const T& one) { auto local = one; return {one, one}; }
            }  // namespace
            Result<void> Server::start(int port) { return other(port); }
            Server::Server(Log& log) : log_(log) {}
            }  // namespace yyc3::net
            using namespace yyc3;
            TEST_CASE("a story") { int x = 0; }
        """
        self.assertEqual(unity.declared(text), {"LOUD", "kWord", "Clock", "Seen", "Colour", "twice"})

    def test_files_with_a_common_name_stand_apart_and_outputs_are_touched_only_when_they_change(self):
        with tempfile.TemporaryDirectory() as folder:
            files = {"a.cpp": "namespace { int taken = 1; }", "b.cpp": "namespace { int taken = 2; }", "c.cpp": "int own();"}
            for name, text in files.items():
                (pathlib.Path(folder) / name).write_text(text)
            paths = [f"{folder}/{name}" for name in files]  # an absolute path stays itself below src/
            command = [sys.executable, unity.__file__, f"{folder}/out", "room", *paths]
            made = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            self.assertEqual([pathlib.Path(path).name for path in made], ["room_0.cpp", "room_1.cpp"])
            self.assertEqual(pathlib.Path(made[0]).read_text(), f'#include "{folder}/a.cpp"\n#include "{folder}/c.cpp"\n')
            before = pathlib.Path(made[0]).stat().st_mtime_ns
            subprocess.run(command, check=True, capture_output=True)
            self.assertEqual(pathlib.Path(made[0]).stat().st_mtime_ns, before)


if __name__ == "__main__":
    unittest.main()
