# How the tests are built and run; included by the Makefile at the top.

# A unit test lists the sources that it needs: the list shows that the module
# stands alone. tests/unit/test_NAME.c is built for each NAME.
UNIT_backoff   = common/backoff.c
UNIT_crash     = common/crash.c $(UNIT_log)
UNIT_clock_watch = common/clock_watch.c common/day.c
UNIT_claim     = common/claim.c common/clock.c common/memory.c
UNIT_channel   = common/lines/channel.c common/memory.c
UNIT_day       = common/day.c
UNIT_decimal   = common/rates/decimal.c
UNIT_decimal_convert = common/rates/decimal.c
UNIT_json_scan = common/json_scan.c common/memory.c common/utf8.c
UNIT_json_seeds = common/json_scan.c common/memory.c common/utf8.c
UNIT_json_portable = common/memory.c common/utf8.c
UNIT_json_shape = common/json_shape.c common/json_scan.c common/memory.c
UNIT_json_shape_portable = common/json_scan.c common/memory.c common/utf8.c
UNIT_unix_socket = common/lines/unix_socket.c
UNIT_files     = common/files.c common/memory.c
UNIT_loop      = common/loop.c common/clock.c
UNIT_line_server = common/lines/line_server.c common/loop.c common/lines/unix_socket.c \
                 $(MESSAGE_C) common/log.c common/events.c common/log_limit.c common/utf8.c common/clock.c common/day.c \
                 common/memory.c
UNIT_utf8      = common/utf8.c
UNIT_envfile   = common/settings/envfile.c common/memory.c
UNIT_no_proxy  = common/settings/no_proxy.c
UNIT_moved     = common/settings/moved.c common/settings/url.c common/memory.c
UNIT_url       = common/settings/url.c common/memory.c
UNIT_mapped_file = common/mapped_file.c common/files.c common/memory.c
UNIT_line_ring = common/line_ring.c $(UNIT_mapped_file)
UNIT_log       = common/log.c common/events.c common/log_limit.c common/utf8.c common/memory.c common/clock.c common/day.c \
                 $(MESSAGE_C)
UNIT_log_limit = $(UNIT_log)
UNIT_metrics   = common/metrics.c
UNIT_latency   = common/latency.c
UNIT_lately    = wsclient/lately.c common/latency.c common/metrics.c
UNIT_summary   = supervisor/summary.c $(MESSAGE_C)
UNIT_counted   = supervisor/counted.c common/metrics.c
UNIT_warnings  = supervisor/monitor/warnings.c $(MESSAGE_C)
MESSAGE_C      = common/lines/message.c common/memory.c common/json_scan.c common/utf8.c
UNIT_message   = $(MESSAGE_C)
UNIT_rates     = common/rates/rates.c common/memory.c $(MESSAGE_C) common/day.c \
                 common/rates/decimal.c
UNIT_euro_fixed = common/rates/euro_fixed.c $(UNIT_rates)
UNIT_daytables = common/rates/daytables.c $(UNIT_rates)
SETTINGS_C     = common/settings/settings.c common/settings/settings_check.c \
                 common/settings/moved.c common/settings/pem_files.c common/settings/proxy.c \
                 common/settings/no_proxy.c \
                 common/files.c common/settings/envfile.c \
                 common/settings/redis_url.c common/settings/url.c common/rates/decimal.c common/utf8.c common/memory.c
UNIT_settings  = $(SETTINGS_C)
UNIT_wiping    = common/log.c common/events.c common/log_limit.c common/utf8.c common/clock.c common/day.c $(SETTINGS_C)
DAILY_FILE_C   = supervisor/monitor/daily_file.c supervisor/monitor/day_file.c \
                 common/files.c common/day.c \
                 common/clock.c common/memory.c
UNIT_daily_file = $(DAILY_FILE_C)
AUDIT_OUTPUT_C = supervisor/monitor/audit_output.c common/line_ring.c common/mapped_file.c \
                 common/runtime_dir.c $(DAILY_FILE_C)
UNIT_journal   = supervisor/monitor/journal.c
MONITOR_C      = supervisor/monitor/monitor.c supervisor/monitor/log_output.c supervisor/monitor/log_feed.c common/lines/line_server.c common/lines/unix_socket.c \
                 supervisor/monitor/journal.c supervisor/monitor/status_server.c \
                 supervisor/monitor/metrics_text.c supervisor/monitor/warnings.c \
                 supervisor/monitor/page.c supervisor/monitor/status_guard.c $(AUDIT_OUTPUT_C)
