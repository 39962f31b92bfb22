# Everything that is done with this repository. It needs Python 3.11 or later, make and a package index.
PYTHON ?= python3
# More than cores: many tests wait for processes of theirs.
WORKERS ?= 3
SOAK_MINUTES ?= 5

# uv from the PATH where it works; otherwise a private copy in .uv/, which `setup` fetches with pip.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
RUN := $(UV) run --locked
# Behind a proxy of a company the system's certificates are the ones that count.
export UV_SYSTEM_CERTS ?= true

# Compiled modules are kept: tests and benchmarks start hundreds of processes, and each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup browser demo test check audit bench soak images

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(filter .uv/%,$(UV)) ## install everything into .venv/
	$(UV) sync --locked

# --target works on systems that forbid pip outside a virtual environment.
.uv/bin/uv:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv "uv>=0.13"
	@echo '*' > .uv/.gitignore

# Pages are tested in Chromium: the system's, or the one that Playwright fetches.
browser: setup
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } \
	|| $(RUN) playwright install chromium

# The tests start a PostgreSQL of their own. Where it can be installed it is; otherwise they say that they left it out.
.PHONY: postgresql
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null; } || \
	echo "PostgreSQL is not installed and cannot be: the tests that need it are skipped (apt-get install postgresql)" >&2

demo: setup ## plan, run, change the data, run again, compare, serve the web app; ONCE=1 ends before that
	@$(RUN) python -m examples.demo $(if $(ONCE),--once)

check: setup ## format, lint, types, import directions, lock file
	$(UV) lock --check
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports --no-logo
	@$(MAKE) --no-print-directory audit

audit: ## are there known holes in the dependencies? Where that cannot be asked this says so and passes
	@told=$$(UV_HTTP_RETRIES=0 $(UV) audit --locked --preview-features audit-command $(AUDIT) 2>&1) && { echo "$$told" | tail -n 3; exit 0; }; \
	case "$$told" in \
	*ulnerabilit*) echo "$$told" | tail -n 30; exit 1;; \
	*) echo "dependencies are not audited: $$(echo "$$told" | grep -m 1 error)" >&2;; \
	esac

test: check browser postgresql ## all checks and all tests
	@# The browser's tests come apart: its driver keeps an event loop running in its process, and each worker has a
	@# browser and a server beside it. Of these what fails is tried once more, with the machine to itself.
	code=0; \
	$(RUN) pytest -n $(WORKERS) --ignore tests/web || code=1; \
	$(RUN) pytest -n 2 tests/web || $(RUN) pytest --last-failed --last-failed-no-failures none tests/web || code=1; \
	exit $$code

bench: setup ## measure, print a table, write JSON to .bench/
	@$(RUN) python -m benchmarks

soak: setup ## many runs with random changes and faults; the list must equal the query after each; then 50 orchestrations at once
	@$(RUN) python -m examples.soak --minutes $(SOAK_MINUTES)
	$(RUN) pytest -n $(WORKERS) -m soak
	@$(RUN) python -m examples.many

images: browser ## make the pictures of the documents anew from a real run
	@$(RUN) python -m docs.make_images
