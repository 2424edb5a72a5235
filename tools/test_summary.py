"""Adds up what the stages of scripts/test printed: quotes each runner's closing line, then 'N passed, N failed'.

usage: test_summary.py FOLDER    (<stage>.out, and <stage>.failed for a stage that failed)
A stage that failed without a counted failure (a build, a check) counts as one failure. Exit 1 on any failure, and when
nothing was counted at all.
"""
import pathlib
import re
import sys

CTEST = re.compile(r"^\d+% tests passed, (\d+) tests failed out of (\d+)$")
VITEST = re.compile(r"^\s*Tests\s+(?:(\d+) failed[ |]+)?(?:(\d+) passed)?.*\(\d+\)$")
CHECKS = re.compile(r"^(?:checks: )?(\d+) passed, (\d+) failed$")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def counts(line: str):
    """(passed, failed) when the line is a runner's closing line, else None."""
    if match := CTEST.match(line):
        return int(match[2]) - int(match[1]), int(match[1])
    if match := CHECKS.match(line):
        return int(match[1]), int(match[2])
    if (match := VITEST.match(line)) and (match[1] or match[2]):
        return int(match[2] or 0), int(match[1] or 0)
    return None


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    passed = failed = 0
    for out in sorted(folder.glob("*.out"), key=lambda f: f.stat().st_mtime):
        stage_failed = 0
        for line in ANSI.sub("", out.read_text(errors="replace")).splitlines():
            if found := counts(line):
                print(f"{out.stem:16} {line.strip()}")
                passed += found[0]
                stage_failed += found[1]
        if (folder / f"{out.stem}.failed").exists() and stage_failed == 0:
            print(f"{out.stem:16} FAILED")
            stage_failed = 1
        failed += stage_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