UNIT_status_guard = supervisor/monitor/status_guard.c
UNIT_monitor   = $(MONITOR_C) common/lines/child.c common/lines/channel.c \
                 $(MESSAGE_C) common/metrics.c common/loop.c common/log.c common/events.c common/log_limit.c common/utf8.c \
                 common/clock.c common/day.c $(SETTINGS_C)
UNIT_log_json  = supervisor/log_json.c $(UNIT_log)
UNIT_lifecycle = supervisor/lifecycle.c common/backoff.c
UNIT_top_layout = supervisor/top/layout.c supervisor/top/cells.c $(MESSAGE_C)
UNIT_memory_group = supervisor/memory_group.c
UNIT_options   = supervisor/options.c $(SETTINGS_C)
UNIT_history   = ratefetcher/providers/history.c common/rates/rates.c common/memory.c \
                 $(MESSAGE_C) common/day.c common/rates/decimal.c
UNIT_day_rows  = ratefetcher/providers/day_rows.c $(UNIT_history)
UNIT_ecb_csv   = ratefetcher/providers/ecb_csv.c $(UNIT_day_rows)
UNIT_breaker   = ratefetcher/breaker.c
UNIT_rates_differ = ratefetcher/rates_differ.c common/rates/decimal.c
UNIT_working_days = ratefetcher/working_days.c common/day.c
UNIT_quota     = ratefetcher/quota.c
UNIT_call_counts = ratefetcher/call_counts.c common/mapped_file.c common/files.c ratefetcher/quota.c common/log.c common/events.c common/log_limit.c common/utf8.c \
                 common/clock.c $(UNIT_rates)
UNIT_redis_address = ratefetcher/redis/redis_address.c common/settings/redis_url.c common/settings/url.c \
    common/memory.c
UNIT_redis_value = ratefetcher/redis/redis_format.c $(UNIT_rates)
UNIT_redis_commands = ratefetcher/redis/redis_commands.c common/loop.c \
                 common/clock.c common/memory.c
REQUEST_C      = wsclient/request.c common/json_shape.c common/day.c common/rates/decimal.c common/rates/rates.c \
                 common/memory.c $(MESSAGE_C)
UNIT_request   = $(REQUEST_C)
UNIT_response  = wsclient/response.c $(REQUEST_C)
UNIT_heartbeat = wsclient/link/peer.c
UNIT_frames    = wsclient/link/frames.c common/memory.c
UNIT_tick      = wsclient/tick.c common/clock.c
UNIT_inbox     = wsclient/link/inbox.c common/utf8.c common/memory.c
LEDGER_C       = common/mapped_file.c wsclient/ledger.c wsclient/ledger_file.c wsclient/ledger_room.c \
                 common/files.c common/log.c common/events.c common/log_limit.c common/utf8.c common/clock.c common/day.c \
                 common/memory.c
UNIT_ledger_room = wsclient/ledger_room.c
UNIT_ledger    = $(LEDGER_C)
UNIT_receipts  = wsclient/link/peer.c
UNIT_proof     = wsclient/link/peer.c
UNIT_outbox    = wsclient/outbox.c $(LEDGER_C)
UNIT_dial_texts = wsclient/link/dial_texts.c
UNIT_peer_close = wsclient/link/peer_close.c common/utf8.c
UNIT_breaks    = wsclient/link/breaks.c common/clock.c
UNIT_quarantine = wsclient/quarantine.c common/files.c common/log.c common/events.c common/log_limit.c common/utf8.c common/clock.c \
                 common/day.c common/memory.c
UNIT_day_rates = wsclient/day_rates.c common/rates/euro_fixed.c common/clock_watch.c common/rates/daytables.c $(UNIT_rates)
UNIT_refusals  = wsclient/refusals.c wsclient/response.c $(REQUEST_C)
UNIT_waiting   = wsclient/waiting.c common/memory.c
UNIT_pipeline  = wsclient/pipeline.c wsclient/answers.c wsclient/outbox.c \
                 wsclient/undelivered.c wsclient/audit_trail.c wsclient/audit.c \
                 common/line_ring.c \
                 wsclient/day_rates.c common/clock_watch.c common/rates/daytables.c \
                 common/older_table.c common/rates/euro_fixed.c \
                 wsclient/refusals.c wsclient/response.c wsclient/waiting.c \
                 common/metrics.c $(LEDGER_C) $(REQUEST_C) $(SETTINGS_C)
UNIT_audit_trail = $(UNIT_pipeline)
UNIT_ratelink  = wsclient/ratelink.c wsclient/fd_watch.c common/backoff.c \
                 common/lines/channel.c common/runtime_dir.c common/lines/unix_socket.c \
                 $(UNIT_pipeline)

