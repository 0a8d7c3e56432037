# The manual and the completions of shells, made of the tables of commands,
# options and settings; included by the Makefile at the top.

TABLES = $(BUILD)/tables
$(TABLES): $(BUILD)/obj/docs/man/tables.o
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^

PAGES = $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(sort $(wildcard docs/man/*.scd)))
$(PAGES): $(BUILD)/man/%: docs/man/%.scd $(TABLES) docs/man/fill.sh \
        docs/man/scdoc.awk docs/man/tidy.awk README.md docs/operating.md docs/upstreams.md
	@mkdir -p $(@D)
	$(call say,MAN)sh docs/man/fill.sh $(TABLES) $(VERSION) $< > $@.scd && \
	    scdoc < $@.scd > $@.raw && awk -f docs/man/tidy.awk $@.raw > $@

COMPLETIONS = $(patsubst etc/%,$(BUILD)/%,$(sort $(wildcard etc/completions/*)))
$(COMPLETIONS): $(BUILD)/completions/%: etc/completions/% $(TABLES) docs/man/fill.sh
	@mkdir -p $(@D)
	$(call say,GEN)sh docs/man/fill.sh $(TABLES) $(VERSION) $< > $@

manual: $(PAGES)
completions: $(COMPLETIONS)

SHARE = $(DESTDIR)$(PREFIX)/share
install-completions: completions
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions \
	    $(SHARE)/fish/vendor_completions.d
	install -m 644 $(BUILD)/completions/fxwire.bash $(SHARE)/bash-completion/completions/fxwire
	install -m 644 $(BUILD)/completions/fxwire.zsh $(SHARE)/zsh/site-functions/_fxwire
	install -m 644 $(BUILD)/completions/fxwire.fish $(SHARE)/fish/vendor_completions.d

ifeq ($(shell command -v scdoc),)
install-manual:
	@echo "The manual is not installed, as there is no scdoc."
else
install-manual: manual
	install -d $(SHARE)/man/man1 $(SHARE)/man/man5 $(SHARE)/man/man7
	for n in 1 5 7; do install -m 644 $(BUILD)/man/*.$$n $(SHARE)/man/man$$n; done
endif

uninstall-docs:
	rm -f $(SHARE)/man/man?/fxwire.[15] $(SHARE)/man/man?/fxwire.env.5 $(SHARE)/man/man7/fxwire-*.7 \
	    $(SHARE)/bash-completion/completions/fxwire $(SHARE)/zsh/site-functions/_fxwire \
	    $(SHARE)/fish/vendor_completions.d/fxwire.fish

.PHONY: manual completions install-completions install-manual uninstall-docs
