# Fuzz targets; included by tests/tests.mk. For tests/fuzz/NAME.c: FUZZ_NAME, the
# parsers that it is for (`make fuzz-coverage` looks at these), and WITH_NAME,
# what they need besides.
FUZZ_json      = common/json_scan.c
WITH_json      = common/memory.c common/utf8.c
FUZZ_day       = common/day.c
WITH_day       = common/utf8.c
FUZZ_decimal   = common/rates/decimal.c
WITH_decimal   = common/utf8.c
FUZZ_request   = wsclient/request.c wsclient/response.c common/json_shape.c \
                 common/json_plain.h common/json_number.h
WITH_request   = $(REQUEST_C)
FUZZ_json_bodies = $(patsubst %,ratefetcher/providers/%.c,freecurrencyapi exchangeratehost \
                 exchangerateapi openexchangerates fixer currencyapi frankfurter frankfurter_v2 apilayer json_tables)
WITH_json_bodies = $(WEB_C)
FUZZ_ecb_xml   = ratefetcher/providers/ecb.c ratefetcher/providers/ecb_xml.c
WITH_ecb_xml   = $(TEXTS_C) $(WEB_C)
FUZZ_ecb_csv   = ratefetcher/providers/ecb_csv.c ratefetcher/providers/url.c ratefetcher/providers/csv_text.c \
                 ratefetcher/providers/day_rows.c ratefetcher/providers/zipped.c
WITH_ecb_csv   = $(TEXTS_C) $(WEB_C)
FUZZ_redis     = ratefetcher/redis/redis_format.c ratefetcher/redis/redis_address.c common/settings/redis_url.c \
                 common/rates/rates.c
WITH_redis     = $(UNIT_redis_value) $(UNIT_history) $(SETTINGS_C)
FUZZ_env_file  = common/settings/envfile.c
WITH_env_file  = common/memory.c common/utf8.c
FUZZ_settings  = common/settings/url.c common/settings/settings_check.c wsclient/upstream.c
WITH_settings  = $(SETTINGS_C)
FUZZ_lines     = common/lines/message.c common/lines/channel.c
WITH_lines     = $(UNIT_rates)
FUZZ_frames    = wsclient/link/frames.c
WITH_frames    = common/memory.c common/utf8.c
FUZZ_inbox     = wsclient/link/inbox.c common/utf8.c
WITH_inbox     = common/memory.c
FUZZ_peer_close = wsclient/link/peer_close.c
WITH_peer_close = common/utf8.c
FUZZ_log_lines = supervisor/log_json.c supervisor/monitor/warnings.c supervisor/monitor/journal.c
WITH_log_lines = $(UNIT_log_json)
FUZZ_ledger    = wsclient/ledger.c wsclient/ledger_file.c wsclient/ledger_room.c
WITH_ledger    = $(LEDGER_C)
FUZZ_calls     = ratefetcher/call_counts.c ratefetcher/quota.c
WITH_calls     = $(UNIT_call_counts)
FUZZ_line_ring = common/line_ring.c
WITH_line_ring = $(UNIT_line_ring) $(UNIT_log)
FUZZ_audit_file = supervisor/audit.c
WITH_audit_file = common/rates/decimal.c $(MESSAGE_C)
FUZZ_LIBS_audit_file = -lz
FUZZ_http_answer = ratefetcher/providers/http.c
WITH_http_answer = common/utf8.c $(UNIT_http)
FUZZ_LINK_http_answer = -Wl,--wrap=curl_multi_add_handle
FUZZ_questions = ratefetcher/server.c
WITH_questions = common/lines/line_server.c $(UNIT_line_server) $(UNIT_euro_fixed)
FUZZ_orders    = supervisor/orders.c
WITH_orders    = common/lines/line_server.c $(UNIT_line_server)
FUZZ_options   = supervisor/options.c
WITH_options   = $(SETTINGS_C)
FUZZ_tunnel    = wsclient/link/tunnel.c
WITH_tunnel    = $(UNIT_log) $(UNIT_upstream)
FUZZ_copy_file = ratefetcher/providers/copy_file.c
WITH_copy_file = common/files.c $(UNIT_log)
FUZZ_no_proxy  = common/settings/no_proxy.c
WITH_no_proxy  = common/utf8.c

# The stand-ins read what others write, too.
FUZZ_mock_upstream = $(patsubst %,tests/upstream/%.c,play expect fault json moment)
WITH_mock_upstream = $(patsubst %,tests/upstream/%.c,buf day delay ecb euro fixed form match show tally ws) \
                 wsclient/response.c $(REQUEST_C) common/clock.c common/json_scan.c
FUZZ_LIBS_mock_upstream = -lgmp -lcrypto
FUZZ_mock_rates = tests/upstream/ecb.c tests/upstream/euro.c
WITH_mock_rates = tests/upstream/day.c $(TEXTS_C) $(WEB_C)
FUZZ_LIBS_mock_rates = -lgmp
FUZZ_mock_provider = tests/provider/forms.c tests/provider/trouble.c
FUZZ_LIBS_mock_provider = -levent_openssl -levent -lssl -lcrypto
WITH_mock_provider = tests/provider/shop.c tests/provider/reply.c $(patsubst %,tests/upstream/%.c,buf day ecb json) \
                 $(MESSAGE_C)

FUZZ_TARGETS = $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c))))
FUZZ_SANITIZE = address,undefined

# In an ordinary build replay.c takes libFuzzer's place.
FUZZING = $(findstring fuzzer-no-link,$(SANITIZE))
FUZZ_MAIN = $(if $(FUZZING),,$(BUILD)/obj/tests/fuzz/replay.o)

define fuzz_target
$(BUILD)/fuzz/$(1): $(BUILD)/obj/tests/fuzz/$(1).o $(FUZZ_MAIN) \
    $(patsubst %.c,$(BUILD)/obj/%.o,$(filter %.c,$(sort $(FUZZ_$(1)) $(WITH_$(1)))))
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(FX_LDFLAGS) $$(LDFLAGS) $$(if $$(FUZZING),-fsanitize=fuzzer) \
	    $$(FUZZ_LINK_$(1)) -o $$@ $$^ $$(UNIT_LIBS) $$(FUZZ_LIBS_$(1))
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

fuzz-targets: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)

# SECONDS for each target, ONLY="json day" for some of them.
ONLY = $(FUZZ_TARGETS)
fuzz:
	@sh tests/tools/packages.sh build fuzz
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang \
	    SANITIZE=fuzzer-no-link,$(FUZZ_SANITIZE) $(ONLY:%=build-fuzz/fuzz/%)
	@SEED=$(SEED) /usr/bin/python3 tests/fuzz/run.py $(or $(SECONDS),60) $(ONLY)

# What the seeds, and all that `make fuzz` found so far, run through; fails where
# that is less than 95 % of a parser's lines.
fuzz-coverage:
	@sh tests/tools/packages.sh build fuzz
	@$(MAKE) --no-print-directory BUILD=build-fuzz-coverage CC=clang CFLAGS="-O1 -g" \
	    CPPFLAGS="-fprofile-instr-generate -fcoverage-mapping" \
	    LDFLAGS=-fprofile-instr-generate $(ONLY:%=build-fuzz-coverage/fuzz/%)
	@/usr/bin/python3 tests/fuzz/coverage.py $(foreach t,$(ONLY),$(t):$(subst $(eval) ,$(comma),$(strip $(FUZZ_$(t)))))

.PHONY: fuzz fuzz-targets fuzz-coverage