WEB_C          = ratefetcher/providers/web.c ratefetcher/providers/web_answer.c \
                 ratefetcher/providers/web_detail.c \
                 ratefetcher/providers/kept.c ratefetcher/providers/copy_file.c \
                 ratefetcher/providers/http.c ratefetcher/providers/http_words.c \
                 ratefetcher/providers/http_proxy.c ratefetcher/providers/http_tls.c \
                 ratefetcher/providers/history.c common/rates/rates.c $(MESSAGE_C) \
                 common/day.c common/log.c common/events.c common/log_limit.c common/utf8.c common/clock.c common/loop.c \
                 $(SETTINGS_C)
TEXTS_C        = ratefetcher/providers/csv_text.c ratefetcher/providers/ecb_xml.c \
                 ratefetcher/providers/ecb_csv.c ratefetcher/providers/zipped.c \
                 ratefetcher/providers/day_rows.c
PROVIDER_C     = ratefetcher/provider.c ratefetcher/provider_tables.c \
                 ratefetcher/provider_status.c \
                 ratefetcher/latest_age.c ratefetcher/working_days.c \
                 ratefetcher/crosscheck.c ratefetcher/rates_differ.c common/rates/euro_fixed.c \
                 common/clock_watch.c common/older_table.c \
                 ratefetcher/breaker.c \
                 ratefetcher/quota.c ratefetcher/call_counts.c \
                 common/rates/daytables.c common/mapped_file.c common/files.c common/log.c common/events.c common/log_limit.c common/utf8.c common/clock.c \
                 common/rates/rates.c $(MESSAGE_C) common/day.c $(SETTINGS_C)
UNIT_provider  = $(PROVIDER_C)
UNIT_lookup    = ratefetcher/lookup.c ratefetcher/arrivals.c common/loop.c $(PROVIDER_C)
UNIT_latest_age = $(UNIT_lookup)
UNIT_brief_tables = $(UNIT_lookup)
UNIT_crosscheck = $(UNIT_lookup)
UNIT_http      = ratefetcher/providers/http.c ratefetcher/providers/http_words.c ratefetcher/providers/http_proxy.c \
                 ratefetcher/providers/http_tls.c $(SETTINGS_C) common/memory.c common/clock.c \
                 common/loop.c
UNIT_web       = $(filter-out ratefetcher/providers/http.c ratefetcher/providers/http_words.c,$(WEB_C))
UNIT_web_text  = ratefetcher/providers/ecb.c $(TEXTS_C) $(UNIT_web)
UNIT_json_tables = ratefetcher/providers/json_tables.c $(WEB_C)
# Each API over HTTP: tests/unit/test_provider_NAME.c
$(foreach p,$(patsubst tests/unit/test_provider_%.c,%,$(wildcard tests/unit/test_provider_*.c)),\
    $(eval UNIT_provider_$(p) = ratefetcher/providers/$(p).c \
                 ratefetcher/providers/json_tables.c $$(WEB_C)))
UNIT_provider_exchangeratehost += ratefetcher/providers/apilayer.c
UNIT_provider_frankfurter += ratefetcher/providers/frankfurter_v2.c
UNIT_provider_fixer += ratefetcher/providers/apilayer.c
UNIT_provider_ecb += $(TEXTS_C)
UNIT_provider_url += $(TEXTS_C)
UNIT_provider_file += ratefetcher/providers/ecb_csv.c ratefetcher/providers/day_rows.c
UNIT_upstream  = wsclient/upstream.c $(SETTINGS_C)
UNIT_sandbox_paths = common/sandbox/paths.c $(SETTINGS_C)
UNIT_resolve   = common/resolve.c common/memory.c

UNIT_LIBS = -Wl,--as-needed -lcmocka -lcsv -lgmp -ljson-c -lcurl -levent \
            -lexpat -lzip -lwebsockets -lssl -lcrypto
UNIT_TESTS = $(patsubst tests/unit/test_%.c,%,$(sort $(wildcard tests/unit/test_*.c)))

define unit_test
$(BUILD)/unit/test_$(1): $(BUILD)/obj/tests/unit/test_$(1).o $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(UNIT_$(1))))
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(FX_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(UNIT_LIBS)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

include tests/fuzz/fuzz.mk
include tests/sim/sim.mk

# Benchmarks in C, not part of the test run.
$(BUILD)/bench/ledger: $(BUILD)/obj/tests/bench/ledger.o $(patsubst %.c,$(BUILD)/obj/%.o,$(LEDGER_C))
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/bench/history: $(patsubst %,$(BUILD)/obj/tests/bench/%.o,history history_text heap) \
    $(patsubst %.c,$(BUILD)/obj/%.o,$(sort ratefetcher/providers/ecb_csv.c $(UNIT_provider_ecb)))
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS)

