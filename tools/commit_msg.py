"""Conventional Commits 1.0.0: type(scope): what, in the imperative. The scope is the room.

usage: commit_msg.py FILE      a message file, as git's commit-msg hook gives it
       commit_msg.py [RANGE]   commits of a range (default: the last 100), merges left out
"""
import pathlib
import re
import subprocess
import sys

TYPES = "feat fix docs test refactor perf build ci chore style revert".split()
FIRST = re.compile(rf"^({'|'.join(TYPES)})(\([a-z0-9_/,. -]+\))?!?: \S.*[^.\s]$")
MAX_FIRST = 100


def problems(message: str):
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    first = lines[0] if lines else ""
    if not FIRST.match(first):
        yield f"'{first}' is not 'type(room): what' without a full stop; types: {' '.join(TYPES)}"
    if len(first) > MAX_FIRST:
        yield f"first line has {len(first)} characters; {MAX_FIRST} at most"
    if len(lines) > 1 and lines[1].strip():
        yield "the second line must be empty"


def commits(argument):
    what = [argument] if argument else ["-100", "HEAD"]
    out = subprocess.run(["git", "log", "--no-merges", "--format=%h%x01%B%x02", *what], check=True, capture_output=True)
    for entry in out.stdout.decode(errors="replace").split("\x02"):
        if entry.strip():
            yield entry.strip().split("\x01", 1)


def main() -> int:
    argument = sys.argv[1] if len(sys.argv) > 1 else None
    if argument and pathlib.Path(argument).is_file():
        entries = [(argument, pathlib.Path(argument).read_text())]
    else:
        entries = list(commits(argument))
    bad = [f"{name}: {problem}" for name, message in entries for problem in problems(message)]
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"commit messages: {len(entries)} read, {len(bad)} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
