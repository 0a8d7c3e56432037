/* The commands that look at a configuration or talk to a running service. */
#ifndef FXWIRE_SUPERVISOR_COMMAND_H
#define FXWIRE_SUPERVISOR_COMMAND_H

#include "supervisor/options.h"

/* Each returns the exit code and prints its errors. */
int command_check(const struct options *options);
int command_status(const struct options *options);
int command_stop(const struct options *options);
int command_reload(const struct options *options);
int command_restart(const struct options *options);
int command_log_level(const struct options *options);
int command_alert_test(const struct options *options);
int command_convert(const struct options *options);
int command_logs(const struct options *options);
int command_rates(const struct options *options);
int command_top(const struct options *options);
int command_audit(const struct options *options);
int command_selftest(const struct options *options);

#endif
