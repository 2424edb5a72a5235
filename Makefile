# Thin: every target calls scripts/. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: demo demo-check build language dist test test-long accept soak bench format tidy check clean help

demo: ## set up, build, start the system and let it make one real AI phone call here
	@scripts/setup demo && scripts/build && scripts/demo

demo-check: ## the demo with nobody watching: five seeds must reach their goal
	@scripts/setup demo && scripts/build && scripts/demo --check

build: ## set up and build build/release/aicall and aicall-worker
	@scripts/setup build && scripts/build

language: ## llama.cpp and a language model of 1.1 GB, for calls and `aicall language` (some minutes)
	@scripts/setup language && scripts/build

dist: ## a folder and an archive that start on another Debian 12: build/dist
	@scripts/setup build && scripts/build && scripts/dist

test: ## set up, build and run everything that CI runs
	@scripts/test

test-long: ## the same with long fuzzing, all of clang-tidy, fault drills and large seeds
	@scripts/test --long

accept: ## the targets that need a quiet machine: latency, recognition, memory (five hours, with `make language`)
	@scripts/setup demo && scripts/setup language && scripts/build && scripts/accept

bench: ## the figures of README's table
	@scripts/setup demo && scripts/build && scripts/bench

soak: ## 200 calls to the simulated phone, four at once: memory, descriptors and gaps must not grow (CALLS=, AT_ONCE=)
	@scripts/setup demo && scripts/build && scripts/soak

format: ## clang-format 19 on everything tracked
	@git ls-files -z '*.cpp' '*.hpp' | xargs -0 clang-format-19 -i

tidy: ## clang-tidy 19 on the whole tree (15 minutes)
	@scripts/tidy all

check: ## the checks that need no build
	@tools/check_all

clean: ## remove what was built here (not the cache folder)
	@rm -rf build web/dist

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20
