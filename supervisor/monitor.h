/*
 * The monitor: the only process that writes where a disk or a slow reader may
 * block. In this version it copies log lines to standard error.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_H
#define FXWIRE_SUPERVISOR_MONITOR_H

/* The first argument that makes the supervisor's binary a monitor. */
#define MONITOR_COMMAND "monitor"

/* Runs until the supervisor stops it or is gone; returns the exit code. */
int monitor_run(int argc, char *argv[]);

#endif
