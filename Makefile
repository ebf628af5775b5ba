# berth. `make help` lists what can be made.
#
# One Makefile, no recursion. A room (directory of src/) is one archive; the
# archives are linked in the order in which the stairs go down, so a lower
# room that needs a higher one does not link. Adding a file to a room needs no
# edit here. Everything that is built lands in build/<variant>/.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
ifeq ($(origin CC),default)
CC := cc
endif
AR ?= ar
PKG_CONFIG ?= pkg-config
OS := $(shell uname -s)

# `make V=1` shows the commands.
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(Q),@echo '  $(1)')

# --- variants ---------------------------------------------------------------
# make                        build/release/berth
# make SAN=address,undefined  build/address-undefined/berth
# make SAN=thread             build/thread/berth
# make COVERAGE=1             build/coverage/berth
SAN ?=
COVERAGE ?=
comma := ,
variant := $(if $(SAN),$(subst $(comma),-,$(SAN)),release)
ifneq ($(COVERAGE),)
variant := coverage
endif
ifneq ($(notdir $(firstword $(CC))),cc)
ifneq ($(notdir $(firstword $(CC))),gcc)
variant := $(variant)-$(notdir $(firstword $(CC)))
endif
endif
B := build/$(variant)

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla \
    -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef \
    -Wformat=2 -Wcast-qual -Wno-unused-parameter
WERROR ?= -Werror
OPTIMISE ?= $(if $(SAN)$(COVERAGE),-O1,-O2)
CFLAGS ?= -g
LDFLAGS ?=

portable_packages := sqlite3 libconfig libxxhash libutf8proc jansson
ifeq ($(OS),Linux)
platform := linux
packages := $(portable_packages) ncursesw libudev libsystemd blkid
platform_flags := -D_GNU_SOURCE
platform_libs :=
endif
ifeq ($(OS),Darwin)
platform := macos
platform_flags := -D_DARWIN_C_SOURCE
# Of the system: its SQLite and curses, which have no pkg-config file. The
# Info.plist says why berth wants to see removable volumes.
packages := $(filter-out sqlite3,$(portable_packages))
system_libs := -lsqlite3 -lncurses
platform_libs := -framework CoreFoundation \
    -framework DiskArbitration -framework IOKit \
    -Wl,-sectcreate,__TEXT,__info_plist,src/platform/macos/Info.plist