# What the test run holds against Python's decimal.
TRIPLES = $(BUILD)/bench/triples
$(TRIPLES): $(BUILD)/obj/tests/bench/triples.o $(BUILD)/obj/common/rates/decimal.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^

# What the test run counts the instructions of.
INSTRUCTIONS = $(BUILD)/bench/instructions
$(INSTRUCTIONS): $(BUILD)/obj/tests/bench/instructions.o $(BUILD)/obj/tests/bench/shapes.o \
    $(patsubst %.c,$(BUILD)/obj/%.o,$(sort wsclient/link/inbox.c $(UNIT_pipeline)))
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^ -ljson-c

# The load generator plays the simulator's script, and judges as it does.
LOAD_SIMULATOR = buf day delay dice ecb euro fixed form listen match script stake ws
$(BUILD)/bench/load: $(call objects,tests/bench/load) \
        $(LOAD_SIMULATOR:%=$(BUILD)/obj/tests/upstream/%.o)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^ -lssl -lcrypto -lgmp

# Clients that only echo, to compare with.
$(BUILD)/bench/echo_%: $(BUILD)/obj/tests/bench/echo_%.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) -o $@ $^ -lwebsockets -lssl -lcrypto -lbsd

BENCH_PROGRAMS = $(BUILD)/bench/load $(BUILD)/bench/echo_raw $(BUILD)/bench/echo_lws

unit-tests: $(UNIT_TESTS:%=$(BUILD)/unit/test_%) fuzz-targets

# A wsclient for the black-box tests that dies of some requests.
POISONED = $(BUILD)/poisoned/wsclient
$(POISONED): $(call objects,wsclient) $(BUILD)/obj/tests/e2e/poison.o $(COMMON)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(FX_LDFLAGS) $(LDFLAGS) \
	    -Wl,--wrap=request_read,--wrap=response_write -o $@ $^ $(LIBS_wsclient)

# Programs whose helpers try what their sandbox forbids.
TRESPASSING = $(PROGRAMS:%=$(BUILD)/trespassing/%)
define trespassing
$(BUILD)/trespassing/$(1): $(call objects,$(1)) $(BUILD)/obj/tests/e2e/trespass.o $(COMMON)
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(FX_LDFLAGS) $$(LDFLAGS) \
	    -Wl,--wrap=sandbox_enter -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call trespassing,$(p))))

# ARGS are pytest's.
test:
	@sh tests/tools/packages.sh build test
	@$(MAKE) --no-print-directory all $(POISONED) $(TRESPASSING) $(INSTRUCTIONS) $(TRIPLES) $(BUILD)/bench/load unit-tests manual completions
	@sh tests/tools/run.sh $(BUILD) $(ARGS)

# docs/faults.md, out of what the last `make faults` and `make soak` left.
faults-table:
	@sh tests/tools/packages.sh build test
	@$(MAKE) --no-print-directory all $(POISONED) $(TRESPASSING)
	@FXWIRE_BUILD=$(BUILD) /usr/bin/python3 tests/faults/table.py --run > docs/faults.md.new
	@mv docs/faults.md.new docs/faults.md

# The Debian package; SUITE=trixie and the like.
test-package:
	sh tests/tools/package.sh $(SUITE)

# A minute for each fault; ARGS="--seconds 10 kill9-all" and the like.
faults:
	@sh tests/tools/packages.sh build test
	@$(MAKE) --no-print-directory all
	@FXWIRE_BUILD=$(BUILD) /usr/bin/python3 tests/faults/run.py $(ARGS)

# All faults at once, then full load, then none, for SECONDS each (ARGS="--load 3600 --idle 3600").
soak:
	@sh tests/tools/packages.sh build test
	@$(MAKE) --no-print-directory all
	@FXWIRE_BUILD=$(BUILD) /usr/bin/python3 tests/faults/soak.py $(SECONDS:%=--seconds %) $(ARGS)

# ROUNDS, SECONDS and BASE=COMMIT are settings; PARTS="throughput tls" and the like.
bench:
	@sh tests/tools/packages.sh build bench
	@$(MAKE) --no-print-directory all $(BENCH_PROGRAMS)
	@ROUNDS="$(ROUNDS)" SECONDS="$(SECONDS)" BASE="$(BASE)" \
	    /usr/bin/python3 tests/bench/bench.py $(BUILD) $(PARTS)

# The image of Containerfile, built and run in a throw-away root.
test-container:
	@sh tests/tools/container.sh

.PHONY: unit-tests test-package faults soak faults-table bench test-container
