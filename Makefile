# interleave: `make help` lists what there is to do, `make run` does all of it on a fresh Debian machine.
#
#   build/interleave, build/interleave-worker            VARIANT=release (default)
#   build/san/interleave, build/san/interleave-worker    VARIANT=san: AddressSanitizer and UBSan; the tests' programs
#   build/fuzz/, build/coverage/                         VARIANT=fuzz (clang), VARIANT=coverage: programs of tests/ only
#   build/gen/                                           written sources: SQL statements, the live page, version
#
# Sources are found by their place, so a new file needs no line here. V=1 shows whole commands.

# All variables that `make X=...` may set. Any other is a slip of the fingers: nothing is done then.
RUN_VARIABLES     := PORT TLS_PORT LISTEN DEMO CONFIG OPTIONS DATABASE_URL STATE_DIR
BUILD_VARIABLES   := VARIANT CC CFLAGS LDFLAGS WARNINGS WERROR VERSION V PREFIX DESTDIR SHELL
TEST_VARIABLES    := TESTS TOGETHER TIME_LIMIT FUZZ_SECONDS FUZZ_TARGETS FUZZ_KEEP SECONDS TARGETS
MEASURE_VARIABLES := CONFIGS LOAD CONNS ROUNDS SECS RUNS ROWS BASE CHECK OUT DIR TRIES
KNOWN_VARIABLES   := $(RUN_VARIABLES) $(BUILD_VARIABLES) $(TEST_VARIABLES) $(MEASURE_VARIABLES)

UNKNOWN := $(filter-out $(KNOWN_VARIABLES) -%,$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $(v))),$(v))))
ifneq ($(UNKNOWN),)
$(error $(shell config/run/unknown '$(firstword $(UNKNOWN))' $(KNOWN_VARIABLES)))
endif

VERSION := 0.1
PREFIX  := /usr/local
VARIANT := release
CFLAGS   = -O2 -g
LDFLAGS  =

ifeq ($(VARIANT),release)
B := build
else ifeq ($(VARIANT),san)
B := build/san
override CFLAGS := -O1 -g
DEFINES := -DNO_TARGET_CLONES -DTEST_KERNELS
else ifeq ($(VARIANT),fuzz)
B := build/fuzz
override CFLAGS := -O1 -g
override CC := clang
DEFINES := -DNO_TARGET_CLONES -DTEST_KERNELS
else ifeq ($(VARIANT),coverage)
B := build/coverage
override CFLAGS := -O0 -g
DEFINES := -DNO_TARGET_CLONES -DTEST_KERNELS
else
$(error VARIANT is release, san, fuzz or coverage, not '$(VARIANT)')
endif

O   := $(B)/obj
GEN := build/gen

# ---- what is compiled -----------------------------------------------------------------------------------------