# Homebrew's place differs between machines; what is keg-only is below opt/.
brew := $(shell brew --prefix 2>/dev/null)
empty :=
brew_paths := $(if $(brew),$(subst $(empty) ,:,$(wildcard \
    $(brew)/lib/pkgconfig $(brew)/opt/*/lib/pkgconfig)))
endif
ifeq ($(platform),)
$(error berth is built on Linux and macOS; this is $(OS))
endif

pkg_config := $(if $(brew_paths),\
    PKG_CONFIG_PATH="$(brew_paths):$$PKG_CONFIG_PATH") $(PKG_CONFIG)

# Only where headers are: the -D of ncurses would change what POSIX means to us.
package_cflags := $(shell $(pkg_config) --cflags-only-I $(packages))
package_libs := $(shell $(pkg_config) --libs $(packages)) $(system_libs)

# Hidden: libconfig 1.5 exports a strbuf_release, and would call ours.
base_flags = -std=c11 -pthread -fno-strict-aliasing -fstack-protector-strong \
    -fvisibility=hidden \
    $(OPTIMISE) $(WARNINGS) $(WERROR) -Isrc -DBERTH_VERSION='"$(VERSION)"' \
    $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
        -fno-omit-frame-pointer) \
    $(if $(COVERAGE),--coverage) $(package_cflags)
# Darwin hides O_NOFOLLOW and mkdtemp without its own macro.
portable_flags := -D_XOPEN_SOURCE=700 -D_XOPEN_SOURCE_EXTENDED \
    $(if $(filter macos,$(platform)),-D_DARWIN_C_SOURCE)
link_flags = -pthread $(if $(SAN),-fsanitize=$(SAN)) \
    $(if $(COVERAGE),--coverage) $(LDFLAGS)

# --- rooms ------------------------------------------------------------------
room = $(sort $(wildcard $(1)/*.c))
base_src := $(call room,src/core/base)
core_src := $(call room,src/core)
shared_src := $(call room,src/platform)
platform_src := $(call room,src/platform/$(platform))
practice_src := $(call room,src/platform/practice)
cli_src := $(call room,src/cli)
ui_src := $(call room,src/ui)
main_src := src/main.c

objects = $(patsubst %.c,$(B)/%.o,$(1))
lib = $(B)/lib$(1).a

# Upper rooms first, as the linker reads them.
upper_libs := $(call lib,ui) $(call lib,cli) $(call lib,core)
lower_libs := $(call lib,shared) $(call lib,base)
berth_libs := $(upper_libs) $(call lib,$(platform)) $(lower_libs)
practice_libs := $(upper_libs) $(call lib,practice) $(lower_libs)

.PHONY: all
all: $(B)/berth $(B)/berth-practice

$(B)/berth: $(call objects,$(main_src)) $(berth_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(platform_libs)

$(B)/berth-practice: $(call objects,$(main_src)) $(practice_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(platform_libs)

define archive
$(call lib,$(1)): $(call objects,$(2))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR   $$@)
	$$(Q)$(AR) rcs $$@ $$^
endef
$(eval $(call archive,base,$(base_src)))
$(eval $(call archive,core,$(core_src)))
$(eval $(call archive,shared,$(shared_src)))
$(eval $(call archive,$(platform),$(platform_src)))
$(eval $(call archive,practice,$(practice_src)))
$(eval $(call archive,cli,$(cli_src)))
$(eval $(call archive,ui,$(ui_src)))

# The flags are a prerequisite: changing CFLAGS rebuilds.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(base_flags) $(CFLAGS)' | cmp -s - $@ || \
	    echo '$(CC) $(base_flags) $(CFLAGS)' > $@
FORCE:

# The special one last: make 3.81, which macOS has, takes the last that fits.
$(B)/%.o: extra_flags = $(portable_flags)
$(B)/src/platform/$(platform)/%.o: extra_flags = $(platform_flags)
$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC   $<)
	$(Q)$(CC) $(base_flags) $(extra_flags) $(CFLAGS) -MMD -MP -c -o $@ $<

# --- tests ------------------------------------------------------------------
# tests/unit/NAME.c is one program each, linked with the practice platform.
unit_src := $(call room,tests/unit)
unit_bin := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(unit_src))
$(B)/tests/%.o: extra_flags = $(portable_flags) -Itests
test_packages := $(shell $(pkg_config) --libs cmocka 2>/dev/null)
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(practice_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(test_packages)

# tests/ui/NAME.c are unit tests of the screen, without a terminal.
screen_test_src := $(call room,tests/ui)
unit_bin += $(patsubst tests/ui/%.c,$(B)/tests/ui/%,$(screen_test_src))
$(B)/tests/ui/%: $(B)/tests/ui/%.o $(practice_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(test_packages)

# tests/linux/NAME.c are unit tests of the real backend, linked with it.
backend_test_src := $(call room,tests/$(platform))
backend_test_bin := \
    $(patsubst tests/$(platform)/%.c,$(B)/tests/$(platform)/%,$(backend_test_src))
$(B)/tests/$(platform)/%.o: extra_flags = $(platform_flags) -Itests
# Machines that are not here. -isystem: its headers are GLib's.
umockdev_bin := $(addprefix $(B)/tests/linux/,recorded_machines drive_answers)
$(umockdev_bin:%=%.o): extra_flags += $(patsubst -I%,-isystem %,\
    $(shell $(PKG_CONFIG) --cflags-only-I umockdev-1.0 2>/dev/null))
$(umockdev_bin): test_packages += \
    $(shell $(PKG_CONFIG) --libs umockdev-1.0 2>/dev/null)
$(B)/tests/$(platform)/%: $(B)/tests/$(platform)/%.o $(berth_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(platform_libs) \
	    $(test_packages)

# Elsewhere the macOS backend runs on doubles of the frameworks (tests/fake):
# tests/macos/NAME.c, as on a Mac, and tests/macos/doubles/NAME.c. posix_io.c
# is there once more, with names as Darwin's drivers give them.
ifneq ($(platform),macos)
doubles_lib := $(B)/doubles/libmacos.a
doubles_src := $(call room,tests/macos) $(call room,tests/macos/doubles)
doubles_bin := $(patsubst %.c,$(B)/%,$(doubles_src))
# io_name_t is an array: gcc 12 thinks that all of it is read.
doubles_flags := $(platform_flags) -Itests -Itests/fake/macos \
    -isystem tests/fake/macos/frameworks -isystem tests/fake/macos/libc \
    $(if $(findstring clang,$(CC)),,-Wno-stringop-overread)
doubles_objects := $(patsubst %.c,$(B)/doubles/%.o,\
    $(call room,src/platform/macos) $(call room,tests/fake/macos) \
    src/platform/posix_io.c)
$(B)/doubles/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC   $< (doubles))
	$(Q)$(CC) $(base_flags) $(doubles_flags) $(CFLAGS) -MMD -MP -c -o $@ $<
$(doubles_lib): $(doubles_objects)
	@rm -f $@
	$(call say,AR   $@)
	$(Q)$(AR) rcs $@ $^
$(B)/tests/macos/%.o: extra_flags = $(doubles_flags)
$(doubles_bin): $(B)/%: $(B)/%.o $(upper_libs) $(doubles_lib) $(lower_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(test_packages)
endif

# berth whose batches are of three files: a small tree takes many of them.
small_batches := $(B)/tests/berth-small-batches
$(B)/tests/small-batches.o: src/core/execute.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC   $< (small batches))
	$(Q)$(CC) $(base_flags) $(portable_flags) -DBATCH_FILES='((size_t)3)' \
	    $(CFLAGS) -MMD -MP -c -o $@ $<
$(small_batches): $(call objects,$(main_src)) $(B)/tests/small-batches.o \
    $(berth_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs) $(platform_libs)

.PHONY: tests check check-unit check-style check-ui check-integration \
    check-all check-macos check-cross
tests: all $(unit_bin) $(backend_test_bin) $(doubles_bin) $(small_batches)

check: check-style check-unit check-ui check-integration

check-unit: tests
	tests/run-unit $(B) $(unit_bin) $(backend_test_bin) $(doubles_bin)

# The same on its own.
check-macos: $(doubles_bin)
	tests/run-unit $(B) $(doubles_bin)

# The compiler's opinion with Darwin's headers.
check-cross:
	tests/macos/cross $(base_flags)

check-style: all
	tests/style/run $(B) $(platform)

# Keys into the real program, screens out; tests/run-ui --accept takes new ones.
check-ui: all
	$(Q)if command -v python3 >/dev/null; then tests/run-ui $(B); \
	else echo 'skipped: ui: needs python3'; \
	    echo 'ui: 0 passed, 0 failed, 1 skipped'; fi

# tests/fuzz/NAME.c is one libFuzzer program each:
# make CC=clang SAN=fuzzer-no-link,address,undefined fuzz
fuzz_bin := $(patsubst %.c,$(B)/%,$(call room,tests/fuzz))
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(practice_libs)
	$(CC) $(link_flags) -fsanitize=fuzzer -o $@ $^ $(package_libs)

.PHONY: fuzz
fuzz: $(fuzz_bin)
	tests/run-fuzz $(B) $(fuzz_bin)

check-integration: all manual
	tests/run-integration --quick $(B)

check-all: all manual $(small_batches)
	tests/run-integration $(B)

.PHONY: check-package
check-package:
	tests/package/run

.PHONY: check-arm64
check-arm64:
	tests/arm64/run

.PHONY: check-vm
check-vm: all
	tests/vm/run $(B)

# What berth takes beside others and beside what the kernel allows (root,
# Linux): BENCH='--seconds 120' make bench; tests/bench/run --help.
bench_bin := $(patsubst %.c,$(B)/%,$(call room,tests/bench))
$(B)/tests/bench/%.o: extra_flags = $(platform_flags)
$(bench_bin): %: %.o $(practice_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs)

# Figures for docs/design.md: the catalogue's form.
.PHONY: bench bench-catalogue
bench-catalogue: $(B)/tests/bench/catalogue
	$<

bench: all $(bench_bin)
	tests/bench/run $(BENCH) $(B)

# --- care -------------------------------------------------------------------
sources := $(sort $(shell find src tests packaging -name '*.[ch]'))
.PHONY: format analyze clean install uninstall dist help
format:
		$(Q)clang-format -i $(sources)

analyze:
	tests/style/analyze $(base_flags) $(portable_flags)

clean:
	rm -rf build

# berth-practice is what `berth demo` starts (core/demo.c looks there).
share := $(PREFIX)/share
zsh_directory ?= $(share)/zsh/site-functions
installed := $(PREFIX)/bin/berth $(PREFIX)/libexec/berth/berth-practice \
    $(share)/man/man1/berth.1 $(share)/man/man5/berth.conf.5 \
    $(share)/bash-completion/completions/berth \
    $(zsh_directory)/_berth \
    $(share)/fish/vendor_completions.d/berth.fish \
    $(share)/doc/berth/examples/berth.conf \
    $(share)/doc/berth/examples/berth-polkit.rules
install: $(B)/berth $(B)/berth-practice manual
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(installed))))
	install -m 755 $(B)/berth $(DESTDIR)$(PREFIX)/bin/berth
	install -m 755 $(B)/berth-practice \
	    $(DESTDIR)$(PREFIX)/libexec/berth/berth-practice
	install -m 644 $(P)/berth.1 $(DESTDIR)$(share)/man/man1/berth.1
	install -m 644 packaging/berth.conf.5 \
	    $(DESTDIR)$(share)/man/man5/berth.conf.5
	install -m 644 $(P)/berth.bash \
	    $(DESTDIR)$(share)/bash-completion/completions/berth
	install -m 644 $(P)/berth.zsh $(DESTDIR)$(zsh_directory)/_berth
	install -m 644 $(P)/berth.fish \
	    $(DESTDIR)$(share)/fish/vendor_completions.d/berth.fish
	install -m 644 packaging/berth.conf.example \
	    $(DESTDIR)$(share)/doc/berth/examples/berth.conf
	install -m 644 packaging/berth-polkit.rules \
	    $(DESTDIR)$(share)/doc/berth/examples/berth-polkit.rules

uninstall:
	rm -f $(addprefix $(DESTDIR),$(installed))
	rmdir $(DESTDIR)$(PREFIX)/libexec/berth \
	    $(DESTDIR)$(share)/doc/berth/examples $(DESTDIR)$(share)/doc/berth \
	    2>/dev/null || :

# --- the manual, completions, packages --------------------------------------
# From the table of commands: packaging/generate.c.
P := $(B)/packaging
$(P)/%.o: extra_flags = $(portable_flags)
$(P)/generate: $(P)/generate.o $(practice_libs)
	$(call say,LD   $@)
	$(Q)$(CC) $(link_flags) -o $@ $^ $(package_libs)
$(P)/berth.1: packaging/berth.1.in $(P)/generate
	$(Q)$(P)/generate man <$< >$@
$(P)/berth.bash $(P)/berth.zsh $(P)/berth.fish: $(P)/berth.%: $(P)/generate
	$(Q)$(P)/generate $* >$@

.PHONY: manual deb version
manual: $(addprefix $(P)/,berth.1 berth.bash berth.zsh berth.fish)

# A Debian package below build/deb.
deb:
	packaging/deb $(VERSION)

# The one place that knows it.
version:
	@echo $(VERSION)

help:
	@echo 'make            build $(B)/berth and berth-practice'
	@echo 'make check      style, unit tests, screen, quick integration tests'
	@echo 'make check-all  every integration test (root, loop devices)'
	@echo 'make check-macos, check-cross   the macOS backend, without a Mac'
	@echo 'make check-vm   a real kernel and USB disk, in QEMU (root)'
	@echo 'make CC=clang SAN=fuzzer-no-link,address,undefined fuzz'
	@echo '                each fuzzer for FUZZ_SECONDS (20)'
	@echo 'make bench      times and memory beside rsync, rclone, cp (root)'
	@echo 'make check-package   it, in a clean system, by a real cron (root)'
	@echo 'make check-arm64  cross-built, unit tests under qemu-user (root)'
	@echo 'make deb        a Debian package in build/deb'
	@echo 'make manual     berth(1) and the completions, in $(B)/packaging'
	@echo 'make install    into $$(DESTDIR)$$(PREFIX)/bin'
	@echo 'make format     clang-format all sources'
	@echo 'make analyze    clang-tidy and cppcheck'
	@echo 'SAN=address,undefined or SAN=thread: the same in build/<variant>'

-include $(shell find $(B) -name '*.d' 2>/dev/null)
