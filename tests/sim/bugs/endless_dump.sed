# supervisor/lifecycle.c
# One that does not end by SIGABRT is waited for without an end.
/^    \[LIFECYCLE_ABORTING\] =/,/^        },/ s/{KILL, LIFECYCLE_ABORTING}/{STAY, LIFECYCLE_ABORTING}/