COMMON  := $(wildcard server/common/*.c)
KERNELS := $(wildcard workers/kernels/*.c)
SERVER  := $(wildcard server/*.c server/*/*.c) $(KERNELS) $(GEN)/statements.c $(GEN)/web.c
WORKER  := $(wildcard workers/*.c) $(KERNELS)
TESTLIB := $(wildcard tests/lib/*.c)
UNIT    := $(wildcard tests/unit/test_*.c)
LOOP    := $(wildcard tests/loop/test_*.c)
E2E     := $(wildcard tests/e2e/test_*.c)
FUZZ    := $(wildcard tests/fuzz/fuzz_*.c)

# The worker takes from server/common only what it uses, or it would need inih as well.
SERVER_LIBS := -levent_core -levent_extra -lpq -linih -ljansson -lz -lm -lssl -lcrypto
WORKER_LIBS := -lz -lm
TEST_LIBS   := -lcheck -lsubunit -lrt -lpthread $(SERVER_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wconversion -Wvla \
            -Wimplicit-fallthrough
COMPILE = $(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) $(WERROR) -D_GNU_SOURCE $(DEFINES) \
          -Iserver -Iworkers -I$(GEN) -MMD -MP
HOT     = -O3 -ffp-contract=off
LINK    = $(CC) $(CFLAGS) $(LDFLAGS)
objects = $(addprefix $(O)/,$(1:.c=.o))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '%-5s %s\n' $(1) '$(2)'
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDEXPANSION:
.SUFFIXES:
.SECONDARY:
.PHONY: all help run test fuzz coverage compare images bench lint format install clean FORCE unit loop e2e fuzzers

all: $(B)/interleave $(B)/interleave-worker ## build the server and its workers (the default)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  make run [PORT=8080] [TLS_PORT=8443] [LISTEN=127.0.0.1] [CONFIG=config/multi-worker.conf] [DEMO=yes|no]'
	@echo '           [OPTIONS="-o workers=1"] [DATABASE_URL=postgres://...] [STATE_DIR=...]'
	@echo '  make test [TESTS="unit/test_buf e2e"]       only programs whose names contain one of these words'
	@echo '  make [VARIANT=san] [CC=clang] [WERROR=-Werror] [V=1]'
	@echo '  make install [DESTDIR=] [PREFIX=/usr/local]'

# ---- programs -------------------------------------------------------------------------------------------------

$(B)/interleave: $(call objects,$(SERVER))
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ @$(O)/ld.flags $(SERVER_LIBS)

$(B)/interleave-worker: $(call objects,$(WORKER)) $(O)/common.a
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ @$(O)/ld.flags $(WORKER_LIBS)

$(O)/common.a: $(call objects,$(COMMON))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/%.o: %.c $(O)/settings | $(GEN)/common/version.h $(GEN)/statements.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) @$(O)/cc.flags $(EXTRA) -c -o $@ $<

# Kernels: vectorised, the same bytes on every machine; their instruction sets by target_clones in the code.
$(O)/workers/kernels/%.o: workers/kernels/%.c $(O)/settings
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) $(if $(filter release,$(VARIANT)),$(HOT)) -ffp-contract=off @$(O)/hot.flags -c -o $@ $<

$(O)/tests/%.o: EXTRA = -Itests -Itests/lib

# A change of compiler or flags builds everything anew; what the compiler knows is tried out then (see the script).
$(O)/settings: config/run/flags FORCE
	@mkdir -p $(@D)
	@{ echo '$(COMPILE) $(HOT) $(LINK)'; cksum config/run/flags; $(CC) --version | head -n 1; } > $@.new 2>&1
	@if cmp -s $@.new $@; then rm $@.new; else \
	    config/run/flags '$(CC)' $(VARIANT) $(O) && mv $@.new $@; fi

# ---- written sources ------------------------------------------------------------------------------------------

$(GEN)/statements.h $(GEN)/statements.c &: sql/embed $(wildcard sql/statements/*.sql sql/schema/*.sql)
	@mkdir -p $(GEN)
	$(call say,GEN,$(GEN)/statements.c)
	$(Q)sh sql/embed $(GEN)

# The live page: whatever lies in its folder. A file that went away must not stay in the program.
WEB := $(sort $(wildcard server/web/*))
# Compare shows what was measured here, once it was; until then the reference run.
ifneq ($(wildcard build/compare/compare.json),)
WEB := $(subst server/web/compare.json,build/compare/compare.json,$(WEB))
endif
$(GEN)/web.list: FORCE
	@mkdir -p $(@D)
	@echo '$(WEB)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(GEN)/web.c: config/run/web $(GEN)/web.list $(WEB)
	$(call say,GEN,$@)
	$(Q)config/run/web $(GEN) $(WEB)

# The commit stands in the version where there is git; the file changes only when the text does.
$(GEN)/common/version.h: FORCE
	@mkdir -p $(@D)
	@commit=$$(git -c safe.directory='$(CURDIR)' describe --always --dirty --exclude '*' 2> /dev/null || true); \
	printf '%s\n' '/* Written by make. */' '#ifndef COMMON_VERSION_H' '#define COMMON_VERSION_H' \
	    "#define INTERLEAVE_VERSION \"$(VERSION)$${commit:++$$commit}\"" '#endif' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# ---- tests: a program per file; the first line with "links:" names the sources it is made of ---------------------

linked = $(call objects,$(shell sed -n '/links:/{s|.*links:||;s|\*/.*||;p;q}' $(1)))
program = $(addprefix $(B)/,$(1:.c=))

unit: $(call program,$(UNIT))
loop: $(call program,$(LOOP))
e2e: $(call program,$(E2E))

# End-to-end tests take from tests/lib what they use.
$(O)/testlib.a: $(call objects,$(TESTLIB))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(call program,$(E2E)): $(O)/testlib.a

# Programs that take made up input: a fuzzer gives it to them, or, where they have none, files do.
fuzzers: $(call program,$(FUZZ)) $(B)/tests/fuzz/seeds

ifneq ($(VARIANT),fuzz)
$(call program,$(FUZZ)): $(O)/tests/fuzz/replay.o
else
$(call program,$(FUZZ)): FUZZER := -fsanitize=fuzzer
endif

$(B)/tests/%: $(O)/tests/%.o $$(call linked,tests/$$*.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $(sort $(filter %.o,$^)) $(filter %.a,$^) @$(O)/ld.flags $(FUZZER) $(TEST_LIBS)

test: ## everything again for the tests: packages, sanitizers, unit, loop and end-to-end tests
	@tests/run

fuzz: ## made up input for whatever reads strangers' octets (SECONDS=60 in all, TARGETS="head chunk")
	@FUZZ_KEEP=1 FUZZ_SECONDS='$(SECONDS)' FUZZ_TARGETS='$(TARGETS)' tests/fuzz/run

coverage: ## which lines of the HTTP parser the unit and loop tests and the corpora reach
	@tests/coverage

# ---- run ------------------------------------------------------------------------------------------------------

# Taken from make's command line only: a DATABASE_URL in the environment belongs to some other project.
$(foreach v,$(RUN_VARIABLES),$(if $(filter command,$(origin $(v))),,$(eval unexport $(v))))

run: ## packages, build, private PostgreSQL, schema, server in the foreground
	@config/run/run

# Load generators of our own beside wrk and h2load (see their heads).
$(B)/probe $(B)/crowd: $(B)/%: $(O)/loadtest/%.o
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ @$(O)/ld.flags -lm

compare: ## the configs side by side: table, results.json, report (CONFIGS= LOAD= CONNS= ROUNDS= BASE= CHECK=1)
	@config/run/packages run database compare
	@$(MAKE) --no-print-directory all $(B)/probe
	@loadtest/compare

images: ## the three pictures of the README, drawn afresh from traces of the running server
	@config/run/packages run database images
	@$(MAKE) --no-print-directory all
	@images/draw

# What the kernels cost beside others' best. The others' loops are compiled as our kernels are.
BENCH := $(wildcard loadtest/bench/*.c)
$(O)/loadtest/bench/plain_%.o: loadtest/bench/plain_%.c $(O)/settings
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) $(HOT) @$(O)/hot.flags -c -o $@ $<

$(O)/loadtest/%.o: EXTRA = -Itests/lib

$(B)/bench_kernels: $(call objects,$(BENCH) $(KERNELS)) $(O)/testlib.a $(O)/common.a
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ @$(O)/ld.flags $(TEST_LIBS)

# The limits that we measure ourselves against.
$(B)/bare_libevent: LIBS := -levent_core
$(B)/bare_libpq: LIBS := -lpq
BARE := $(B)/bare_libevent $(B)/bare_libpq
$(BARE): $(B)/%: $(O)/loadtest/peers/%.o
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ @$(O)/ld.flags $(LIBS)

bench: ## what it must reach, and whether it does, as figures of this machine (ROWS="plaintext db")
	@config/run/packages run database test compare bench
	@mkdir -p build/bench; config/run/packages node > build/bench/node.log 2>&1 || \
	    echo 'bench: Node with pg is not to be had here (build/bench/node.log), so its rows are left out'
	@$(MAKE) --no-print-directory all $(B)/probe $(B)/crowd $(B)/bench_kernels $(BARE)
	@loadtest/bench/run $(B)/bench_kernels

# ---- care -----------------------------------------------------------------------------------------------------

C_FILES = $(wildcard server/*.[ch] server/*/*.[ch] workers/*.[ch] workers/*/*.[ch] tests/*/*.[ch] loadtest/*.[ch] \
                     loadtest/*/*.[ch])

lint: $(GEN)/common/version.h $(GEN)/statements.h ## layout, include directions, warnings of two compilers, cppcheck
	@CC='$(CC)' WARNINGS='$(WARNINGS)' tests/lint $(C_FILES)

format: ## lay out all C files (clang-format)
	@clang-format --version > /dev/null || { echo 'Try: apt-get install clang-format'; exit 1; }
	clang-format -i $(C_FILES)

install: all ## install under DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/interleave/schema \
	    $(DESTDIR)$(PREFIX)/share/doc/interleave/examples $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(B)/interleave $(B)/interleave-worker $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard sql/schema/*.sql) $(DESTDIR)$(PREFIX)/share/interleave/schema
	install -m 644 $(wildcard config/*.conf config/*.sample) $(DESTDIR)$(PREFIX)/share/doc/interleave/examples
	install -m 644 config/interleave.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard README.md LICENSE) $(DESTDIR)$(PREFIX)/share/doc/interleave

clean: ## remove build/ (the databases of make run stay)
	rm -rf build

ifneq ($(MAKECMDGOALS),clean)
-include $(shell find $(O) -name '*.d' 2> /dev/null)
endif
