# How the tests are built and run; included by the Makefile at the top.

# A unit test lists the sources that it needs: the list shows that the module
# stands alone. tests/unit/test_NAME.c is built for each NAME.
UNIT_backoff   = common/backoff.c
UNIT_channel   = common/channel.c common/memory.c
UNIT_day       = common/day.c
UNIT_decimal   = common/decimal.c
UNIT_json_scan = common/json_scan.c common/utf8.c
UNIT_utf8      = common/utf8.c

UNIT_LIBS = -lcmocka -lgmp -ljson-c
UNIT_TESTS = $(patsubst UNIT_%,%,$(filter-out UNIT_LIBS UNIT_TESTS,$(filter UNIT_%,$(.VARIABLES))))

define unit_test
$(BUILD)/unit/test_$(1): $(BUILD)/obj/tests/unit/test_$(1).o $(UNIT_$(1):%.c=$(BUILD)/obj/%.o)
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(FX_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(UNIT_LIBS)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

unit-tests: $(UNIT_TESTS:%=$(BUILD)/unit/test_%)

test:
	@sh tests/tools/packages.sh build test
	@$(MAKE) --no-print-directory all $(BUILD)/upstream unit-tests
	@sh tests/tools/run.sh $(BUILD)

.PHONY: unit-tests
