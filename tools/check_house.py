"""The house rules that no compiler knows. Prints every problem as file:line: what, and how to mend it.

usage: check_house.py [FILE…]    (default: all tracked files; also the ctest `house`)
"""
import pathlib
import re
import sys

import house as yard

MAX_LINES = 600
MAX_FUNCTION = 70
MAX_README = 30
MAX_BYTES = 1_000_000
CODE = {".cpp", ".hpp", ".py", ".ts", ".tsx", ".css", ".cmake", ".sh"}
HEADINGS = ["What it does", "Main types", "Threads and limits", "Errors", "How to test"]
THREAD_ROOMS = ("src/platform/", "src/engine/telephony/sip/", "src/engine/telephony/rtp/",
                "src/engine/telephony/recording/", "src/worker/")

CLOCK = re.compile(r"::now\(\)|\bgettimeofday\(|\bclock_gettime\(|\btime\((nullptr|NULL|0)\)")
THREAD = re.compile(r"\bstd::j?thread\b|\bpthread_create\(")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
NO_FUNCTION = re.compile(r"(namespace|class|struct|enum|union|extern|if|else|for|while|switch|do|try|catch|case)\b")
MACHINE = re.compile(r"(?<![\w.~-])/(work|root|farm|home/[a-z]\w*)/[\w.]")
REGISTRY = re.compile(r"https?://(registry|deb|files|pypi|proxy|static|index|security)\.[\w-]+\.")
AWAIT = re.compile(r"\bco_await\b")
TRIVIAL = re.compile(r"\b(Milliseconds|Microseconds|Seconds|SteadyTime)\{[^{}]*\}")  # nothing to free twice


def without_text(line: str) -> str:
    """The line without strings and comments, so that words in them are not code."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    line = re.sub(r"'(\\.|[^'\\])'", "''", line)
    return re.sub(r"//.*", "", line)


def awaited(text: str, start: int) -> str:
    """The expression of one co_await: up to the end of its statement or of the parenthesis around it."""
    depth = 0
    for end in range(start, min(len(text), start + 4000)):
        depth += text[end] in "([{"
        depth -= text[end] in ")]}"
        if depth < 0 or (depth == 0 and text[end] in ";,"):
            return text[start:end]
    return text[start:start + 4000]


def await_problems(path, text):
    """g++ 12 frees temporaries of a co_await expression twice: aggregates and capturing lambdas need a name."""
    code = "\n".join(without_text(line) for line in text.splitlines())
    for match in AWAIT.finditer(code):
        expression = awaited(code, match.end())
        number = code.count("\n", 0, match.start()) + 1
        capture = re.search(r"(?:^|[\s(,=])\[(?!\[)[^\]]+\]\s*(\(|\{|mutable|noexcept|->)", expression)
        if capture:
            yield number, "a capturing lambda inside a co_await expression; name it before (docs/decisions/0003)"
            expression = expression[:capture.start()]
        if re.search(r"[\w>(,]\s*\{", TRIVIAL.sub("", expression)):
            yield number, "a braced temporary inside a co_await expression; name it before (docs/decisions/0003)"


def long_functions(lines):
    """Braces are matched; what opened one is a function if its statement has parentheses and no other keyword."""
    stack, statement, began = [], "", 1
    for number, line in enumerate(lines, 1):
        for letter in "" if line.lstrip().startswith("#") else line:
            if not statement.strip():
                began = number
            if letter == "{":
                stack.append((began, statement.strip()))
                statement = ""
            elif letter == "}":
                first, head = stack.pop() if stack else (number, "")
                length = number - first + 1
                if length > MAX_FUNCTION and "(" in head and not head.endswith("=") and not NO_FUNCTION.match(head):
                    yield first, f"a function of {length} lines; {MAX_FUNCTION} at most, split it by step"
                statement = ""
            elif letter == ";":
                statement = ""
            else:
                statement += letter
        statement = re.sub(r"^\s*(public|private|protected):", "", statement) + " "


def cpp_problems(path, text):
    name = str(path)
    test = name.endswith("_test.cpp") or not name.startswith("src/")
    lines = [without_text(line) for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        if not test and not name.startswith("src/base/clock.") and CLOCK.search(line):
            yield number, "reads a clock; take a `const Clock&` (src/base/clock.hpp)"
        if not test and not name.startswith(THREAD_ROOMS) and THREAD.search(line):
            yield number, "starts a thread; post to a loop or a pool of platform/net instead"
    if not test:
        yield from long_functions(lines)
    yield from await_problems(path, text)


def file_problems(path, text):
    lines = text.splitlines()
    if path.suffix in CODE and len(lines) > MAX_LINES:
        yield len(lines), f"{len(lines)} lines; {MAX_LINES} at most, split by responsibility"
    if path.name in {"check_house.py"}:
        return
    for number, line in enumerate(lines, 1):
        if path.suffix in CODE and UNFINISHED.search(line):
            yield number, "unfinished work without an issue; finish it, or write TODO(#12)"
        if MACHINE.search(line):
            yield number, "a path of one machine; use one relative to the repository or the cache folder"
        if REGISTRY.search(line) or (path.name == "package-lock.json" and '"resolved"' in line):
            yield number, "names a package registry's host; the client's own configuration does that"
            break  # a lock file has thousands


def readme_problems(rooms, files):
    names = {str(file) for file in files}
    for room in rooms:
        if not any(name.startswith(f"src/{room}/") and name.endswith((".cpp", ".hpp")) for name in names):
            continue
        readme = f"src/{room}/README.md"
        if readme not in names:
            yield readme, 1, f"missing; five headings in at most {MAX_README} lines: {' · '.join(HEADINGS)}"
            continue
        text = yard.read(pathlib.Path(readme))
        found = re.findall(r"^#+ (.+?)\s*$", text, re.M)
        absent = [heading for heading in HEADINGS if heading not in found]
        if absent:
            yield readme, 1, f"lacks the heading {' and '.join(absent)}"
        if len(text.splitlines()) > MAX_README:
            yield readme, MAX_README, f"{len(text.splitlines())} lines; {MAX_README} at most"


def map_problems():
    """A map that names files which are gone misleads: every `src/…` in the map and the guides exists."""
    for path in yard.tracked("*.md", "docs/decisions/*.md"):
        for number, line in enumerate(yard.read(path).splitlines(), 1):
            for name in re.findall(r"`((?:src|tools|scripts|docs|cmake|fuzz|models|web)/[\w./-]+)`", line):
                if not (yard.ROOT / name).exists():
                    yield path, number, f"names {name}, which does not exist"


def main() -> int:
    files = [pathlib.Path(name) for name in sys.argv[1:]] or yard.tracked()
    problems = []
    for path in files:
        size = (yard.ROOT / path).stat().st_size
        if size > MAX_BYTES:
            problems.append((path, 1, f"{size} bytes; models, builds and recordings stay out of git"))
            continue
        if b"\0" in (yard.ROOT / path).read_bytes()[:4096]:
            continue
        text = yard.read(path)
        problems += [(path, *problem) for problem in file_problems(path, text)]
        if path.suffix in {".cpp", ".hpp"}:
            problems += [(path, *problem) for problem in cpp_problems(path, text)]
    if len(sys.argv) == 1:
        problems += readme_problems(yard.rooms(), files)
        problems += map_problems()
    for path, number, what in problems:
        print(f"{path}:{number}: {what}")
    print(f"house: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
