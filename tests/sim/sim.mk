# The deterministic simulation; included by tests/tests.mk. What writes into the
# ledger's file is built so that it can be killed in front of each store.
SIM_STORING = wsclient/ledger.c wsclient/ledger_file.c wsclient/ledger_room.c wsclient/response.c \
              common/mapped_file.c common/rates/decimal.c common/day.c \
              ratefetcher/call_counts.c ratefetcher/quota.c
# In the place of these are models.
SIM_MODELS  = common/loop.c ratefetcher/providers/http.c \
              ratefetcher/providers/http_words.c ratefetcher/providers/http_proxy.c \
              ratefetcher/providers/http_tls.c
SIM_PRODUCT = $(filter-out $(SIM_STORING) $(SIM_MODELS),$(sort $(UNIT_pipeline) \
              wsclient/tick.c $(patsubst %,wsclient/link/%.c,breaks connection frames \
              inbox link_log peer peer_close traffic) \
              $(UNIT_lookup) $(UNIT_provider_frankfurter) $(UNIT_provider_freecurrencyapi) \
              supervisor/helper.c $(UNIT_lifecycle)))
SIM_OBJECTS = $(call objects,tests/sim) $(SIM_PRODUCT:%.c=$(BUILD)/obj/%.o) \
              $(SIM_STORING:%.c=$(BUILD)/sim/%.o)
SIM_LINK    = $(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) \
              -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free \
              -Wl,--wrap=mapped_file_open,--wrap=mapped_file_close \
              -Wl,--wrap=mapped_file_map,--wrap=mapped_file_shorten
SIM_LIBS    = -ljson-c -lssl -lcrypto -lbsd
# Thread sanitizer for its calls alone; the warnings are the plain build's.
SIM_COMPILE = $(CC) $(CFLAGS) $(CPPFLAGS) $(FX_CFLAGS) -U_FORTIFY_SOURCE \
              -fsanitize=thread -DLEDGER_FILE_STEP=8192 \
              -include tests/sim/stores_in.h -w -MMD -MP -c

$(BUILD)/sim/%.o: %.c $(BUILD)/flags tests/sim/sim.mk
	@mkdir -p $(@D)
	$(call say,CC)$(SIM_COMPILE) -o $@ $<

SIM = $(BUILD)/sim/sim
$(SIM): $(SIM_OBJECTS)
	$(call say,LINK)$(SIM_LINK) -o $@ $^ $(SIM_LIBS)

# Schedules from SEED on for SECONDS, 60 by default.
sim: $(SIM)
	@$(SIM) $(or $(SECONDS),60) $(or $(SEED),1)

# The same with a bug: a script of sed's, whose first line names the file.
SIM_BUGS = $(patsubst tests/sim/bugs/%.sed,%,$(sort $(wildcard tests/sim/bugs/*.sed)))
sim_bug_source = $(shell sed -n '1s/^. //p' tests/sim/bugs/$(1).sed)
define sim_bug
$(BUILD)/sim/bugs/$(1)/sim: tests/sim/bugs/$(1).sed $(2) $(SIM_OBJECTS)
	@mkdir -p $$(@D)
	@sed -f $$< $(2) > $$(@D)/$(notdir $(2))
	@! cmp -s $(2) $$(@D)/$(notdir $(2)) || { echo "$$<: nothing to change"; exit 1; }
	$$(call say,LINK)$(if $(filter $(2),$(SIM_STORING)),$(SIM_COMPILE),$$(CC) $$(CFLAGS) $$(FX_CFLAGS) -w -c) \
	    -o $$(@D)/bug.o $$(@D)/$(notdir $(2)) && \
	$(SIM_LINK) -o $$@ $$(@D)/bug.o $(filter-out %/$(2:.c=.o),$(SIM_OBJECTS)) $(SIM_LIBS)
endef
$(foreach b,$(SIM_BUGS),$(eval $(call sim_bug,$(b),$(call sim_bug_source,$(b)))))

# Each of them must be found, and nothing else.
sim-bugs: $(SIM) $(SIM_BUGS:%=$(BUILD)/sim/bugs/%/sim)
	@sh tests/sim/bugs.sh $(BUILD)

-include $(shell find $(BUILD)/sim -name '*.d' 2>/dev/null)
.PHONY: sim sim-bugs
