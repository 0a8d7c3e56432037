# fxwire. `make` builds, `make demo` shows it at work, `make test` tests it;
# the last two install the Debian packages that are missing.

PREFIX   = /usr/local
CC       = gcc
CFLAGS   = -O2 -g
SANITIZE =
WERROR   = -Werror

comma  := ,
BUILD   = build$(addprefix -,$(subst $(comma),-,$(SANITIZE)))
VERSION = 0.1.0

WARNINGS = -Wall -Wextra $(WERROR) -Wpedantic -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
           -Wformat=2 -Wundef
HARDEN   = $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
FX_CFLAGS = -std=c17 -D_GNU_SOURCE -DFXWIRE_VERSION='"$(VERSION)"' -I. \
            -fno-omit-frame-pointer $(WARNINGS) $(HARDEN) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
FX_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed \
             $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -fno-lto

# gcc makes one piece of wsclient, which saves a tenth of what a message costs.
# Its objects are good for other links, too.
LTO = $(if $(SANITIZE),,$(if $(findstring gcc,$(CC)),-flto))
LTO_OBJECTS = $(addsuffix /%.o,$(addprefix $(BUILD)/obj/,wsclient common))
$(LTO_OBJECTS): private FX_CFLAGS += $(LTO:-flto=-flto -ffat-lto-objects)
$(BUILD)/wsclient $(BUILD)/bench/instructions: private FX_LDFLAGS += \
    $(LTO:-flto=-flto -flto-partition=one)

PROGRAMS = supervisor wsclient ratefetcher
# Stand-ins for users' own tests, installed beside the programs.
MOCKS    = mock-upstream mock-provider
# Asked for when it is needed: before `make demo` pkg-config may not be there.
NCURSES = $(shell pkg-config --libs ncursesw 2>/dev/null || echo -lncursesw -ltinfo)
LIBS_supervisor  = -levent -ljson-c -lseccomp $(NCURSES) -lz -lbsd
LIBS_wsclient    = -lwebsockets -lssl -lcrypto -ljson-c -lseccomp -lbsd
LIBS_ratefetcher = -lcurl -levent_openssl -levent -lssl -lcrypto -lexpat -lhiredis -ljson-c \
                   -lseccomp -lcsv -lzip -lbsd
LIBS_mock-upstream = -lssl -lcrypto -lgmp
LIBS_mock-provider = -levent_openssl -levent -lssl -lcrypto

# V=1 shows the commands.
V = 0
ifeq ($(V),0)
say = @printf '  %-4s %s\n' $(1) $@;
endif

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard $(1)/*.c $(1)/*/*.c)))
COMMON  = $(BUILD)/obj/libcommon.a
SOURCES = $(sort  $(wildcard */*.c */*.h common/*/*.[ch] supervisor/*/*.[ch] wsclient/*/*.[ch] ratefetcher/*/*.[ch] docs/*/*.c tests/*/*.[ch] tests/*/*/*.[ch]))

all: $(PROGRAMS:%=$(BUILD)/%) $(MOCKS:%=$(BUILD)/%)

# A program is the objects of its folder, and what it uses of common.
define program
$(BUILD)/$(1): $(call objects,$(2)) $(if $(3),$(COMMON))
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(FX_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p),$(p),common)))
$(eval $(call program,mock-upstream,tests/upstream))
$(eval $(call program,mock-provider,tests/provider))
$(BUILD)/mock-provider: $(patsubst %,$(BUILD)/obj/tests/upstream/%.o,buf day ecb json listen tls)

$(COMMON): $(call objects,common)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS) $(CPPFLAGS) $(FX_CFLAGS) -MMD -MP -c -o $@ $<

# The page is built in; its policy names what stands between its tags by hash.
PAGE = supervisor/monitor/page
page_hash = $(or $(shell sed '1,/^<$(1)>$$/d;/^<\/$(1)>$$/,$$d' $(PAGE).html | \
    (echo; cat) | sha256sum | cut -d' ' -f1 | tr a-f A-F | basenc --base16 -d | base64),\
    $(error no hash of $(PAGE).html))
$(BUILD)/obj/$(PAGE).o: $(PAGE).html
$(BUILD)/obj/$(PAGE).o: private FX_CFLAGS += \
    -DPAGE_SCRIPT_HASH='"sha256-$(call page_hash,script)"' \
    -DPAGE_STYLE_HASH='"sha256-$(call page_hash,style)"'

# Other flags or another compiler: all objects are made anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(CPPFLAGS) $(FX_CFLAGS) $(LTO)' | cmp -s - $@ || \
	    echo '$(CC) $(CFLAGS) $(CPPFLAGS) $(FX_CFLAGS) $(LTO)' > $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

include tests/tests.mk
include docs/man/man.mk

# What a service manager runs is the link in bin; the programs find each other
# in libexec.
install: all install-completions install-manual
	install -d $(DESTDIR)$(PREFIX)/libexec/fxwire $(DESTDIR)$(PREFIX)/bin
	install $(PROGRAMS:%=$(BUILD)/%) $(MOCKS:%=$(BUILD)/%) $(DESTDIR)$(PREFIX)/libexec/fxwire
	ln -sf ../libexec/fxwire/supervisor $(DESTDIR)$(PREFIX)/bin/fxwire
	install -d $(DESTDIR)$(PREFIX)/share/fxwire/schema
	install -m 644 etc/schema/* $(DESTDIR)$(PREFIX)/share/fxwire/schema

uninstall: uninstall-docs
	rm -f $(DESTDIR)$(PREFIX)/bin/fxwire
	rm -rf $(DESTDIR)$(PREFIX)/libexec/fxwire $(DESTDIR)$(PREFIX)/share/fxwire

demo:
	@sh tests/tools/packages.sh build
	@$(MAKE) --no-print-directory all
	@sh tests/upstream/demo.sh $(BUILD)

format:
	clang-format -i $(SOURCES)

format-check:
	clang-format --dry-run -Werror $(SOURCES)

# The picture says at its end which source it was drawn from.
docs:
	@sh tests/tools/packages.sh docs
	dot -Tsvg -o docs/architecture.svg docs/architecture.dot
	@echo "<!-- $$(cksum docs/architecture.dot) -->" >> docs/architecture.svg
	/usr/bin/python3 tests/tools/events.py > docs/events.md

clean:
	rm -rf build build-*

FORCE:
.PHONY: all install uninstall demo test format format-check docs clean \
        FORCE
